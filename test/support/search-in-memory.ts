// The plainest possible store: carries out a condition over resources in memory, chains too, from their index entries alone.
import type { FhirResource } from '../../engine/fhir/resource.ts';
import type { IndexEntry } from '../../engine/search/index-entry.ts';
import type { Condition } from '../../engine/search/plan.ts';
import type { SearchIndex } from '../../engine/search/search-index.ts';

interface Indexed {
  readonly resource: FhirResource;
  readonly entries: readonly IndexEntry[];
}

/** The ids of the resources of a type that satisfy the condition, in the order given. */
export function findInMemory(
  index: SearchIndex,
  resources: readonly FhirResource[],
  type: string,
  where: Condition,
): readonly (string | undefined)[] {
  const all = resources.map((resource) => ({ resource, entries: index.entries(resource) }));
  return all
    .filter((one) => one.resource.resourceType === type && holds(index, all, one, where))
    .map((one) => one.resource.id);
}

function holds(index: SearchIndex, all: readonly Indexed[], one: Indexed, where: Condition): boolean {
  const inner = (condition: Condition): boolean => holds(index, all, one, condition);
  switch (where.op) {
    case 'and':
      return where.of.every(inner);
    case 'or':
      return where.of.some(inner);
    case 'not':
      return !inner(where.of);
    case 'points-at':
      return all.some(
        (target) =>
          isOf(target, where.target) &&
          points(one, where.parameter, target) &&
          holds(index, all, target, where.where),
      );
    case 'pointed-at-by':
      return all.some(
        (source) =>
          isOf(source, where.source) &&
          points(source, where.parameter, one) &&
          holds(index, all, source, where.where),
      );
    case 'every':
    case 'none':
    case 'leaf':
      return index.matches(one.resource, one.entries, where);
  }
}

const isOf = (one: Indexed, type: string): boolean => one.resource.resourceType === type;

const points = (from: Indexed, parameter: string, to: Indexed): boolean =>
  from.entries.some(
    (entry) =>
      entry.kind === 'reference' &&
      entry.parameter === parameter &&
      entry.target === `${to.resource.resourceType}/${to.resource.id ?? ''}`,
  );
