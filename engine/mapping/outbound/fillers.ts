// What fills a place of a message: a value, one of several, or the parts of a composite. Read from the map, run over resources.
import { isMap, isSeq, type Node } from 'yaml';
import { toHl7Time, toZonedHl7Time, type TimeZone } from '../hl7-time.ts';
import { look, type Rows } from '../language/tables.ts';
import type { TraceLine } from '../mapper.ts';
import type { OutgoingSegment } from '../outgoing-message.ts';
import { scalarText, type MapSource } from '../source.ts';
import { holds, type Evaluate, type Expressions, type Names } from './evaluate.ts';

/** A text, or what a composite holds by number. */
export type Piece = string | ReadonlyMap<number, Piece>;

/** One rendering: what its fillers see besides the value at hand. */
export interface Run {
  readonly names: Names;
  readonly zone: TimeZone;
  readonly trace: TraceLine[];
  /** The segments of a name in the query that is answered, as they came. */
  readonly echo: (segment: string) => readonly OutgoingSegment[];
}

/** What stands at a place, by repetition; nothing is an empty list. */
export type Filler = (focus: unknown, run: Run, place: string) => readonly Piece[];

/** What the reading of a map needs. All throw SyntaxError for what is not there. */
export interface Library {
  readonly expressions: Expressions;
  readonly known: ReadonlySet<string>;
  rows(table: string): Rows;
  datatype(name: string): MapSource;
}

/** Components, and in them subcomponents. */
const deepest = 2;

/** Throws MapFault. The source has passed its schema. `depth`: 0 for a field. */
export function compileFiller(node: unknown, source: MapSource, library: Library, depth: number): Filler {
  if (isSeq(node)) {
    return firstOf(node.items.map((item) => compileFiller(item, source, library, depth)));
  }
  const condition = isMap(node) ? expressionOf(node.get('when', true), source, library) : undefined;
  const filler = fillerOf(node, source, library, depth);
  if (condition === undefined) return filler;
  return (focus, run, place) => (holds(condition(focus, run.names)) ? filler(focus, run, place) : []);
}

function firstOf(fillers: readonly Filler[]): Filler {
  return (focus, run, place) => {
    for (const filler of fillers) {
      const found = filler(focus, run, place);
      if (found.length > 0) return found;
    }
    return [];
  };
}

function fillerOf(node: unknown, source: MapSource, library: Library, depth: number): Filler {
  if (!isMap(node)) return valueFiller(node as Node, source, library, undefined);
  if (node.has('value')) {
    return valueFiller(node.get('value', true) as Node, source, library, convert(node, source, library));
  }
  const focused = expressionOf(node.get('of', true), source, library);
  const used = scalarText(node.get('use', true));
  const from = used === undefined ? source : within(node, source, () => library.datatype(used));
  const parts = used === undefined ? node.get('parts', true) : from.document.get('parts', true);
  if (depth >= deepest) throw source.fault(node, 'a message has no parts below subcomponents');
  return composite(focused, partsOf(parts, from, library, depth + 1));
}

/** What each number of a list of fields or parts is filled with. Throws MapFault. */
export function partsOf(
  node: unknown,
  source: MapSource,
  library: Library,
  depth: number,
): ReadonlyMap<number, Filler> {
  if (!isMap(node)) throw source.fault(source.document.contents, 'it has no parts');
  return new Map(
    node.items.map((pair) => [
      Number(scalarText(pair.key)),
      compileFiller(pair.value, source, library, depth),
    ]),
  );
}

function composite(focused: Evaluate | undefined, parts: ReadonlyMap<number, Filler>): Filler {
  return (focus, run, place) => {
    const values = focused === undefined ? [focus] : focused(focus, run.names);
    return values
      .map((value, at) => filled(value, run, repeated(place, at), parts))
      .filter(({ size }) => size > 0);
  };
}

function filled(
  focus: unknown,
  run: Run,
  place: string,
  parts: ReadonlyMap<number, Filler>,
): ReadonlyMap<number, Piece> {
  const pieces = new Map<number, Piece>();
  for (const [number, filler] of parts) {
    const [piece] = filler(focus, run, `${place}.${number}`);
    if (piece !== undefined) pieces.set(number, piece);
  }
  return pieces;
}

const repeated = (place: string, at: number): string => (at === 0 ? place : `${place}[${at + 1}]`);

type Convert = (text: string, zone: TimeZone) => string | undefined;

function valueFiller(
  node: Node,
  source: MapSource,
  library: Library,
  converted: Convert | undefined,
): Filler {
  const evaluate = expressionOf(node, source, library);
  if (evaluate === undefined) throw source.fault(node, 'an expression was expected');
  const [from, rule] = [scalarText(node), source.at(node)];
  return (focus, run, place) => {
    const texts = evaluate(focus, run.names).flatMap((value) => textOf(value, converted, run.zone));
    texts.forEach((_text, at) => run.trace.push({ from, to: repeated(place, at), rule }));
    return texts;
  };
}

/** Blank is nothing: a message says nothing by it. */
function textOf(value: unknown, converted: Convert | undefined, zone: TimeZone): readonly string[] {
  const text = typeof value === 'boolean' || typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') return [];
  const meant = converted === undefined ? text : converted(text, zone);
  return meant === undefined || meant.trim() === '' ? [] : [meant];
}

const conversions: Readonly<Record<string, Convert>> = {
  time: (text) => toHl7Time(text),
  date: (text) => toHl7Time(text)?.slice(0, 8),
  zoned: toZonedHl7Time,
  name: (text) => decoded(text),
};

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}

function convert(
  node: { get(key: string, keep: true): unknown },
  source: MapSource,
  library: Library,
): Convert | undefined {
  const [table, reverse, column, as] = ['table', 'reverse', 'column', 'as'].map((key) =>
    scalarText(node.get(key, true)),
  );
  if (as !== undefined) return conversions[as];
  if (table !== undefined) {
    const rows = within(node, source, () => library.rows(table));
    return (text) => asText(look(rows, text, column));
  }
  if (reverse === undefined) return undefined;
  const rows = reversed(
    within(node, source, () => library.rows(reverse)),
    column,
  );
  return (text) => rows.get(text);
}

const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** From what a row stands for to its key; of several, the first row counts. The row `*` stands for nothing in particular. */
function reversed(rows: Rows, column: string | undefined): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const key of rows.keys()) {
    const value = asText(look(rows, key, column));
    if (value !== undefined && key !== '*' && !keys.has(value)) keys.set(value, key);
  }
  return keys;
}

/** Undefined where the map has none. Throws MapFault. */
export function expressionOf(node: unknown, source: MapSource, library: Library): Evaluate | undefined {
  const text = scalarText(node);
  if (text === undefined) return undefined;
  return within(node, source, () => library.expressions.compile(text, library.known));
}

/** What the work finds wrong is said with its place. */
export function within<T>(node: unknown, source: MapSource, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof SyntaxError) throw source.fault(node as Node, error.message);
    throw error;
  }
}
