// A search plan as SQL. Two ways to a page, chosen by counting first: *gather* the matches from the smallest index segment and sort
// them, or, when there are many, *walk* the index that lies in the asked order and test each until the page is full.
import type { Condition, Plan, SortKey } from '../../search/plan.ts';
import type { Source } from './compilation.ts';
import { ConditionCompiler } from './compile-condition.ts';
import {
  direction,
  isAfter,
  isBeyond,
  keyValue,
  lacksKey,
  orderBy,
  tiesDescend,
  walkOf,
  type KeyValue,
  type Walk,
  type Way,
} from './compile-order.ts';
import { inTime, listed, sql, word, yes, type Fragment } from './fragment.ts';
import { gatherLimitOf } from './gather-limit.ts';
import type { Names } from './names.ts';
import { readPlace, type Place, type SortValue } from './page-place.ts';

/** One match: its rid and its sort values k0, k1 … */
export interface Match {
  readonly rid: number;
  readonly keys: readonly SortValue[];
}

interface MatchRow {
  readonly rid: number;
  readonly [key: `k${number}`]: SortValue;
}

export type FoundPlan = Pick<Plan, 'type' | 'where' | 'order' | 'after' | 'before'>;

/** The `limit` matches of the plan that are next to its place, read away from it: before a `before`, backwards. */
export function findMatches(names: Names, plan: FoundPlan, limit: number): readonly Match[] {
  const compiler = new ConditionCompiler(names, gatherLimitOf(names, limit));
  const place = plan.before ?? plan.after;
  const search: Search = {
    plan,
    compiler,
    limit,
    place: place === undefined ? undefined : readPlace(place, plan.order.length),
    way: plan.before === undefined ? 'forwards' : 'backwards',
  };
  const isFew = compiler.estimate(plan.where, plan.type) < compiler.limitOf(plan.type);
  if (isFew) return gather(search);
  return plan.order.length === 0 ? walkStoreOrder(search) : walkKeyOrder(search);
}

interface Search {
  readonly plan: FoundPlan;
  readonly place: Place | undefined;
  readonly way: Way;
  readonly limit: number;
  readonly compiler: ConditionCompiler;
}

function gather(search: Search): readonly Match[] {
  const { compiler, plan, place, way, limit } = search;
  const source = compiler.source(plan.where, plan.type);
  if (plan.order.length === 0) return gatherInStoreOrder(search, source);
  const row = word('m');
  const keys = plan.order.map((key) => keyValue(compiler, key, sql`${row}.rid`));
  const found = sql`SELECT DISTINCT ${source.rid} AS rid FROM ${source.from} WHERE ${source.where}`;
  const keyed = sql`SELECT ${row}.rid AS rid, ${columnsOf(keys)} FROM (${found}) AS ${row} ${joinsOf(keys)}`;
  const after = place === undefined ? yes : isAfter(plan.order, place, way);
  return matches(
    search,
    sql`SELECT * FROM (${keyed}) WHERE ${after} ORDER BY ${orderBy(plan.order, way)} LIMIT ${limit}`,
  );
}

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

function gatherInStoreOrder(search: Search, source: Source): readonly Match[] {
  const { place, way, limit } = search;
  const after = place === undefined ? yes : isBeyond(source.rid, place.rid, false, way);
  return matches(
    search,
    sql`SELECT DISTINCT ${source.rid} AS rid FROM ${source.from} WHERE ${source.where} AND ${after}
      ORDER BY ${source.rid} ${direction(false, way)} LIMIT ${limit}`,
  );
}

/** An index that leads the condition in the order of rids is as good as the resources themselves, and shorter. */
function walkStoreOrder(search: Search): readonly Match[] {
  const { compiler, plan, place, way, limit } = search;
  const source = orderedSource(compiler, plan.where, plan.type);
  if (source !== undefined) return gatherInStoreOrder(search, source);
  const { low, high } = compiler.span(plan.type);
  const test = compiler.test(plan.where, plan.type, word('m.rid'));
  const after = place === undefined ? yes : isBeyond(word('m.rid'), place.rid, false, way);
  return matches(
    search,
    sql`SELECT m.rid AS rid FROM resource AS m WHERE m.rid BETWEEN ${low} AND ${high} AND ${after} AND m.live = 1
      AND ${inTime} AND ${test} ORDER BY m.rid ${direction(false, way)} LIMIT ${limit}`,
  );
}

function orderedSource(compiler: ConditionCompiler, where: Condition, type: string): Source | undefined {
  if (where.op !== 'leaf' && where.op !== 'and') return undefined;
  const source = compiler.source(where, type);
  return source.ordered ? source : undefined;
}

/** Those that have a value to sort by lie in an index in its order; those that have none come after them. */
function walkKeyOrder(search: Search): readonly Match[] {
  const { plan, place, way, limit, compiler } = search;
  const [key] = plan.order;
  const walk = key && walkOf(compiler, key, plan.type);
  if (key === undefined || walk === undefined) return gather(search);
  const withKey = (count: number): readonly Match[] => walkPage(search, key, walk, count);
  if (!walk.partial) return withKey(limit);
  const withoutKey = (count: number): readonly Match[] => gatherWithoutKey(search, key, count);
  const parts = way === 'forwards' ? [withKey, withoutKey] : [withoutKey, withKey];
  // The place lies in one of the two parts; the part before that one is done with.
  const inSecond = place !== undefined && (place.keys[0] === null) === (way === 'forwards');
  const found: Match[] = [];
  for (const part of inSecond ? parts.slice(1) : parts) {
    if (found.length < limit) found.push(...part(limit - found.length));
  }
  return found;
}

/** SQLite takes the first key's order from the index, and sorts only what is equal in it by the other keys. */
function walkPage(search: Search, key: SortKey, walk: Walk, limit: number): readonly Match[] {
  const { compiler, plan, place, way } = search;
  const others = plan.order.slice(1).map((other) => keyValue(compiler, other, walk.rid));
  const test = compiler.test(plan.where, plan.type, walk.rid);
  const after =
    place === undefined || place.keys[0] === null ? yes : afterWalked(search, key, place, walk, others);
  const otherColumns = others.length === 0 ? word('') : sql`${columnsOf(others, 1)},`;
  return matches(
    search,
    sql`SELECT DISTINCT ${walk.key} AS k0, ${otherColumns} ${walk.rid} AS rid FROM ${walk.from} ${joinsOf(others)}
      WHERE ${walk.where} AND ${after} AND ${inTime} AND ${test} AND ${walk.best}
      ORDER BY ${walk.key} ${direction(key.descending, way)}, ${walkTies(search, walk)} LIMIT ${limit}`,
  );
}

const walkTies = ({ plan, way }: Search, walk: Walk): Fragment =>
  plan.order.length === 1
    ? sql`${walk.rid} ${direction(tiesDescend(plan.order), way)}`
    : orderBy(plan.order, way, 1);

/** A bound that the index can be entered at, and the exact place. */
function afterWalked(
  { plan, way }: Search,
  key: SortKey,
  place: Place,
  walk: Walk,
  others: readonly KeyValue[],
): Fragment {
  const value = place.keys[0] ?? null;
  const columns = [walk.key, ...others.map((other) => other.value)];
  const entry = sql`(${walk.key} = ${value} OR ${isBeyond(walk.key, value, key.descending, way)})`;
  return sql`${entry} AND ${isAfter(plan.order, place, way, columns, walk.rid)}`;
}

/** The matches that have no value to sort by. */
function gatherWithoutKey(search: Search, key: SortKey, limit: number): readonly Match[] {
  const { compiler, plan, place, way } = search;
  const source = compiler.source(plan.where, plan.type);
  const row = word('m');
  const keys = plan.order.slice(1).map((other) => keyValue(compiler, other, sql`${row}.rid`));
  const columns = keys.length === 0 ? word('') : sql`, ${columnsOf(keys, 1)}`;
  const found = sql`SELECT DISTINCT ${source.rid} AS rid FROM ${source.from}
    WHERE ${source.where} AND ${lacksKey(compiler, key, source.rid)}`;
  const after = place?.keys[0] === null ? isAfter(plan.order, place, way) : yes;
  return matches(
    search,
    sql`SELECT * FROM (SELECT ${row}.rid AS rid, NULL AS k0 ${columns} FROM (${found}) AS ${row} ${joinsOf(keys)})
      WHERE ${after} ORDER BY ${orderBy(plan.order, way, 1)} LIMIT ${limit}`,
  );
}

function matches(search: Search, query: Fragment): readonly Match[] {
  const rows = search.compiler.names.connection.rows<MatchRow>(query.text, ...query.values);
  return rows.map((row) => ({
    rid: row.rid,
    keys: search.plan.order.map((_key, index) => row[`k${index}`] ?? null),
  }));
}
