// The parts of a composite value as columns: part 2 is value2, high2, unit2 and system2. A part of any kind fits in the four;
// what it does not need is 0.
import type { IndexEntry, PartEntry } from '../../search/index-entry.ts';
import type { PartLeaf } from '../../search/plan.ts';
import { codeKey } from './code-key.ts';
import { comparedString, comparedUri } from './compare-text.ts';
import type { Compilation } from './compilation.ts';
import type { SqlValue } from './connection.ts';
import { sql, word, yes, type Fragment } from './fragment.ts';
import type { Numbers } from './names.ts';
import { comparedRange } from './span.ts';

type CompositeEntry = Extract<IndexEntry, { kind: 'composite' }>;

/** R4 has composites of two and of three parts. */
const places = [1, 2, 3] as const;

export const compositeColumns: readonly string[] = [
  'parameter',
  'rid',
  ...places.flatMap((place) => ['value', 'high', 'unit', 'system'].map((column) => `${column}${place}`)),
];

/** The values of `compositeColumns`. */
export function compositeValues(
  numbers: Numbers,
  parameter: number,
  rid: number,
  entry: CompositeEntry,
): SqlValue[] {
  if (entry.parts.length > places.length) {
    throw new Error(`a composite of ${entry.parts.length} parts does not fit in the index`);
  }
  return [parameter, rid, ...places.flatMap((place) => partValues(numbers, entry.parts[place - 1]))];
}

/** Stands in place of a unit for parts that have none, so that a part is only compared with its own kind. */
const kindMarks = { token: -1, reference: -2, uri: -3, string: -4, date: -5, number: -6 } as const;

/** Value, high, unit, system. */
function partValues(numbers: Numbers, part: PartEntry | undefined): readonly SqlValue[] {
  switch (part?.kind) {
    case undefined:
      return [0, 0, 0, 0];
    case 'token':
      return [codeKey(part.code), 0, kindMarks.token, numbers.intern('system', part.system)];
    case 'reference':
      return [numbers.internTarget(part.target), 0, kindMarks.reference, 0];
    case 'uri':
      return [part.value, 0, kindMarks.uri, 0];
    case 'string':
      return [part.folded, part.value, kindMarks.string, 0];
    case 'date':
    case 'number':
      return [part.low, part.high, kindMarks[part.kind], 0];
    case 'quantity':
      return [part.low, part.high, numbers.intern('unit', part.unit), numbers.intern('system', part.system)];
  }
}

/** Whether the parts of a row satisfy the leaves, part by part. */
export function partsTest(compilation: Compilation, leaves: readonly PartLeaf[], row: Fragment): Fragment {
  return leaves
    .map((leaf, index) => partTest(compilation, leaf, row, index + 1))
    .reduce((all, test) => sql`${all} AND ${test}`);
}

function partTest(compilation: Compilation, leaf: PartLeaf, row: Fragment, place: number): Fragment {
  const { names } = compilation;
  const [value, high, unit, system] = ['value', 'high', 'unit', 'system'].map(
    (name) => sql`${row}.${word(`${name}${place}`)}`,
  ) as [Fragment, Fragment, Fragment, Fragment];
  const inSystem = (asked: string | undefined): Fragment =>
    asked === undefined ? yes : sql`${system} = ${names.find('system', asked)}`;
  const isOf = (kind: keyof typeof kindMarks): Fragment => sql`${unit} = ${kindMarks[kind]}`;
  switch (leaf.kind) {
    case 'token': {
      const isCode = leaf.code === undefined ? yes : sql`${value} = ${codeKey(leaf.code)}`;
      return sql`${isCode} AND ${isOf('token')} AND ${inSystem(leaf.system)}`;
    }
    case 'reference':
      return sql`${value} = ${names.findTarget(leaf.target)} AND ${isOf('reference')}`;
    case 'uri':
      return sql`${comparedUri(value, leaf)} AND ${isOf('uri')}`;
    case 'string':
      return sql`${comparedString(value, high, leaf)} AND ${isOf('string')}`;
    case 'date':
    case 'number':
      return sql`${comparedRange(value, high, leaf, Infinity)} AND ${isOf(leaf.kind)}`;
    case 'quantity': {
      const inUnit =
        leaf.unit === undefined ? sql`${unit} >= 0` : sql`${unit} = ${names.find('unit', leaf.unit)}`;
      return sql`${comparedRange(value, high, leaf, Infinity)} AND ${inUnit} AND ${inSystem(leaf.system)}`;
    }
  }
}
