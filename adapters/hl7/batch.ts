// Files and batches (FHS, BHS … BTS, FTS): cut into their messages, byte for byte, and answered as a batch. HL7 2.5.1, 2.10.3.
import type { MessageBatch } from '../../engine/index.ts';
import { batchLines, type BatchLine } from './batch-lines.ts';
import { delimitersOf, escaped, type Delimiters } from './delimiters.ts';
import type { Reason } from './header.ts';
import { Hl7Segment } from './segment.ts';
import { timeLike } from './time.ts';

/** More would hold up everybody else's acknowledgement: they are kept in one commit. */
const mostMessages = 10_000;

const faults = {
  'hl7-batch-count':
    'a trailer (BTS-1, FTS-1) counts otherwise than what came: something is missing; send all of it again',
  'hl7-batch-stray': 'there is a segment that belongs to no message; every message begins with MSH',
  'hl7-batch-too-many': `there are more than ${mostMessages} messages; send them in smaller batches`,
} as const;

/** One BHS … BTS, or what stands in its place where the sender leaves these out. */
interface Group {
  readonly header: Hl7Segment | undefined;
  readonly messages: Uint8Array[];
}

interface Cut {
  readonly file: Hl7Segment | undefined;
  readonly groups: Group[];
  fault: keyof typeof faults | undefined;
}

/**
 * Undefined when it is one message, or nothing of the kind. `sequences`: several messages one after the other, without any header, are a
 * batch too, as they are in files; in an MLLP frame they would hide a lost end.
 */
export function openBatch(raw: Uint8Array, sequences = false): MessageBatch | undefined {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const lines = batchLines(bytes, sequences);
  const [first] = lines;
  if (first === undefined) return undefined;
  const delimiters = delimitersOf(first.text);
  return delimiters === undefined ? undefined : batchOf(cut(bytes, lines, delimiters), delimiters);
}

function cut(bytes: Buffer, lines: readonly BatchLine[], delimiters: Delimiters): Cut {
  const read = (text: string): Hl7Segment =>
    new Hl7Segment(text, 1, { delimiters, decode: (part) => part.toString('latin1') });
  const [first] = lines;
  const found: Cut = {
    file: first?.name === 'FHS' ? read(first.text) : undefined,
    groups: [],
    fault: undefined,
  };
  let group: Group | undefined;
  const begin = (header?: Hl7Segment): Group => {
    const begun = { header, messages: [] };
    found.groups.push(begun);
    return begun;
  };
  for (const [index, line] of lines.entries()) {
    switch (line.name) {
      case 'FHS':
        if (index > 0) found.fault = 'hl7-batch-stray';
        break;
      case 'BHS':
        group = begin(read(line.text));
        break;
      case 'MSH':
        group ??= begin();
        group.messages.push(bytes.subarray(line.start, lines[index + 1]?.start ?? bytes.length));
        break;
      case 'BTS':
        if (countsOtherwise(read(line.text), group?.messages.length ?? 0)) found.fault = 'hl7-batch-count';
        group = undefined;
        break;
      case 'FTS':
        if (countsOtherwise(read(line.text), found.groups.length)) found.fault = 'hl7-batch-count';
        break;
      case 'stray':
        found.fault = 'hl7-batch-stray';
        break;
      default:
        line.name satisfies never;
    }
  }
  if (found.groups.reduce((sum, { messages }) => sum + messages.length, 0) > mostMessages) {
    found.fault = 'hl7-batch-too-many';
  }
  return found;
}

/** BTS-1 and FTS-1 may be empty; what is no number counts nothing. */
function countsOtherwise(trailer: Hl7Segment, count: number): boolean {
  const text = trailer.text(1).trim();
  return /^\d{1,9}$/.test(text) && Number(text) !== count;
}

function batchOf({ file, groups, fault }: Cut, delimiters: Delimiters): MessageBatch {
  const header = file ?? groups[0]?.header;
  const reason: Reason | undefined = fault === undefined ? undefined : { code: fault, text: faults[fault] };
  return {
    controlId: header?.text(11) ?? '',
    messages: groups.flatMap(({ messages }) => messages),
    isAnswer: [file, ...groups.map((group) => group.header)].some((one) => one?.text(12)),
    fault: reason,
    renderAnswer: (answers, at, newId) => answerOf({ file, groups }, answers, { delimiters, at, newId }),
  };
}

interface Rendering {
  readonly delimiters: Delimiters;
  readonly at: number;
  readonly newId: string;
}

/** A batch of acknowledgements for each batch, in a file where they came in one. */
function answerOf(
  { file, groups }: Pick<Cut, 'file' | 'groups'>,
  answers: readonly (readonly Uint8Array[])[],
  rendering: Rendering,
): Uint8Array {
  let taken = 0;
  const batches = groups.map(({ header, messages }) => {
    const given = answers.slice(taken, (taken += messages.length)).flat();
    const trailer = segment('BTS', { 1: String(given.length) }, rendering);
    return [answerHeader('BHS', header ?? file, rendering), ...given, trailer];
  });
  const inside = batches.length > 0 || file !== undefined ? batches.flat() : [];
  if (file === undefined) return Buffer.concat(inside);
  const trailer = segment('FTS', { 1: String(batches.length) }, rendering);
  return Buffer.concat([answerHeader('FHS', file, rendering), ...inside, trailer]);
}

/** Addressed back to the sender; BHS-12 and FHS-12 name what is answered. */
function answerHeader(name: 'BHS' | 'FHS', asked: Hl7Segment | undefined, rendering: Rendering): Uint8Array {
  const { delimiters, at, newId } = rendering;
  const echo = (field: number): string => asked?.source(field) ?? '';
  const { component, repetition, escape, subcomponent } = delimiters;
  const fields = {
    1: asked?.source(2) ?? `${component}${repetition}${escape}${subcomponent}`,
    2: echo(5),
    3: echo(6),
    4: echo(3),
    5: echo(4),
    6: timeLike(echo(7), at),
    8: echo(9),
    10: escaped(newId, delimiters),
    11: echo(11),
  };
  return segment(name, fields, rendering);
}

/** Fields by the number of separators before them. */
function segment(
  name: string,
  fields: Readonly<Record<number, string>>,
  { delimiters }: Rendering,
): Uint8Array {
  const last = Math.max(
    0,
    ...Object.entries(fields).map(([place, text]) => (text === '' ? 0 : Number(place))),
  );
  const parts = Array.from({ length: last + 1 }, (_, place) => (place === 0 ? name : (fields[place] ?? '')));
  return Buffer.from(`${parts.join(delimiters.field)}\r`, 'latin1');
}
