// What a search brings along by canonical url: the resources that have the url, or those that name it.
// https://hl7.org/fhir/R4/references.html#canonical
import { anyOf, leaf } from '../search/condition.ts';
import type { Condition } from '../search/plan.ts';
import type { CanonicalLink, Include } from '../search/search-index.ts';
import type { StoredVersion } from '../storage/resource-store.ts';
import { allMatches } from './all-matches.ts';
import type { Reading } from './work.ts';

/** May give what was included before. */
export async function* includedByCanonical(
  reading: Reading,
  from: readonly StoredVersion[],
  include: Include,
): AsyncGenerator<StoredVersion> {
  const ids = idsByType(from);
  const searches =
    include.kind === 'include' ? namedBy(reading, ids, include) : naming(reading, ids, include);
  for (const { type, where } of searches) yield* allMatches(reading, type, where);
}

type Ids = ReadonlyMap<string, readonly string[]>;

interface Wanted {
  readonly type: string;
  readonly where: Condition;
}

const idsByType = (from: readonly StoredVersion[]): Ids =>
  new Map([...Map.groupBy(from, ({ type }) => type)].map(([type, of]) => [type, of.map(({ id }) => id)]));

/** What these lead to. */
function namedBy({ parts }: Reading, ids: Ids, { source, parameter, target }: Include): readonly Wanted[] {
  return [...ids].flatMap(([from, values]) => {
    if (source !== '*' && source !== from) return [];
    const links = Map.groupBy(parts.index.canonicalLinks(from, parameter, target), (link) => link.target);
    const where = leaf({ kind: 'id', values });
    return [...links].map(([type, of]) => ({
      type,
      where: anyOf(of.map((link) => ({ op: 'pointed-at-by', source: from, ...waysOf(link), where }))),
    }));
  });
}

const waysOf = ({ parameter, by }: CanonicalLink): Omit<CanonicalLink, 'target'> => ({ parameter, by });

/** What leads to these. */
function naming({ parts }: Reading, ids: Ids, { source, parameter, target }: Include): readonly Wanted[] {
  const sources = source === '*' ? parts.index.types : [source];
  const targets = [...ids].filter(([type]) => (target ?? type) === type);
  return sources.flatMap((type) => {
    const ways = targets.flatMap(([to, values]) =>
      parts.index.canonicalLinks(type, parameter, to).map((link) => pointing(link, values)),
    );
    return ways.length === 0 ? [] : [{ type, where: anyOf(ways) }];
  });
}

const pointing = (link: CanonicalLink, values: readonly string[]): Condition => ({
  op: 'points-at',
  ...link,
  where: leaf({ kind: 'id', values }),
});
