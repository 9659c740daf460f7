// Conditions put together, in their shortest form.
import type { Condition, Leaf } from './plan.ts';

export const leaf = (what: Leaf): Condition => ({ op: 'leaf', leaf: what });

export const not = (of: Condition): Condition => ({ op: 'not', of });

/** One of them holds; of none: nothing does. */
export function anyOf(of: readonly Condition[]): Condition {
  const possible = of.filter((condition) => condition.op !== 'none');
  const [first] = possible;
  if (first === undefined) return { op: 'none' };
  return possible.length === 1 ? first : { op: 'or', of: possible };
}

/** All of them hold; of none: everything does. */
export function allOf(of: readonly Condition[]): Condition {
  const narrowing = of.filter((condition) => condition.op !== 'every');
  const [first] = narrowing;
  if (first === undefined) return { op: 'every' };
  return narrowing.length === 1 ? first : { op: 'and', of: narrowing };
}
