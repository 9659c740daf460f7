// The plainest possible store: carries out a condition over resources in memory, chains too, from their index entries alone.
import type { Reading } from '../../engine/repository/work.ts';
import type { StoredVersion } from '../../engine/storage/resource-store.ts';
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
          leads(all, one, where, target) &&
          holds(index, all, target, where.where),
      );
    case 'pointed-at-by':
      return all.some(
        (source) =>
          isOf(source, where.source) &&
          leads(all, source, where, one) &&
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

type Link = Pick<Extract<Condition, { op: 'points-at' }>, 'parameter' | 'by'>;

function leads(all: readonly Indexed[], from: Indexed, { parameter, by }: Link, to: Indexed): boolean {
  if (by === undefined) return points(from, parameter, to);
  return targets(from, parameter).some((canonical) => {
    const own = orderUnder(to, by, canonical);
    return own !== undefined && all.every((other) => (orderUnder(other, by, canonical) ?? '') <= own);
  });
}

const targets = ({ entries }: Indexed, parameter: string): readonly string[] =>
  entries.flatMap((entry) =>
    entry.kind === 'reference' && entry.parameter === parameter ? entry.target : [],
  );

const orderUnder = ({ entries }: Indexed, parameter: string, canonical: string): string | undefined =>
  entries.flatMap((entry) =>
    entry.kind === 'string' && entry.parameter === parameter && entry.value === canonical ? entry.folded : [],
  )[0];

/** As much of a repository as a search needs that looks something up first. */
export function readingOver(
  index: SearchIndex,
  resources: readonly (FhirResource & { readonly id: string })[],
  base: string,
): Pick<Reading, 'parts' | 'resources'> {
  const stored = resources.map((resource): StoredVersion => ({
    type: resource.resourceType,
    id: resource.id,
    version: 1,
    lastUpdated: 0,
    method: 'PUT',
    body: JSON.stringify(resource),
  }));
  const never = (): never => {
    throw new Error('a search reads current versions only');
  };
  const reader: Partial<Reading['resources']> = {
    read: async (type, id) => stored.find((one) => one.type === type && one.id === id),
    search: async (plan) => {
      const ids = findInMemory(index, resources, plan.type, plan.where);
      const matches = stored.filter((one) => one.type === plan.type && ids.includes(one.id));
      return { matches, next: undefined, total: undefined };
    },
  };
  const all = new Proxy(reader, { get: (known, name): unknown => Reflect.get(known, name) ?? never });
  const parts = { index, clock: { now: never }, ids: new Proxy({}, { get: never }), base: () => base };
  return { parts: parts as unknown as Reading['parts'], resources: all as Reading['resources'] };
}
