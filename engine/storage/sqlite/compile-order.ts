// Sort keys as SQL: the value by which one resource sorts, and how orders and places in them compare.
// A resource with several values sorts by its least one ascending, by its greatest descending; ranges sort by where they begin.
import type { SortKey } from '../../search/plan.ts';
import type { Compilation } from './compilation.ts';
import { rowsByValue, type ValueTable } from './few-values.ts';
import { inTime, joined, no, sql, word, yes, type Fragment } from './fragment.ts';
import { kinds } from './names.ts';
import type { Place, SortValue } from './page-place.ts';

export interface KeyTable {
  readonly table: string;
  readonly column: string;
  /** Finds a rid's values; undefined where they must be gathered from all rows of the parameter. */
  readonly byRid: string | undefined;
  /** The rows of a parameter lie in the order of the column, where this holds of them. */
  readonly walked: Fragment | undefined;
  /** `ParameterFact.repeats` speaks of these rows. */
  readonly counted: boolean;
}

const range: KeyTable = {
  table: 'range_index',
  column: 'low',
  byRid: 'range_by_rid',
  walked: word('unit = 0'),
  counted: true,
};
type EntryKind = Exclude<SortKey['by']['kind'], 'lastUpdated' | 'id'>;
export const keyTables: Readonly<Record<EntryKind, KeyTable>> = {
  date: range,
  number: range,
  // Its values lie by unit.
  quantity: { ...range, walked: undefined },
  string: { table: 'string_index', column: 'folded', byRid: 'string_by_rid', walked: yes, counted: true },
  token: { table: 'token_index', column: 'code', byRid: undefined, walked: undefined, counted: false },
  // By what is written in it, which its row has by number.
  reference: {
    table: 'reference_index',
    column: 'target',
    byRid: 'reference_by_rid',
    walked: undefined,
    counted: false,
  },
  uri: { table: 'uri_index', column: 'value', byRid: undefined, walked: undefined, counted: false },
};
export const resourceColumns = { lastUpdated: 'updated', id: 'id' } as const;

/** Whether all values of the key must be gathered before one is known. */
export const isGathered = ({ by }: SortKey): boolean =>
  'parameter' in by && keyTables[by.kind].byRid === undefined;

const extreme = (key: SortKey): Fragment => word(key.descending ? 'max' : 'min');

/** Of each key, whether its values run downwards. */
export type Order = readonly Pick<SortKey, 'descending'>[];

/** Where a page lies: behind the place in the asked order, or, read backwards from it, before. */
export type Way = 'forwards' | 'backwards';

/** Whether values run downwards when an order is read this way. */
const isDown = (descending: boolean, way: Way): boolean => descending !== (way === 'backwards');
export const direction = (descending: boolean, way: Way): Fragment =>
  word(isDown(descending, way) ? 'DESC' : 'ASC');
/** Ties go the way of the first key, as the indexes run. */
export const tiesDescend = (order: Order): boolean => order[0]?.descending === true;

/** Whether a value comes after another when they are read this way. */
export function isBeyond(column: Fragment, value: SortValue, descending: boolean, way: Way): Fragment {
  return isDown(descending, way) ? sql`${column} < ${value}` : sql`${column} > ${value}`;
}

/** Where the values of a sort key come from for rows with a `rid`: a join, and the value. */
export interface KeyValue {
  readonly join: Fragment;
  readonly value: Fragment;
}

export function keyValue(compilation: Compilation, key: SortKey, rid: Fragment): KeyValue {
  const row = compilation.alias();
  if (!('parameter' in key.by)) {
    const value = sql`(SELECT ${row}.${word(resourceColumns[key.by.kind])} FROM resource AS ${row} WHERE ${row}.rid = ${rid})`;
    return { join: word(''), value };
  }
  const { table, column, byRid } = keyTables[key.by.kind];
  const parameter = compilation.names.find('parameter', key.by.parameter);
  const best = sql`${extreme(key)}(${row}.${word(column)})`;
  if (key.by.kind === 'reference') {
    return { join: word(''), value: referenceText(compilation, key, parameter, rid) };
  }
  if (byRid !== undefined) {
    const rows = sql`${word(table)} AS ${row} INDEXED BY ${word(byRid)}`;
    const value = sql`(SELECT ${best} FROM ${rows} WHERE ${row}.rid = ${rid} AND ${row}.parameter = ${parameter})`;
    return { join: word(''), value };
  }
  const values = probedValues(compilation, key, parameter);
  if (values !== undefined) {
    const rows = rowsByValue(row, { ...values, parameter, rid });
    return { join: word(''), value: sql`(SELECT ${best} FROM ${rows})` };
  }
  const all = compilation.alias();
  return {
    join: sql`LEFT JOIN (SELECT ${row}.rid AS rid, ${best} AS value FROM ${word(table)} AS ${row}
      WHERE ${row}.parameter = ${parameter} AND ${inTime} GROUP BY ${row}.rid) AS ${all} ON ${all}.rid = ${rid}`,
    value: sql`${all}.value`,
  };
}

function probedValues(
  compilation: Compilation,
  { by }: SortKey,
  parameter: number,
): { readonly table: ValueTable; readonly values: readonly string[] } | undefined {
  if (by.kind !== 'token' && by.kind !== 'uri') return undefined;
  const table = by.kind === 'token' ? 'token_index' : 'uri_index';
  const values = compilation.valuesToProbe(table, parameter);
  return values && { table, values };
}

function referenceText(compilation: Compilation, key: SortKey, parameter: number, rid: Fragment): Fragment {
  const [row, target, type] = [compilation.alias(), compilation.alias(), compilation.alias()];
  const text = sql`CASE ${target}.type WHEN 0 THEN ${target}.id ELSE ${type}.text || '/' || ${target}.id END`;
  return sql`(SELECT ${extreme(key)}(${text}) FROM reference_index AS ${row} INDEXED BY reference_by_rid
    JOIN resource AS ${target} ON ${target}.rid = ${row}.target
    LEFT JOIN name AS ${type} ON ${type}.kind = ${kinds.type} AND ${type}.number = ${target}.type
    WHERE ${row}.rid = ${rid} AND ${row}.parameter = ${parameter})`;
}

/** Whether a match with no value for the key is one of those that come after the walk. */
export function lacksKey(compilation: Compilation, key: SortKey, rid: Fragment): Fragment {
  return sql`${keyValue(compilation, key, rid).value} IS NULL`;
}

/** `ORDER BY` of columns k0, k1 … and rid; missing values last. */
export function orderBy(order: Order, way: Way, from = 0): Fragment {
  const missing = way === 'forwards' ? 'ASC' : 'DESC';
  const keys = order.flatMap((key, index) =>
    index < from ? [] : [`k${index} IS NULL ${missing}`, `k${index} ${direction(key.descending, way).text}`],
  );
  return word([...keys, `rid ${direction(tiesDescend(order), way).text}`].join(', '));
}

/** Whether a row with these columns comes after the place when the order is read this way. */
export function isAfter(
  order: Order,
  place: Place,
  way: Way,
  columns: readonly Fragment[] = order.map((_key, index) => word(`k${index}`)),
  rid: Fragment = word('rid'),
): Fragment {
  const tie = isBeyond(rid, place.rid, tiesDescend(order), way);
  return order.reduceRight((rest, key, index) => {
    const column = columns[index] ?? yes;
    const value = place.keys[index] ?? null;
    return sql`(${isKeyAfter(key, column, value, way)} OR (${column} IS ${value} AND ${rest}))`;
  }, tie);
}

/** Missing values are the last forwards, the first backwards. */
function isKeyAfter(key: Order[number], column: Fragment, value: SortValue, way: Way): Fragment {
  if (way === 'backwards') {
    return value === null ? sql`${column} IS NOT NULL` : isBeyond(column, value, key.descending, way);
  }
  if (value === null) return no;
  return joined([isBeyond(column, value, key.descending, way), sql`${column} IS NULL`], 'OR');
}
