// A search plan as SQL. Two ways to a page: *gather* the matches from the smallest index segment and sort them, or *walk* an index that lies
// in order and test each row until the page is full. Which is chosen by counting, and by trying a little.
import type { Plan } from '../../search/plan.ts';
import { ConditionCompiler } from './compile-condition.ts';
import { isGathered } from './compile-order.ts';
import { gather, walkKeyOrder, type Found, type Match, type Search } from './find-page.ts';
import { gatherLimitOf, leastGathered } from './gather-limit.ts';
import type { Names } from './names.ts';
import { readPlace } from './page-place.ts';
import { findInAnyOrder } from './unsorted.ts';
import { expectedAfter, expectedRows } from './expected-rows.ts';
import { keyWalk } from './walks.ts';

export type { Match };

export type FoundPlan = Pick<Plan, 'type' | 'where' | 'order' | 'after' | 'before'>;

/** The `limit` matches of the plan that are next to its place, read away from it: before a `before`, backwards. */
export function findMatches(names: Names, plan: FoundPlan, limit: number): readonly Match[] {
  const { type, where, order } = plan;
  const place = plan.before ?? plan.after;
  const search: Search = {
    compiler: new ConditionCompiler(names, gatherLimitOf(names, limit)).searching(where, type),
    type,
    where,
    order,
    place: place === undefined ? undefined : readPlace(place, order.length === 0 ? [0, 2] : [order.length]),
    way: plan.before === undefined ? 'forwards' : 'backwards',
    limit,
  };
  return order.length === 0 ? findInAnyOrder(search) : findSorted(search);
}

/** What the walk meets of itself is no reason to gather: the walk looks at no more rows of it. */
function findSorted(search: Search): readonly Match[] {
  const { compiler, type, where, order, limit } = search;
  const [key] = order;
  const parts = compiler.partsOf(where);
  const walk = key && !order.some(isGathered) ? keyWalk(compiler, key, type, parts) : undefined;
  if (key === undefined || walk === undefined) return gather(search);
  const tested = parts.filter((part) => !walk.met.includes(part));
  const walkAll = (rows: number): Found => walkKeyOrder(search, key, walk, rows);
  if (tested.length === 0) return walkAll(Infinity).matches;
  const isFewer = (rows: number): boolean => compiler.isFewerThan(tested, type, rows);
  if (isFewer(leastGathered)) return gather(search);
  const expected = expectedRows(compiler, tested, type, limit);
  if (isFewer(expected)) return gather(search);
  const tried = Math.max(leastGathered, 2 * expected);
  const found = walkAll(tried);
  if (found.isAll) return found.matches;
  const further = expectedAfter(tried, found.matches.length, limit);
  return isFewer(further) ? gather(search) : walkAll(Infinity).matches;
}
