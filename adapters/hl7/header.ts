// The first segment of a message, read from the bytes before anything else is: delimiters, character set, addresses.
import type { Envelope } from '../../engine/index.ts';
import { decodeText, declaredOf, isWide } from './charset.ts';
import { delimitersOf, type Delimiters } from './delimiters.ts';
import { Hl7Segment } from './segment.ts';

export type Reason = NonNullable<Envelope['unreadable']>;

export interface Header {
  readonly delimiters: Delimiters;
  /** MSH with a character for each byte, so that what is echoed is echoed byte for byte. */
  readonly bytes: Hl7Segment;
  /** MSH as text. */
  readonly text: Hl7Segment;
  /** MSH-18: the one that the text is read in. */
  readonly charset: string;
}

export type HeaderRead = { readonly header: Header } | { readonly unreadable: Reason };

/** There are no more. */
const mostCharsets = 20;
/** No header is longer. */
const longestHeader = 65_536;

const refusals = {
  'hl7-no-header': 'the message does not begin with an MSH segment',
  'hl7-no-delimiters': 'MSH-1 and MSH-2 do not name usable delimiters',
  'hl7-no-type': 'MSH-9 (message type) is empty',
  'hl7-batch': 'a batch (FHS, BHS) stands where one message is expected; once mended, send it in as it came',
  'hl7-several-messages':
    'there is more than one MSH segment in the frame; send each message in its own frame',
  'hl7-charset-wide':
    'the message is written in UTF-32, or in UTF-16 without the end of its last segment, so that it may be cut off; send UNICODE UTF-8',
} as const;

type RefusalCode = keyof typeof refusals;

const refused = (code: RefusalCode): HeaderRead => ({ unreadable: { code, text: refusals[code] } });

/** Reads the header, or says why it cannot be read. `channel`: the character set to assume where MSH-18 names none. */
export function readHeader(raw: Buffer, channel?: string): HeaderRead {
  const start = firstLetter(raw);
  const name = raw.toString('latin1', start, start + 3);
  if (name === 'FHS' || name === 'BHS') return refused('hl7-batch');
  if (name !== 'MSH') return refused(isWide(raw) ? 'hl7-charset-wide' : 'hl7-no-header');
  const line = raw.subarray(start, endOfLine(raw, start));
  const delimiters = delimitersOf(line.toString('latin1'));
  if (delimiters === undefined) return refused('hl7-no-delimiters');
  if (isRepeated(raw, start, delimiters)) return refused('hl7-several-messages');
  return { header: headerOf(line, delimiters, channel) };
}

function headerOf(line: Buffer, delimiters: Delimiters, channel: string | undefined): Header {
  const bytes = new Hl7Segment(line.toString('latin1'), 1, {
    delimiters,
    decode: (part) => part.toString('latin1'),
  });
  const charset = declaredOf(repetitionsOf(bytes, 18));
  const { text, decode } = decodeText(line, charset, channel);
  return { delimiters, bytes, charset, text: new Hl7Segment(text, 1, { delimiters, decode }) };
}

const repetitionsOf = (segment: Hl7Segment, field: number): readonly string[] =>
  Array.from({ length: Math.min(segment.repetitions(field), mostCharsets) }, (_, at) =>
    segment.source(field, at + 1),
  );

/** Why a message with a readable header is not taken all the same. */
export function typeMissing(header: Header): Reason | undefined {
  return header.text.text(9) === '' ? { code: 'hl7-no-type', text: refusals['hl7-no-type'] } : undefined;
}

/** Past a byte order mark, white space, NUL and VT. */
function firstLetter(raw: Buffer): number {
  let at = raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf ? 3 : 0;
  while (at < raw.length && (raw[at] ?? 0) <= 0x20) at += 1;
  return at;
}

function endOfLine(raw: Buffer, start: number): number {
  const limit = Math.min(raw.length, start + longestHeader);
  let at = start;
  while (at < limit && raw[at] !== 0x0d && raw[at] !== 0x0a) at += 1;
  return at;
}

function isRepeated(raw: Buffer, start: number, { field }: Delimiters): boolean {
  return ['\r', '\n'].some((end) => raw.includes(`${end}MSH${field}`, start, 'latin1'));
}

/** Whether the message acknowledges or answers another: it has an MSA near its beginning, or is an ACK by type. */
export function isAnswer(raw: Buffer, header: Header): boolean {
  const kind = header.text.text(9);
  if (kind === 'ACK' || kind === 'MCF') return true;
  const beginning = raw.subarray(0, longestHeader);
  return ['\r', '\n'].some((end) => beginning.includes(`${end}MSA${header.delimiters.field}`, 0, 'latin1'));
}
