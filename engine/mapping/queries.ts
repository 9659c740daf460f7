// A query that came as a message: what it asks of the store, and the message that answers it with what was found.
import type { Answers, AskedQuery, QueryHeader } from './mapper.ts';
import { exactTexts } from './outbound/exact-texts.ts';
import { holds, type Names } from './outbound/evaluate.ts';
import { made } from './outbound/make-segments.ts';
import type { AnswerMap } from './outbound/outbound-map.ts';
import { forEachMember } from './outbound/render.ts';
import { checkStructure } from './outbound/structure.ts';
import type { OutgoingComponent, OutgoingRepetition, OutgoingSegment } from './outgoing-message.ts';
import { hl7Null } from './places.ts';
import type { QueryMap } from './query-map.ts';
import { askFirst, nowhere, readQuery, type Surroundings } from './run-map.ts';
import type { Issue, WireMessage, WireSegment } from './wire-message.ts';

export function askedQuery(message: WireMessage, map: QueryMap, surroundings: Surroundings): AskedQuery {
  return {
    name: map.name,
    kind: map.kind,
    pages: map.pages,
    get questions() {
      return askFirst({ message, map, context: nowhere }, surroundings).questions;
    },
    answer: (answers, header) => {
      const { issues, told } = readQuery({ message, map, answers }, surroundings);
      const fault = issues.find(({ severity }) => severity === 'error');
      const found = foundIn(answers, told);
      if (fault !== undefined) return { segments: answered('AE', fault, found, header) };
      const isThere = map.answer.found;
      const names = namesOf(map.answer, found, {}, surroundings);
      const status = isThere === undefined || holds(isThere([], names)) ? 'OK' : 'NF';
      const segments = answered(status, undefined, found, header);
      if (map.follow === undefined) return { segments };
      return { segments, follow: segmentsOf(map.follow, found, followOf(map.follow, header)) };
    },
    refuse: (code, issue, header) => ({ segments: answered(code, issue, foundIn({}, new Map()), header) }),
  };

  function answered(
    status: 'OK' | 'NF' | 'AE' | 'AR',
    fault: Pick<Issue, 'code' | 'text' | 'place'> | undefined,
    found: Found,
    header: QueryHeader,
  ): readonly OutgoingSegment[] {
    const { code, event, structure } = map.answer;
    const acknowledgement = fault === undefined ? 'AA' : status;
    const failed = fault === undefined ? {} : { fault: faultOf(fault) };
    const { continuation, ...facts } = header;
    const goesOn = continuation === undefined || fault !== undefined ? {} : { continuation };
    const more = { code, event, structure, status, acknowledgement, ...failed, ...goesOn };
    return segmentsOf(map.answer, found, { ...facts, ...more });
  }

  function segmentsOf(answer: AnswerMap, found: Found, header: object): readonly OutgoingSegment[] {
    const names = namesOf(answer, found, header, surroundings);
    const zone = surroundings.zoneOf(surroundings.settings.get('timeZone') ?? 'Z');
    const echo = (name: string): readonly OutgoingSegment[] =>
      message.segments.filter((segment) => segment.name === name).map(echoed);
    const segments = answer.parts.flatMap((part) => made(part, [], { names, zone, echo, trace: [] }));
    checkStructure(segments, answer.shape);
    return segments;
  }
}

/** What was found, and what the map of the query tells, by name. */
type Found = ReadonlyMap<string, readonly unknown[]>;

const foundIn = (answers: Answers, told: Found): Found =>
  new Map([...told, ...Object.entries(answers).map(([name, of]) => [name, of.map(exactTexts)] as const)]);

function namesOf(answer: AnswerMap, found: Found, message: object, { settings }: Surroundings): Names {
  const names: Record<string, unknown> = { was: [], index: '1', message, event: answer.event };
  for (const [name, value] of settings) names[name] = value;
  for (const name of answer.reads) names[name] = found.get(name) ?? [];
  forEachMember(answer.parts, (name) => (names[name] ??= []));
  return names;
}

const followOf = ({ code, event, structure }: AnswerMap, header: QueryHeader): object => ({
  ...header,
  code,
  event,
  structure,
  controlId: header.followId,
});

/** The place as ERR-2 names it: segment, which of them, field, repetition. HL7 2.5.1, 2.A.28. */
function faultOf({ code, text, place = '' }: Pick<Issue, 'code' | 'text' | 'place'>): object {
  const [, segment, sequence, field, repetition = '1'] =
    /^(\w+)\[(\d+)\](?:-(\d+)(?:\[(\d+)\])?)?/.exec(place) ?? [];
  return {
    code,
    text,
    ...(segment === undefined ? {} : { segment, sequence }),
    ...(field === undefined ? {} : { field, repetition }),
  };
}

function echoed(segment: WireSegment): OutgoingSegment {
  const numbers = Array.from({ length: segment.fields }, (_, at) => at + 1);
  const fields = numbers.map((field) => [field, repetitionsOf(segment, field)] as const);
  return { name: segment.name, fields: new Map(fields.filter(([, repetitions]) => repetitions.length > 0)) };
}

const counted = (count: number): readonly number[] => Array.from({ length: count }, (_, at) => at + 1);

const repetitionsOf = (segment: WireSegment, field: number): readonly OutgoingRepetition[] =>
  counted(segment.repetitions(field)).map(
    (repetition) =>
      new Map(
        counted(segment.components(field, repetition)).map((component) => [
          component,
          componentOf(segment, field, repetition, component),
        ]),
      ),
  );

const componentOf = (
  segment: WireSegment,
  field: number,
  repetition: number,
  component: number,
): OutgoingComponent =>
  new Map(
    counted(segment.subcomponents(field, repetition, component)).flatMap((part) => {
      const text = segment.text(field, repetition, component, part);
      return text === '' || text === hl7Null ? [] : [[part, text] as const];
    }),
  );
