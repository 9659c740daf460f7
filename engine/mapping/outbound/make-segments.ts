// The segments of a message by its map: groups gone through, fields filled, what is needed insisted on.
import { Refusal } from '../../kernel/outcomes.ts';
import type { OutgoingRepetition, OutgoingSegment } from '../outgoing-message.ts';
import { holds } from './evaluate.ts';
import type { Piece, Run } from './fillers.ts';
import type { Part, SegmentRule } from './outbound-map.ts';

/** Why no message can be made. */
export const cannot = (why: string, place?: string): Refusal => new Refusal('unprocessable', why, place);

/** Throws Refusal `unprocessable` where what the map needs is not there. */
export function made(part: Part, focus: unknown, run: Run): readonly OutgoingSegment[] {
  const members = part.each === undefined ? [focus] : part.each(focus, run.names);
  const segments = members.flatMap((member, at) => madeOf(part, member, at, run));
  if (segments.length === 0 && part.needed !== undefined) throw cannot(part.needed);
  return segments;
}

function madeOf(part: Part, member: unknown, at: number, run: Run): readonly OutgoingSegment[] {
  const named = part.as === undefined ? {} : { [part.as]: member };
  const counted = part.each === undefined ? {} : { index: String(at + 1) };
  const inner: Run = { ...run, names: { ...run.names, ...named, ...counted } };
  if (part.when !== undefined && !holds(part.when(member, inner.names))) return [];
  const own = part.segment === undefined ? [] : [segmentOf(part.segment, member, inner)];
  const echoed = part.echo === undefined ? [] : run.echo(part.echo);
  return [...own, ...echoed, ...part.parts.flatMap((child) => made(child, member, inner))];
}

function segmentOf({ name, fields, required }: SegmentRule, focus: unknown, run: Run): OutgoingSegment {
  const made = new Map<number, readonly OutgoingRepetition[]>();
  for (const [number, filler] of fields) {
    const repetitions = filler(focus, run, `${name}-${number}`).map(repetitionOf);
    if (repetitions.length > 0) made.set(number, repetitions);
  }
  for (const number of required) {
    const place = `${name}-${number}`;
    if (!made.has(number)) throw cannot(`${place} would be empty, and the message needs it`, place);
  }
  return { name, fields: made };
}

const repetitionOf = (piece: Piece): OutgoingRepetition =>
  typeof piece === 'string'
    ? new Map([[1, new Map([[1, piece]])]])
    : new Map([...piece].map(([number, component]) => [number, componentOf(component)]));

function componentOf(piece: Piece): ReadonlyMap<number, string> {
  if (typeof piece === 'string') return new Map([[1, piece]]);
  return new Map([...piece].flatMap(([number, text]) => (typeof text === 'string' ? [[number, text]] : [])));
}
