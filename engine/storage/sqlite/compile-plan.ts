// A search plan as SQL. Two ways to a page, chosen by counting first: *gather* the matches from the smallest index segment and sort
// them, or, when there are many, *walk* the index that lies in the asked order and test each until the page is full.
import type { Condition, Plan, SortKey } from '../../search/plan.ts';
import type { Source } from './compilation.ts';
import { ConditionCompiler } from './compile-condition.ts';
import { afterKeys, isAfter, keyValue, lacksKey, orderBy, walkOf, type Walk } from './compile-order.ts';
import { listed, sql, word, yes, type Fragment } from './fragment.ts';
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

const leastGathered = 400;
const mostGathered = 20_000;

/** The first `limit` matches of the plan after its place, in order. */
export function findMatches(names: Names, plan: Plan, limit: number): readonly Match[] {
  const place = plan.after === undefined ? undefined : readPlace(plan.after, plan.order.length);
  const gatherLimit = gatherLimitOf(names, plan.type, limit);
  const search = { plan, place, limit, compiler: new ConditionCompiler(names, gatherLimit) };
  const isFew = search.compiler.estimate(plan.where, plan.type) < gatherLimit;
  if (isFew) return gather(search);
  return plan.order.length === 0 ? walkStoreOrder(search) : walkKeyOrder(search);
}

export function countMatches(names: Names, plan: Plan): number {
  const compiler = new ConditionCompiler(names, gatherLimitOf(names, plan.type, plan.count));
  const source = compiler.source(plan.where, plan.type);
  const query = sql`SELECT count(DISTINCT ${source.rid}) AS total FROM ${source.from} WHERE ${source.where}`;
  return names.connection.row<{ total: number }>(query.text, ...query.values)?.total ?? 0;
}

interface Search {
  readonly plan: Plan;
  readonly place: Place | undefined;
  readonly limit: number;
  readonly compiler: ConditionCompiler;
}

/**
 * With n matches among N resources a walk tests about limit * N / n of them, a gathering sorts n: even at the square root of
 * limit * N.
 */
function gatherLimitOf(names: Names, type: string, limit: number): number {
  const resources = names.countedRids(names.find('type', type));
  return Math.min(mostGathered, Math.max(leastGathered, Math.ceil(Math.sqrt((limit + 1) * resources))));
}

function gather(search: Search): readonly Match[] {
  const { compiler, plan, place, limit } = search;
  const source = compiler.source(plan.where, plan.type);
  if (plan.order.length === 0) return gatherInStoreOrder(search, source);
  const row = word('m');
  const keys = plan.order.map((key) => keyValue(compiler, key, sql`${row}.rid`));
  const columns = keys.map(({ value }, index) => sql`${value} AS ${word(`k${index}`)}`);
  const joins = listed(
    keys.map(({ join }) => join),
    ' ',
  );
  const found = sql`SELECT DISTINCT ${source.rid} AS rid FROM ${source.from} WHERE ${source.where}`;
  const keyed = sql`SELECT ${row}.rid AS rid, ${listed(columns, ', ')} FROM (${found}) AS ${row} ${joins}`;
  const after = place === undefined ? yes : isAfter(plan.order, place);
  return matches(
    search,
    sql`SELECT * FROM (${keyed}) WHERE ${after} ORDER BY ${orderBy(plan.order)} LIMIT ${limit}`,
  );
}

function gatherInStoreOrder(search: Search, source: Source): readonly Match[] {
  const { place, limit } = search;
  const after = place === undefined ? yes : sql`${source.rid} > ${place.rid}`;
  return matches(
    search,
    sql`SELECT DISTINCT ${source.rid} AS rid FROM ${source.from} WHERE ${source.where} AND ${after}
      ORDER BY ${source.rid} LIMIT ${limit}`,
  );
}

/** An index that leads the condition in the order of rids is as good as the resources themselves, and shorter. */
function walkStoreOrder(search: Search): readonly Match[] {
  const { compiler, plan, place, limit } = search;
  const source = orderedSource(compiler, plan.where, plan.type);
  if (source !== undefined) return gatherInStoreOrder(search, source);
  const { low, high } = compiler.span(plan.type);
  const test = compiler.test(plan.where, plan.type, word('m.rid'));
  const after = place === undefined ? low - 1 : place.rid;
  return matches(
    search,
    sql`SELECT m.rid AS rid FROM resource AS m WHERE m.rid > ${after} AND m.rid <= ${high} AND m.live = 1
      AND ${test} ORDER BY m.rid LIMIT ${limit}`,
  );
}

function orderedSource(compiler: ConditionCompiler, where: Condition, type: string): Source | undefined {
  if (where.op !== 'leaf' && where.op !== 'and') return undefined;
  const source = compiler.source(where, type);
  return source.ordered ? source : undefined;
}

function walkKeyOrder(search: Search): readonly Match[] {
  const [key, second] = search.plan.order;
  const walk = key && second === undefined ? walkOf(search.compiler, key, search.plan.type) : undefined;
  if (key === undefined || walk === undefined) return gather(search);
  const walked = search.place?.keys[0] === null ? [] : walkPage(search, key, walk);
  const left = search.limit - walked.length;
  return left === 0 || !walk.partial ? walked : [...walked, ...withoutKey(search, key, left)];
}

function walkPage(search: Search, key: SortKey, walk: Walk): readonly Match[] {
  const { compiler, plan, place, limit } = search;
  const test = compiler.test(plan.where, plan.type, walk.rid);
  const after = place === undefined ? yes : afterWalked(key, place, walk);
  const way = word(key.descending ? 'DESC' : 'ASC');
  return matches(
    search,
    sql`SELECT DISTINCT ${walk.key} AS k0, ${walk.rid} AS rid FROM ${walk.from}
      WHERE ${walk.where} AND ${after} AND ${test} ORDER BY ${walk.key} ${way}, ${walk.rid} ${way} LIMIT ${limit}`,
  );
}

/** A bound that the index can be entered at, and the exact place. */
function afterWalked(key: SortKey, place: Place, walk: Walk): Fragment {
  const value = place.keys[0] ?? null;
  const bound = key.descending ? sql`${walk.key} <= ${value}` : sql`${walk.key} >= ${value}`;
  return sql`${bound} AND ${afterKeys([key], place, [walk.key], walk.rid)}`;
}

/** The matches that have no value to sort by come after all others. */
function withoutKey(search: Search, key: SortKey, limit: number): readonly Match[] {
  const { compiler, plan, place } = search;
  const source = compiler.source(plan.where, plan.type);
  const way = key.descending ? { order: 'DESC', beyond: '<' } : { order: 'ASC', beyond: '>' };
  const after = place?.keys[0] === null ? sql`${source.rid} ${word(way.beyond)} ${place.rid}` : yes;
  return matches(
    search,
    sql`SELECT DISTINCT ${source.rid} AS rid, NULL AS k0 FROM ${source.from} WHERE ${source.where} AND ${after}
      AND ${lacksKey(compiler, key, source.rid)} ORDER BY rid ${word(way.order)} LIMIT ${limit}`,
  );
}

function matches(search: Search, query: Fragment): readonly Match[] {
  const rows = search.compiler.names.connection.rows<MatchRow>(query.text, ...query.values);
  return rows.map((row) => ({
    rid: row.rid,
    keys: search.plan.order.map((_key, index) => row[`k${index}`] ?? null),
  }));
}
