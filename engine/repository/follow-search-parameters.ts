// The stored SearchParameters in use: those that are there at the start, and each as it is created, changed or deleted.
import { parseResource } from '../fhir/exact-json.ts';
import type { FhirResource } from '../fhir/resource.ts';
import type { Logger } from '../kernel/logger.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { ResourceReader, StoredVersion } from '../storage/resource-store.ts';
import type { FollowedParameter, ParameterIndexing } from './parameter-indexing.ts';
import type { Repository } from './repository.ts';

export interface FollowOptions {
  readonly repository: Pick<Repository, 'onChange' | 'onCommitted'>;
  readonly resources: ResourceReader;
  readonly index: SearchIndex;
  readonly logger: Logger;
  /** What sees to it that they find what was stored before them. */
  readonly indexing: ParameterIndexing;
}

export interface SearchParameterFollower {
  /** Takes those in use that are stored. To be called once, before the first search. */
  start(): Promise<void>;
  /** Resolves when every change that is committed by now has been followed. */
  settled(): Promise<void>;
}

/** A change that was undone never shows: it is given up after so many commits. */
const maximumTries = 20;

/**
 * A SearchParameter that cannot be taken in use is stored all the same, and the log says why.
 */
export function followSearchParameters(options: FollowOptions): SearchParameterFollower {
  const { repository, resources, indexing } = options;
  const inUse = new Map<string, string>();
  const changed = new Map<string, { readonly version: number; tries: number }>();
  let work: Promise<void> = Promise.resolve();

  async function follow(): Promise<void> {
    const followed: FollowedParameter[] = [];
    for (const [id, one] of changed) {
      const current = await resources.read(type, id);
      one.tries += 1;
      const isThere = current !== undefined && current.version >= one.version;
      if (isThere || one.tries >= maximumTries) changed.delete(id);
      if (isThere) followed.push(await use(options, inUse, current));
    }
    await indexing.changed(followed);
  }

  repository.onChange(async ({ version }) => {
    if (version.type === type) changed.set(version.id, { version: version.version, tries: 0 });
  });
  repository.onCommitted(() => {
    if (changed.size === 0) return;
    work = work.then(follow).catch((error: unknown) => {
      options.logger.error({}, 'a changed SearchParameter could not be followed', error);
    });
  });
  return {
    start: async () => {
      const followed: FollowedParameter[] = [];
      for await (const version of stored(options)) followed.push(await use(options, inUse, version));
      await indexing.begin(followed);
    },
    settled: () => work,
  };
}

const type = 'SearchParameter';

type Current = Pick<StoredVersion, 'id' | 'version' | 'body'>;

/** `inUse` has the URL under which each is known to the index. */
async function use(
  { index, logger }: FollowOptions,
  inUse: Map<string, string>,
  { id, version, body }: Current,
): Promise<FollowedParameter> {
  const resource = body === undefined ? undefined : parseResource(body);
  const before = inUse.get(id);
  const types = new Set<string>();
  if (before !== undefined && (resource?.url !== before || resource.status !== 'active')) {
    for (const type of index.forget(before)) types.add(type);
    inUse.delete(id);
  }
  if (resource?.status !== 'active') return { id, version, url: undefined, types: [...types] };
  try {
    const defined = await index.define(resource);
    for (const type of defined) types.add(type);
    if (defined.length > 0) inUse.set(id, urlOf(resource));
    logger.info({ id, types: defined.length }, 'a SearchParameter is in use');
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    logger.warn({ id, why: error.message }, 'a SearchParameter cannot be taken in use');
  }
  return { id, version, url: inUse.get(id), types: [...types] };
}

const urlOf = ({ url }: FhirResource): string => (typeof url === 'string' ? url : '');

const pageSize = 200;

async function* stored({ resources, index }: FollowOptions): AsyncGenerator<Current> {
  const limits = { lenient: false, base: '', defaultCount: pageSize, maximumCount: pageSize };
  const { plan } = index.request(type, 'status=active&_sort=_lastUpdated', limits);
  let after: string | undefined;
  do {
    const page = await resources.search({ ...plan, after });
    yield* page.matches;
    after = page.next;
  } while (after !== undefined);
}
