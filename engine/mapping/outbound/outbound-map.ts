// One map for one kind of message that goes out: of which resource, on what change, with what segments.
import { isMap, isSeq, type YAMLMap } from 'yaml';
import type { Rows } from '../language/tables.ts';
import { MapFault, scalarText, type MapSource } from '../source.ts';
import { Expressions, type Evaluate } from './evaluate.ts';
import { expressionOf, partsOf, within, type Filler, type Library } from './fillers.ts';

/** A further resource that the map reads. */
export interface Reading {
  readonly name: string;
  readonly type: string;
  /** References: `Patient/1`. */
  readonly references: Evaluate;
  /** Why the message cannot do without it. */
  readonly needed: string | undefined;
}

/** A row of the transition table. */
export interface EventRow {
  readonly event: string;
  readonly structure: string;
  readonly when: Evaluate | undefined;
}

export interface SegmentRule {
  readonly name: string;
  readonly fields: ReadonlyMap<number, Filler>;
  readonly required: readonly number[];
}

/** A segment, or a group of them; made for each value of `each` (named `as`), or once. */
export interface Part {
  readonly segment: SegmentRule | undefined;
  /** In answers: a segment of the query, as it came. */
  readonly echo: string | undefined;
  readonly each: Evaluate | undefined;
  readonly as: string | undefined;
  readonly when: Evaluate | undefined;
  readonly needed: string | undefined;
  readonly parts: readonly Part[];
}

export interface OutboundMap {
  readonly name: string;
  /** MSH-9.1 */
  readonly code: string;
  /** The type of the resource that it is made of, and the name that it has in expressions. */
  readonly of: string;
  readonly as: string;
  readonly readings: readonly Reading[];
  readonly events: readonly EventRow[];
  readonly parts: readonly Part[];
}

export interface OutboundSources {
  /** Names of settings that expressions may ask for. */
  readonly settings: readonly string[];
  rows(table: string): Rows;
  /** Throws SyntaxError for a file that is not there. */
  source(file: string): MapSource;
}

/** What each expression may ask for besides the resources that its map names. */
const always = ['message', 'was', 'index', 'event'];

/** A message made of what a query has found. */
export interface AnswerMap {
  readonly name: string;
  readonly code: string;
  readonly event: string;
  readonly structure: string;
  /** Names of what the query has found or told. */
  readonly reads: readonly string[];
  /** Whether there is anything to answer; always where it says nothing. */
  readonly found: Evaluate | undefined;
  readonly parts: readonly Part[];
}

/** Throws MapFault. The sources have passed their schemas. */
export function compileOutbound(maps: readonly MapSource[], from: OutboundSources): readonly OutboundMap[] {
  const expressions = new Expressions();
  return maps.map((source) => compileMap(source, from, expressions));
}

/** Throws MapFault. The sources have passed their schemas. */
export function compileAnswers(maps: readonly MapSource[], from: OutboundSources): readonly AnswerMap[] {
  const expressions = new Expressions();
  return maps.map((source) => compileAnswer(source, from, expressions));
}

function compileAnswer(source: MapSource, from: OutboundSources, expressions: Expressions): AnswerMap {
  const text = (key: string): string => scalarText(source.document.get(key, true)) ?? '';
  const reads = source.document.get('reads', true);
  const read = isSeq(reads) ? reads.items.map((item) => scalarText(item) ?? '') : [];
  const library = libraryOf([...read, ...namesIn(source)], from, expressions);
  return {
    name: text('map'),
    code: text('code'),
    event: text('event'),
    structure: text('structure'),
    reads: read,
    found: expressionOf(source.document.get('found', true), source, library),
    parts: mapsIn(source.document.get('segments', true)).map((part) => partOf(part, source, library, from)),
  };
}

/** `names`: what expressions may ask for besides what is always there. */
const libraryOf = (names: readonly string[], from: OutboundSources, expressions: Expressions): Library => ({
  expressions,
  known: new Set([...always, ...from.settings, ...names]),
  rows: (table) => from.rows(table),
  datatype: (name) => from.source(`hl7v2/outbound/datatypes/${name}.yaml`),
});

function compileMap(source: MapSource, from: OutboundSources, expressions: Expressions): OutboundMap {
  const text = (key: string): string => scalarText(source.document.get(key, true)) ?? '';
  const library = libraryOf([text('as'), ...namesIn(source)], from, expressions);
  return {
    name: text('map'),
    code: text('code'),
    of: text('of'),
    as: text('as'),
    readings: readingsOf(source, library),
    events: mapsIn(source.document.get('events', true)).map((row) => eventOf(row, source, library)),
    parts: mapsIn(source.document.get('segments', true)).map((part) => partOf(part, source, library, from)),
  };
}

/** The resources that a map reads, and what its groups call their members. */
function namesIn(source: MapSource): readonly string[] {
  const members = (node: unknown): readonly string[] =>
    mapsIn(node).flatMap((part) => [
      scalarText(part.get('as', true)) ?? '',
      ...members(part.get('segments', true)),
    ]);
  const readings = source.document.get('with', true);
  const read = isMap(readings) ? readings.items.map(({ key }) => scalarText(key) ?? '') : [];
  return [...read, ...members(source.document.get('segments', true))];
}

function readingsOf(source: MapSource, library: Library): readonly Reading[] {
  const node = source.document.get('with', true);
  if (!isMap(node)) return [];
  return node.items.map(({ key, value }) => {
    const references = isMap(value) ? expressionOf(value.get('read', true), source, library) : undefined;
    if (!isMap(value) || references === undefined) throw source.fault(node, 'what is read has type and read');
    return {
      references,
      name: scalarText(key) ?? '',
      type: scalarText(value.get('type', true)) ?? '',
      needed: scalarText(value.get('needed', true)),
    };
  });
}

const eventOf = (row: YAMLMap, source: MapSource, library: Library): EventRow => ({
  event: scalarText(row.get('event', true)) ?? '',
  structure: scalarText(row.get('structure', true)) ?? '',
  when: expressionOf(row.get('when', true), source, library),
});

function partOf(node: YAMLMap, source: MapSource, library: Library, from: OutboundSources): Part {
  const segment = scalarText(node.get('segment', true));
  return {
    segment:
      segment === undefined
        ? undefined
        : within(node, source, () =>
            segmentRule(from.source(`hl7v2/outbound/segments/${segment}.yaml`), library),
          ),
    echo: scalarText(node.get('echo', true)),
    each: expressionOf(node.get('each', true), source, library),
    as: scalarText(node.get('as', true)),
    when: expressionOf(node.get('when', true), source, library),
    needed: scalarText(node.get('needed', true)),
    parts: mapsIn(node.get('segments', true)).map((part) => partOf(part, source, library, from)),
  };
}

function segmentRule(source: MapSource, library: Library): SegmentRule {
  const required = source.document.get('required', true);
  return {
    name: scalarText(source.document.get('segment', true)) ?? '',
    fields: partsOf(source.document.get('fields', true), source, library, 0),
    required: isSeq(required) ? required.items.map((item) => Number(scalarText(item))) : [],
  };
}

const mapsIn = (node: unknown): readonly YAMLMap[] => (isSeq(node) ? node.items.filter(isMap) : []);

/** Two maps of one name would hide each other. Throws MapFault. */
export function byName<M extends { readonly name: string }>(maps: readonly M[]): ReadonlyMap<string, M> {
  const named = new Map(maps.map((map) => [map.name, map]));
  if (named.size < maps.length) {
    const twice = maps.find((map) => named.get(map.name) !== map)?.name ?? '';
    throw new MapFault('mappings/hl7v2/outbound', `several maps are called ${twice}`);
  }
  return named;
}
