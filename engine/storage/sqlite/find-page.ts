// The matches of a page as SQL: gathered from where they come from and sorted, or walked in the order of an index.
import type { Condition, SortKey } from '../../search/plan.ts';
import type { Source } from './compilation.ts';
import type { ConditionCompiler } from './compile-condition.ts';
import {
  direction,
  isAfter,
  isBeyond,
  keyValue,
  lacksKey,
  orderBy,
  tiesDescend,
  type KeyValue,
  type Order,
  type Way,
} from './compile-order.ts';
import { inTime, listed, sql, word, yes, type Fragment } from './fragment.ts';
import type { RidSpan } from './names.ts';
import type { Place, SortValue } from './page-place.ts';
import type { Walk } from './walks.ts';

/** One match: its rid and its sort values. */
export interface Match {
  readonly rid: number;
  readonly keys: readonly SortValue[];
}

export interface Search {
  readonly compiler: ConditionCompiler;
  readonly type: string;
  readonly where: Condition;
  readonly order: readonly SortKey[];
  readonly place: Place | undefined;
  readonly way: Way;
  readonly limit: number;
}

/** Where not `isAll`, those that came first until as many rows were looked at as were to be tried. */
export interface Found {
  readonly matches: readonly Match[];
  readonly isAll: boolean;
}

export function gather(search: Search): readonly Match[] {
  const { compiler, type, where, order, place, way, limit } = search;
  const source = compiler.source(where, type);
  const row = word('m');
  const keys = order.map((key) => keyValue(compiler, key, sql`${row}.rid`));
  const keyed = sql`SELECT ${row}.rid AS rid, ${columnsOf(keys)} FROM (${manyRids(ridsOf(source))}) AS ${row} ${joinsOf(keys)}`;
  const after = place === undefined ? yes : isAfter(order, place, way);
  return found(
    search,
    order,
    sql`SELECT * FROM (${keyed}) WHERE ${after} ORDER BY ${orderBy(order, way)} LIMIT ${limit}`,
  ).matches;
}

const ridsOf = (source: Source, also: Fragment = yes): Fragment =>
  sql`SELECT ${source.once ? word('') : word('DISTINCT')} ${source.rid} AS rid FROM ${source.from} WHERE ${source.where} AND ${also}`;

/** SQLite takes a compound for many rows. It would take an index lead for a few, and go through all that is joined for each of them. */
const manyRids = (rids: Fragment): Fragment => sql`SELECT rid FROM (${rids}) UNION ALL SELECT 0 WHERE 0`;

const columnsOf = (keys: readonly KeyValue[], first = 0): Fragment =>
  listed(
    keys.map(({ value }, index) => sql`${value} AS ${word(`k${first + index}`)}`),
    ', ',
  );
const joinsOf = (keys: readonly KeyValue[]): Fragment =>
  listed(
    keys.map(({ join }) => join),
    ' ',
  );

/** In the order of rids. At most `tried` rows are looked at, where the source has this order itself. */
export function findInStoreOrder(search: Search, source: Source, tried = Infinity): Found {
  return found(search, [], pageInStoreOrder(search, source), tried);
}

/** The same from several sources: as many from each as the page may need of it. */
export function findAmong(search: Search, sources: readonly Source[], tried = Infinity): Found {
  const [only, second] = sources;
  if (only !== undefined && second === undefined) return findInStoreOrder(search, only, tried);
  const pages = sources.map((source) => sql`SELECT rid FROM (${pageInStoreOrder(search, source)})`);
  const way = direction(false, search.way);
  const query = sql`SELECT DISTINCT rid FROM (${listed(pages, ' UNION ALL ')}) ORDER BY rid ${way} LIMIT ${search.limit}`;
  return found(search, [], query, tried);
}

function pageInStoreOrder({ place, way, limit }: Search, source: Source): Fragment {
  const after = place === undefined ? yes : isBeyond(source.rid, place.rid, false, way);
  return sql`${ridsOf(source, after)} ORDER BY ${source.rid} ${direction(false, way)} LIMIT ${limit}`;
}

/** Tests all resources of the type in the order of rids. */
export function walkResources(search: Search): readonly Match[] {
  const { compiler, type, where, place, way, limit } = search;
  const { low, high } = spanLeft(search);
  const test = compiler.test(where, type, word('m.rid'));
  const after = place === undefined ? yes : sql`m.rid <> ${place.rid}`;
  return found(
    search,
    [],
    sql`SELECT m.rid AS rid FROM resource AS m WHERE m.rid BETWEEN ${low} AND ${high} AND ${after} AND m.live = 1
      AND ${inTime} AND ${test} ORDER BY m.rid ${direction(false, way)} LIMIT ${limit}`,
  ).matches;
}

/** From the place on, the place itself included. */
function spanLeft({ compiler, type, place, way }: Search): RidSpan {
  const { low, high } = compiler.span(type);
  if (place === undefined) return { low, high };
  return way === 'forwards'
    ? { low: Math.max(low, place.rid), high }
    : { low, high: Math.min(high, place.rid) };
}

/** Those that have a value to sort by lie in an index in its order; those that have none come after them. */
export function walkKeyOrder(search: Search, key: SortKey, walk: Walk, tried = Infinity): Found {
  const { place, way, limit } = search;
  const withKey = (count: number): Found => walkPage({ ...search, limit: count }, walk, search.order, tried);
  if (!walk.partial) return withKey(limit);
  const withoutKey = (count: number): Found => ({
    matches: gatherWithoutKey(search, key, count),
    isAll: true,
  });
  const parts = way === 'forwards' ? [withKey, withoutKey] : [withoutKey, withKey];
  // The place lies in one of the two parts; the part before that one is done with.
  const inSecond = place !== undefined && (place.keys[0] === null) === (way === 'forwards');
  const matches: Match[] = [];
  for (const part of inSecond ? parts.slice(1) : parts) {
    if (matches.length === limit) break;
    const one = part(limit - matches.length);
    matches.push(...one.matches);
    if (!one.isAll) return { matches, isAll: false };
  }
  return { matches, isAll: true };
}

/** SQLite takes the first key's order from the index, and sorts only what is equal in it by the other keys. */
export function walkPage(search: Search, walk: Walk, order: Order, tried = Infinity): Found {
  const { compiler, type, where, place, way, limit } = search;
  const others = search.order.slice(1).map((other) => keyValue(compiler, other, walk.rid));
  const tested = compiler.partsOf(where).filter((part) => !walk.met.includes(part));
  const test = compiler.testAll(tested, type, walk.rid);
  const after =
    place === undefined || place.keys[0] === null ? yes : afterWalked(order, place, way, walk, others);
  const otherColumns = others.length === 0 ? word('') : sql`${columnsOf(others, 1)},`;
  const descends = direction(order[0]?.descending === true, way);
  return found(
    search,
    order,
    sql`SELECT DISTINCT ${walk.key} AS k0, ${otherColumns} ${walk.rid} AS rid FROM ${walk.from} ${joinsOf(others)}
      WHERE ${walk.where} AND ${after} AND ${inTime} AND ${test} AND ${walk.best}
      ORDER BY ${walk.key} ${descends}, ${walkTies(order, walk, way)} LIMIT ${limit}`,
    tried,
  );
}

const walkTies = (order: Order, walk: Walk, way: Way): Fragment =>
  order.length === 1 ? sql`${walk.rid} ${direction(tiesDescend(order), way)}` : orderBy(order, way, 1);

/** A bound that the index can be entered at, and the exact place. */
function afterWalked(
  order: Order,
  place: Place,
  way: Way,
  walk: Walk,
  others: readonly KeyValue[],
): Fragment {
  const value = place.keys[0] ?? null;
  const columns = [walk.key, ...others.map((other) => other.value)];
  const beyond = isBeyond(walk.key, value, order[0]?.descending === true, way);
  return sql`(${walk.key} = ${value} OR ${beyond}) AND ${isAfter(order, place, way, columns, walk.rid)}`;
}

/** The matches that have no value to sort by. */
function gatherWithoutKey(search: Search, key: SortKey, limit: number): readonly Match[] {
  const { compiler, type, where, order, place, way } = search;
  const source = compiler.source(where, type);
  const row = word('m');
  const keys = order.slice(1).map((other) => keyValue(compiler, other, sql`${row}.rid`));
  const columns = keys.length === 0 ? word('') : sql`, ${columnsOf(keys, 1)}`;
  const lacking = ridsOf(source, lacksKey(compiler, key, source.rid));
  const after = place?.keys[0] === null ? isAfter(order, place, way) : yes;
  return found(
    search,
    order,
    sql`SELECT * FROM (SELECT ${row}.rid AS rid, NULL AS k0 ${columns} FROM (${manyRids(lacking)}) AS ${row} ${joinsOf(keys)})
      WHERE ${after} ORDER BY ${orderBy(order, way, 1)} LIMIT ${limit}`,
  ).matches;
}

interface MatchRow {
  readonly rid: number;
  readonly [key: `k${number}`]: SortValue;
}

function found(search: Search, order: Order, query: Fragment, tried = Infinity): Found {
  const { connection } = search.compiler.names;
  const { rows, isAll } =
    tried === Infinity
      ? { rows: connection.rows<MatchRow>(query.text, ...query.values), isAll: true }
      : connection.rowsWithin<MatchRow>(tried, query.text, ...query.values);
  const matches = rows.map((row) => ({
    rid: row.rid,
    keys: order.map((_key, index) => row[`k${index}`] ?? null),
  }));
  return { matches, isAll };
}
