// A page of a search that asks for no order. The store's own is that of rids; but where the rows that lead the search lie in the order of
// their values (dates, names, quantities), the page is walked in that order, and its place says so, so that the next pages follow.
import type { Condition } from '../../search/plan.ts';
import type { ConditionCompiler } from './compile-condition.ts';
import { expectedAfter, expectedRows } from './expected-rows.ts';
import {
  findAmong,
  findInStoreOrder,
  walkPage,
  walkResources,
  type Found,
  type Match,
  type Search,
} from './find-page.ts';
import { leastGathered, mostGathered } from './gather-limit.ts';
import { wrongPlace } from './page-place.ts';
import { conditionWalk, walkedOf, type WalkedCondition } from './walks.ts';

export function findInAnyOrder(search: Search): readonly Match[] {
  const { compiler, type, where, place } = search;
  const parts = compiler.partsOf(where);
  const walked = parts.map(walkedOf).filter((one) => one !== undefined);
  if (place !== undefined && place.keys.length > 0) return walkFromPlace(search, walked);
  const [only] = walked;
  if (place === undefined && only !== undefined && parts.length === 1) {
    return walkConditionally(search, only).matches;
  }
  if (compiler.isFewerThan(parts, type, leastGathered)) {
    // Where it was counted that there are none, nobody needs to look again.
    return compiler.isFewerThan(parts, type, 1) ? [] : fromSmallest(search);
  }
  const ordered = parts.filter((part) => compiler.isOrdered(part, type));
  if (ordered.length > 0) return ledInStoreOrder(search, parts, ordered);
  if (place === undefined && walked.length > 0) return walkSmallest(search, parts, walked);
  return compiler.isFewerThan(parts, type, compiler.limitOf(type))
    ? fromSmallest(search)
    : walkResources(search);
}

const fromSmallest = (search: Search): readonly Match[] =>
  findInStoreOrder(search, search.compiler.source(search.where, search.type)).matches;

/** An index that leads the search in the order of rids is as good as the resources themselves, and shorter. */
function ledInStoreOrder(
  search: Search,
  parts: readonly Condition[],
  ordered: readonly Condition[],
): readonly Match[] {
  const { compiler, type, limit } = search;
  const leading = compiler.smallest(ordered, type, mostGathered).part;
  if (leading === undefined) return fromSmallest(search);
  const choices = leading.op === 'or' ? leading.of : [leading];
  const tests = parts.filter((part) => part !== leading);
  const sources = choices.map((choice) => compiler.ledBy(choice, [choice, ...tests], type));
  const others = ordered.filter((part) => part !== leading);
  const tried = Math.max(leastGathered, 2 * expectedRows(compiler, others, type, limit * choices.length));
  const found = findAmong(search, sources, tried);
  if (found.isAll) return found.matches;
  return (
    betterThan(search, parts, leading, expectedAfter(tried, found.matches.length, limit)) ??
    findAmong(search, sources).matches
  );
}

/** Led by values that lie in order, few of which may be enough. */
function walkSmallest(
  search: Search,
  parts: readonly Condition[],
  walked: readonly WalkedCondition[],
): readonly Match[] {
  const { compiler, type, limit } = search;
  const tried = 4 * leastGathered;
  const leading = walked.length === 1 ? walked[0] : smallestOf(compiler, walked, type, tried);
  if (leading === undefined) return fromSmallest(search);
  const found = walkConditionally(search, leading, tried);
  if (found.isAll) return found.matches;
  const further = expectedAfter(tried, found.matches.length, limit);
  return betterThan(search, parts, leading.condition, further) ?? walkConditionally(search, leading).matches;
}

function smallestOf(
  compiler: ConditionCompiler,
  walked: readonly WalkedCondition[],
  type: string,
  limit: number,
): WalkedCondition | undefined {
  const conditions = walked.map(({ condition }) => condition);
  const { part } = compiler.smallest(conditions, type, limit);
  return walked.find(({ condition }) => condition === part);
}

/** The page by way of another part than the leading one, where that has fewer rows than are expected to be looked at. */
function betterThan(
  search: Search,
  parts: readonly Condition[],
  leading: Condition,
  expected: number,
): readonly Match[] | undefined {
  const { compiler, type, place } = search;
  const most = Math.min(expected, mostGathered);
  const { part, rows } = compiler.smallest(parts, type, most);
  if (part === undefined || part === leading || rows >= most) return undefined;
  const walked = place === undefined ? walkedOf(part) : undefined;
  if (walked !== undefined) return walkConditionally(search, walked).matches;
  return findInStoreOrder(search, compiler.ledBy(part, parts, type)).matches;
}

function walkFromPlace(search: Search, walked: readonly WalkedCondition[]): readonly Match[] {
  const [name, value = null] = search.place?.keys ?? [];
  const condition = walked.find((one) => one.name === name);
  if (search.place === undefined || condition === undefined) throw wrongPlace();
  return walkConditionally({ ...search, place: { keys: [value], rid: search.place.rid } }, condition).matches;
}

/** Its places tell the condition and the value. */
function walkConditionally(search: Search, walked: WalkedCondition, tried = Infinity): Found {
  const walk = conditionWalk(search.compiler, walked, search.type);
  const found = walkPage(search, walk, [{ descending: false }], tried);
  const matches = found.matches.map(({ rid, keys }) => ({ rid, keys: [walked.name, ...keys] }));
  return { ...found, matches };
}
