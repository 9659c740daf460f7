// How many rows a walk will look at until its page is full: expected before it from counts, and after a first piece of it from that.
import type { Condition } from '../../search/plan.ts';
import type { ConditionCompiler } from './compile-condition.ts';
import { mostGathered } from './gather-limit.ts';

/** By the conditions that can be counted quickly, as if they knew nothing of each other; the others are taken to hold always. */
export function expectedRows(
  compiler: ConditionCompiler,
  tested: readonly Condition[],
  type: string,
  limit: number,
): number {
  const { names } = compiler;
  const all = names.countedRids(names.find('type', type));
  const counted = tested.filter((part) => compiler.isOrdered(part, type));
  const shares = counted.map((part) => compiler.estimate(part, type, mostGathered) / all);
  return Math.ceil(shares.reduce((rows, share) => rows / Math.min(1, share), limit));
}

/** `looked` rows gave so many matches. */
export const expectedAfter = (looked: number, found: number, limit: number): number =>
  Math.ceil((looked * limit) / Math.max(found, 0.5));
