// Up to how many matches a search gathers and sorts them, and beyond which it walks.
import type { Names } from './names.ts';

/** Fewer are gathered whatever else there is: to look for a better way would cost as much. */
export const leastGathered = 400;
export const mostGathered = 20_000;

/**
 * With n matches among N resources a walk tests about limit * N / n of them, a gathering sorts n: even at the square root of
 * limit * N.
 */
export function gatherLimitOf(names: Names, limit: number): (type: string) => number {
  const known = new Map<string, number>();
  return (type) => {
    const gathered = known.get(type) ?? evenAt(names.countedRids(names.find('type', type)), limit);
    known.set(type, gathered);
    return gathered;
  };
}

const evenAt = (resources: number, limit: number): number =>
  Math.min(mostGathered, Math.max(leastGathered, Math.ceil(Math.sqrt((limit + 1) * resources))));
