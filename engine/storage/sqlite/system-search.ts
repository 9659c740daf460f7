// A search over several types: each type gives its newest matches, the newest of those are the page.
import type { Plan, SystemPlan } from '../../search/plan.ts';
import { countMatches, findMatches, type Match } from './compile-plan.ts';
import type { Names } from './names.ts';

interface TypedMatch extends Match {
  readonly type: string;
}

/** The first `limit` matches of all parts after the plan's place, newest first. */
export function newestMatches(names: Names, plan: SystemPlan, limit: number): readonly TypedMatch[] {
  const found = plan.parts.flatMap((part) =>
    findMatches(names, partPlan(plan, part), limit).map((match) => ({ ...match, type: part.type })),
  );
  found.sort((a, b) => Number(b.keys[0]) - Number(a.keys[0]) || b.rid - a.rid);
  return found.slice(0, limit);
}

export const countOfTypes = (names: Names, plan: SystemPlan): number =>
  plan.parts.reduce((sum, part) => sum + countMatches(names, partPlan(plan, part)), 0);

const partPlan = ({ count, after }: SystemPlan, { type, where }: SystemPlan['parts'][number]): Plan => ({
  type,
  where,
  order: [{ by: { kind: 'lastUpdated' }, descending: true }],
  count,
  after,
  total: 'none',
});
