// The stored SearchParameters in use: those that are there at the start, and each as it is created, changed or deleted.
import { parseResource } from '../fhir/exact-json.ts';
import type { FhirResource } from '../fhir/resource.ts';
import type { Logger } from '../kernel/logger.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { ResourceReader } from '../storage/resource-store.ts';
import type { Repository } from './repository.ts';

export interface FollowOptions {
  readonly repository: Pick<Repository, 'onChange' | 'onCommitted'>;
  readonly resources: ResourceReader;
  readonly index: SearchIndex;
  readonly logger: Logger;
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
 * A SearchParameter that cannot be taken in use is stored all the same, and the log says why. Resources that were stored before it are
 * found by it once they have been indexed again.
 */
export function followSearchParameters(options: FollowOptions): SearchParameterFollower {
  const { repository, resources } = options;
  const inUse = new Map<string, string>();
  const changed = new Map<string, { readonly version: number; tries: number }>();
  let work: Promise<void> = Promise.resolve();

  async function follow(): Promise<void> {
    for (const [id, one] of changed) {
      const current = await resources.read(type, id);
      one.tries += 1;
      const isThere = current !== undefined && current.version >= one.version;
      if (isThere || one.tries >= maximumTries) changed.delete(id);
      if (isThere) await use(options, inUse, id, current.body);
    }
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
      for await (const { id, body } of stored(options)) await use(options, inUse, id, body);
    },
    settled: () => work,
  };
}

const type = 'SearchParameter';

/** `inUse` has the URL under which each is known to the index. */
async function use(
  { index, logger }: FollowOptions,
  inUse: Map<string, string>,
  id: string,
  body: string | undefined,
): Promise<void> {
  const resource = body === undefined ? undefined : parseResource(body);
  const before = inUse.get(id);
  if (before !== undefined && (resource?.url !== before || resource.status !== 'active')) {
    index.forget(before);
    inUse.delete(id);
  }
  if (resource?.status !== 'active') return;
  try {
    const types = await index.define(resource);
    if (types.length > 0) inUse.set(id, urlOf(resource));
    logger.info({ id, types: types.length }, 'a SearchParameter is in use');
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    logger.warn({ id, why: error.message }, 'a SearchParameter cannot be taken in use');
  }
}

const urlOf = ({ url }: FhirResource): string => (typeof url === 'string' ? url : '');

const pageSize = 200;

async function* stored({
  resources,
  index,
}: FollowOptions): AsyncGenerator<{ id: string; body: string | undefined }> {
  const limits = { lenient: false, base: '', defaultCount: pageSize, maximumCount: pageSize };
  const { plan } = index.request(type, 'status=active&_sort=_lastUpdated', limits);
  let after: string | undefined;
  do {
    const page = await resources.search({ ...plan, after });
    yield* page.matches;
    after = page.next;
  } while (after !== undefined);
}
