// Brings messages that were kept before there was an index of words into it, and gives them their keys, in the background, the newest first;
// and what never came so far, or what a defect kept out. It goes on with the next start where it was not finished.
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from '../kernel/logger.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { WireMessage } from '../mapping/wire-message.ts';
import type { MessageRecord, MessageWriter } from '../storage/message-store.ts';
import type { Store } from '../storage/store.ts';
import type { Formats } from './formats.ts';
import { keysOf, wantsText } from './index-keys.ts';
import { textOf } from './message-text.ts';
import { usualSettings, type SettingsOf } from './stages.ts';

export interface IndexingKeptOptions {
  readonly store: Pick<Store, 'transact' | 'messages'>;
  readonly formats: Formats;
  readonly settingsOf?: SettingsOf;
  readonly logger: Logger;
}

export interface IndexingKept {
  start(): void;
  /** Resolves when it has been through. */
  idle(): Promise<void>;
  /** Finishes the transaction under way. */
  stop(): Promise<void>;
}

/** Messages in one transaction: a few ms. */
const slice = 50;
/** Between two of them others have their turn for as long as the last one took, and at least so long. */
const leastBreathMs = 5;
/** Messages between two lines in the log. */
const told = 20_000;

export function createIndexingKept(options: IndexingKeptOptions): IndexingKept {
  const { logger } = options;
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  return {
    start: () => {
      stopped = false;
      running = run(options, () => stopped).catch((error: unknown) => {
        logger.error({}, 'indexing the words of messages was broken off; the next start goes on', error);
      });
    },
    idle: () => running,
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}

async function run(options: IndexingKeptOptions, isStopped: () => boolean): Promise<void> {
  const { store, logger, settingsOf = usualSettings } = options;
  let seen = 0;
  let last: MessageRecord | undefined;
  while (!isStopped()) {
    const begin = performance.now();
    const items = await store.messages.unindexed(slice, last?.id);
    if (items.length === 0) break;
    last = items.at(-1);
    seen += items.length;
    const wanted = items.filter(
      ({ state, channel }) => state !== 'received' && wantsText(settingsOf(channel)),
    );
    if (wanted.length > 0) {
      await store.transact(({ messages }) => indexAll(wanted, messages, options), { canWait: true });
    }
    if (seen % told === 0) logger.info({ seen, backTo: last?.receivedAt }, 'indexing the words of messages');
    await wait(Math.max(leastBreathMs, performance.now() - begin));
  }
  if (seen >= told) logger.info({ seen }, 'the words of messages are indexed');
}

async function indexAll(
  records: readonly MessageRecord[],
  messages: MessageWriter,
  { formats, settingsOf = usualSettings }: IndexingKeptOptions,
): Promise<void> {
  for (const record of records) {
    const raw = await messages.raw(record.id);
    if (raw === undefined) {
      // An earlier release let go of its bytes.
      await messages.dropBody(record.id);
      continue;
    }
    const wire = wireOf(raw, record, formats, settingsOf);
    if (wire === undefined) continue;
    await messages.addKeys(record.id, keysOf(wire, settingsOf(record.channel)));
    await messages.indexText(record.id, textOf({ raw, wire }));
  }
}

/** Undefined where it cannot be read: it is looked through as it is. */
function wireOf(
  raw: Uint8Array,
  { format, channel }: MessageRecord,
  formats: Formats,
  settingsOf: SettingsOf,
): WireMessage | undefined {
  try {
    return formats.of(format).parse(raw, settingsOf(channel).charset).message;
  } catch (error) {
    // Of a format that there was once.
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
