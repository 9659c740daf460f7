// Searches that no index helps, so that every resource of a type would be read: refused, with what to do instead.
import { badRequest } from '../../kernel/outcomes.ts';
import type { Condition, Leaf } from '../plan.ts';

const shortestPart = 3;

/** Throws Refusal `bad-request` for a search by a short part of strings and by nothing else. */
export function refuseWide(condition: Condition): void {
  if (isWide(condition)) {
    throw badRequest(
      `a part of fewer than ${shortestPart} letters would be looked for in every resource: add letters or another condition`,
    );
  }
}

function isWide(condition: Condition): boolean {
  switch (condition.op) {
    case 'leaf':
      return isWideLeaf(condition.leaf);
    case 'and':
      return condition.of.every(isWide);
    case 'or':
      return condition.of.some(isWide);
    case 'points-at':
    case 'pointed-at-by':
      return isWide(condition.where);
    case 'not':
      return isWide(condition.of);
    case 'every':
    case 'none':
      return false;
  }
}

const isWideLeaf = (leaf: Leaf): boolean =>
  leaf.kind === 'string' &&
  (leaf.match === 'contains' || leaf.match === 'suffix') &&
  leaf.value.length < shortestPart;
