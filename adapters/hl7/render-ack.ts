// An acknowledgement as bytes. What is echoed is echoed byte for byte, in the sender's own delimiters and character set.
// HL7 2.5.1, 2.9 (rules) and 2.14.8 (MSA), 2.14.5 (ERR).
import type { Acknowledgement } from '../../engine/index.ts';
import { escaped, usualDelimiters, type Delimiters } from './delimiters.ts';
import { readHeader, type Header, type Reason } from './header.ts';
import { timeLike } from './time.ts';
import { asWideAs, narrowed } from './wide.ts';

/** HL7 table 0357: the numbers a device may show its operator. */
const conditions = {
  100: 'Segment sequence error',
  101: 'Required field missing',
  102: 'Data type error',
  103: 'Table value not found',
  200: 'Unsupported message type',
  201: 'Unsupported event code',
  202: 'Unsupported processing id',
  203: 'Unsupported version id',
  204: 'Unknown key identifier',
  205: 'Duplicate key identifier',
  206: 'Application record locked',
  207: 'Application internal error',
} as const;

type Condition = keyof typeof conditions;

/** Our reason codes that have a number of their own; all others are 207. */
const conditionOf: Readonly<Record<string, Condition>> = {
  'hl7-no-header': 100,
  'hl7-several-messages': 100,
  'hl7-batch': 200,
  'hl7-batch-count': 100,
  'hl7-batch-stray': 100,
  'hl7-batch-too-many': 207,
  'hl7-no-delimiters': 102,
  'hl7-charset-wide': 102,
  'hl7-no-type': 101,
  'bad-request': 102,
  'unsupported-media-type': 200,
  'not-found': 204,
  'multiple-matches': 205,
  conflict: 206,
};

/** The longest text that MSA-3 takes. */
const longestText = 80;

interface Rendering {
  readonly header: Header | undefined;
  readonly delimiters: Delimiters;
  readonly acknowledgement: Acknowledgement;
  readonly at: number;
  readonly controlId: string;
}

/**
 * The acknowledgement of `raw`, unframed, in the character set of `raw`. A message without a readable header is answered too, with what
 * can be said. `at`: ms since 1970; `controlId`: MSH-10 of the answer.
 */
export function renderAcknowledgement(
  raw: Uint8Array,
  acknowledgement: Acknowledgement,
  at: number,
  controlId: string,
): Uint8Array {
  const read = readHeader(narrowed(raw));
  const header = 'header' in read ? read.header : undefined;
  const delimiters = header?.delimiters ?? usualDelimiters;
  const rendering: Rendering = { header, delimiters, acknowledgement, at, controlId };
  const segments = [mshOf(rendering), ...msaAndErr(rendering)];
  return asWideAs(raw, Buffer.from(segments.map((segment) => `${segment}\r`).join(''), 'latin1'));
}

function mshOf({ header, delimiters, at, controlId }: Rendering): string {
  const echo = (field: number): string => header?.bytes.source(field) ?? '';
  const fields: Readonly<Record<number, string>> = {
    1: encodingCharacters(header, delimiters),
    2: echo(5),
    3: echo(6),
    4: echo(3),
    5: echo(4),
    6: timeLike(echo(7), at),
    8: typeOf(header, delimiters),
    9: escaped(controlId, delimiters),
    10: echo(11) || 'P',
    11: echo(12) || '2.5.1',
    15: sampleKind(header),
    17: echo(18),
    20: echo(21),
  };
  return joined('MSH', fields, delimiters);
}

function encodingCharacters(
  header: Header | undefined,
  { component, repetition, escape, subcomponent }: Delimiters,
): string {
  return header?.bytes.source(2) ?? `${component}${repetition}${escape}${subcomponent}`;
}

/** ACK^R01; ACK^R22^ACK where the sender names the structure too; ACK where it names no event. */
function typeOf(header: Header | undefined, delimiters: Delimiters): string {
  const event = escaped(header?.bytes.text(9, 1, 2) ?? '', delimiters);
  const structure = header?.bytes.text(9, 1, 3) ?? '';
  const parts = structure !== '' ? ['ACK', event, 'ACK'] : event !== '' ? ['ACK', event] : ['ACK'];
  return parts.join(delimiters.component);
}

/** What a Mindray BS writes into MSH-16 (0 sample, 1 calibration, 2 quality control) and wants to see again. */
function sampleKind(header: Header | undefined): string {
  const value = header?.bytes.source(16) ?? '';
  return ['0', '1', '2'].includes(value) ? value : '';
}

/** Fields by the number of separators before them, without empty ones at the end. */
function joined(name: string, fields: Readonly<Record<number, string>>, { field }: Delimiters): string {
  const valued = Object.entries(fields).filter(([, text]) => text !== '');
  const last = Math.max(0, ...valued.map(([place]) => Number(place)));
  const parts = Array.from({ length: last + 1 }, (_, place) => (place === 0 ? name : (fields[place] ?? '')));
  return parts.join(field);
}

function msaAndErr(rendering: Rendering): readonly string[] {
  return versionOf(rendering.header) < 2.5 ? olderMsa(rendering) : newerMsa(rendering);
}

/** 2.3 of `2.3.1^KEN`; the newest rules where the sender names no version. */
function versionOf(header: Header | undefined): number {
  const version = Number.parseFloat(header?.bytes.text(12) ?? '');
  return Number.isNaN(version) ? 2.5 : version;
}

const isAccepted = ({ acknowledgement }: Rendering): boolean =>
  acknowledgement.code === 'AA' || acknowledgement.code === 'CA';

const originalId = ({ header }: Rendering): string => header?.bytes.source(10) ?? '';

/** Before 2.5 text and number stand in MSA-3 and MSA-6 (since 2.3). The last separator is as devices of that time write it. */
function olderMsa(rendering: Rendering): readonly string[] {
  const { acknowledgement, delimiters, header } = rendering;
  const number = isAccepted(rendering) ? 0 : conditionNumber(acknowledgement.reason);
  const fields: Record<number, string> = {
    1: acknowledgement.code,
    2: originalId(rendering),
    3: olderText(rendering),
  };
  if (versionOf(header) < 2.3) return [joined('MSA', fields, delimiters)];
  return [joined('MSA', { ...fields, 6: String(number) }, delimiters) + delimiters.field];
}

function olderText(rendering: Rendering): string {
  const { acknowledgement, header } = rendering;
  if (!isAccepted(rendering)) return reasonText(rendering, longestText);
  return sampleKind(header) === '' || acknowledgement.code !== 'AA' ? '' : 'Message accepted';
}

function newerMsa(rendering: Rendering): readonly string[] {
  const { acknowledgement, delimiters } = rendering;
  const msa = joined('MSA', { 1: acknowledgement.code, 2: originalId(rendering) }, delimiters);
  return isAccepted(rendering) ? [msa] : [msa, errOf(rendering)];
}

function errOf(rendering: Rendering): string {
  const { acknowledgement, delimiters } = rendering;
  const number = conditionNumber(acknowledgement.reason);
  const code = [String(number), conditions[number], 'HL70357'].join(delimiters.component);
  return joined('ERR', { 3: code, 4: 'E', 8: reasonText(rendering, 250) }, delimiters);
}

function conditionNumber(reason: Reason | undefined): Condition {
  const code = reason?.code ?? '';
  return Object.hasOwn(conditionOf, code) ? (conditionOf[code] ?? 207) : 207;
}

/** A character for each byte of the text in the sender's character set; what that set may lack becomes a question mark. */
function reasonText({ acknowledgement, delimiters, header }: Rendering, longest: number): string {
  const text = (acknowledgement.reason?.text ?? 'not accepted').slice(0, longest);
  const safe = escaped(text, delimiters);
  return isUnicode(header) ? Buffer.from(safe).toString('latin1') : safe.replace(/[^\n\x20-\x7e]/gu, '?');
}

const isUnicode = (header: Header | undefined): boolean =>
  /^(UNICODE( UTF-8)?|UTF-?8)$/i.test(header?.charset ?? '');
