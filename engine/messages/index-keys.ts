// Step 2 of processing: under what the message will be found — patients, barcodes, what its channel indexes, and its words. Also what comes
// to a dead end is found by it.
import type { WireMessage } from '../mapping/wire-message.ts';
import type { MessageKey } from '../storage/message-store.ts';
import { readMessagePath, type MessagePath } from './channels/message-path.ts';
import { textOf } from './message-text.ts';
import type { ChannelSettings, Parsed, ProcessingParts } from './stages.ts';

interface IndexedPath {
  readonly name: string;
  readonly path: MessagePath;
}

const pathOf = (name: string, text: string): readonly IndexedPath[] => {
  const path = readMessagePath(text);
  return path === undefined ? [] : [{ name, path }];
};

/** Where patient numbers and barcodes stand, in HL7 v2 and in ASTM. */
const usual: readonly IndexedPath[] = [
  ...['PID-2', 'PID-3', 'PID-4', 'P-3', 'P-4'].flatMap((text) => pathOf('patient', text)),
  ...['SPM-2.1', 'SPM-2.2', 'SAC-3', 'OBR-2', 'OBR-3', 'O-3'].flatMap((text) => pathOf('barcode', text)),
];

const mostKeys = 100;
const longestValue = 200;

export async function indexKeys(message: Parsed, { unit, settingsOf }: ProcessingParts): Promise<Parsed> {
  const { record, wire } = message;
  const settings = settingsOf(record.channel);
  await unit.messages.addKeys(record.id, keysOf(wire, settings));
  if (wantsText(settings)) await unit.messages.indexText(record.id, textOf(message));
  return message;
}

/** Patients and barcodes first, then what the channel indexes; each once. */
export const keysOf = (
  wire: WireMessage,
  { index = [] }: Pick<ChannelSettings, 'index'>,
): readonly MessageKey[] => keysAt([...usual, ...index], wire);

/** Of any channel. */
export const usualKeys = (wire: WireMessage): readonly MessageKey[] => keysAt(usual, wire);

function keysAt(paths: readonly IndexedPath[], wire: WireMessage): readonly MessageKey[] {
  const keys = paths.flatMap(({ name, path }): readonly MessageKey[] =>
    path(wire).map((text) => ({ name, value: text.slice(0, longestValue) })),
  );
  const distinct = new Map(keys.map((key) => [`${key.name}\0${key.value}`, key]));
  return [...distinct.values()].slice(0, mostKeys);
}

/** Bytes that will be let go of are not worth an index. */
export const wantsText = ({ textIndex, storage }: ChannelSettings): boolean =>
  textIndex !== false && storage !== 'facts';
