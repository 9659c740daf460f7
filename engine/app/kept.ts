// What is kept: the store, FHIR's rules about it, and the search index with what sees to it that it holds what the settings and the stored
// SearchParameters say.
import { lazyShapes } from '../fhir/shapes/cache.ts';
import type { Shapes } from '../fhir/shapes/shape.ts';
import { createRepository, type ConditionalRepository } from '../repository/create-repository.ts';
import {
  followSearchParameters,
  type SearchParameterFollower,
} from '../repository/follow-search-parameters.ts';
import { createParameterIndexing } from '../repository/parameter-indexing.ts';
import { createReindexing, type Reindexing } from '../repository/reindex.ts';
import { loadSearchIndex } from '../search/load-index.ts';
import type { SearchIndex } from '../search/search-index.ts';
import { openSqliteStore } from '../storage/sqlite/open.ts';
import type { Store } from '../storage/store.ts';
import type { Ambient } from './ambient.ts';
import type { Config } from './read-config.ts';
import { recipeOf, storeFile } from './stored.ts';

export interface Kept {
  readonly store: Store;
  readonly index: SearchIndex;
  /** Of R4's types, read once for all. */
  readonly shapes: () => Shapes;
  readonly repository: ConditionalRepository;
  readonly reindexing: Reindexing;
  readonly searchParameters: SearchParameterFollower;
}

/** `base`: the public FHIR base, once it is known. */
export async function openKept(config: Config, ambient: Ambient, base: () => string): Promise<Kept> {
  const { clock, logger } = ambient;
  const { referentialIntegrity } = config;
  const store = await openSqliteStore({ file: storeFile(config), clock, logger });
  const recipe = recipeOf(config, clock);
  const index = loadSearchIndex(recipe);
  const shapes = lazyShapes();
  const repository = createRepository({ ...ambient, store, index, shapes, base, referentialIntegrity });
  const reindexing = createReindexing({ ...ambient, store, index, recipe });
  const searchParameters = followSearchParameters({
    ...{ repository, resources: store.resources, index, logger },
    indexing: createParameterIndexing({ ...ambient, store, reindexing, index, automatic: config.reindex }),
  });
  return { store, index, shapes, repository, reindexing, searchParameters };
}
