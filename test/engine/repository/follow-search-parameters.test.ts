// SearchParameters that are stored are in use: from the start, once they are created, until they are deleted.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { engineActor } from '../../../engine/kernel/actor.ts';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { createRepository } from '../../../engine/repository/create-repository.ts';
import { createParameterIndexing } from '../../../engine/repository/parameter-indexing.ts';
import { createReindexing, type Reindexing } from '../../../engine/repository/reindex.ts';
import { followSearchParameters } from '../../../engine/repository/follow-search-parameters.ts';
import type { WritesResources } from '../../../engine/repository/repository.ts';
import { parseResource } from '../../../engine/fhir/exact-json.ts';
import { loadSearchIndex } from '../../../engine/search/load-index.ts';
import { checkStore } from '../../../engine/storage/sqlite/check-store.ts';
import { openSqliteStore } from '../../../engine/storage/sqlite/open.ts';
import type { Store } from '../../../engine/storage/store.ts';
import { countingIds, steppedClock } from '../fixed-parts.ts';

const folder = mkdtempSync(join(tmpdir(), 'kiungo-parameters-'));
const clock = steppedClock('2026-03-01T08:00:00Z');
let store: Store;
beforeEach(async () => {
  store = await openSqliteStore({ file: join(folder, 'store.sqlite'), clock, logger: silentLogger });
});
afterEach(async () => {
  for (const reindexing of running.splice(0)) {
    reindexing.stop();
    await reindexing.idle();
  }
  await store.close();
  rmSync(folder, { recursive: true });
});

/** What one engine leaves behind is gone on with by the next, unless it was stopped first. */
const running: Reindexing[] = [];

/** An engine over the store: one that is started again knows only what is stored. `begins`: whether it indexes again by itself. */
async function start(
  automatic = true,
  begins = true,
): Promise<{
  resources: WritesResources;
  /** Changes are followed. */
  settled: () => Promise<void>;
  /** Nothing is left to be indexed. */
  indexed: () => Promise<void>;
  reindexing: Reindexing;
  refused: string[];
}> {
  for (const earlier of running.splice(0)) earlier.stop();
  clock.pass(1_000);
  const index = loadSearchIndex();
  const refused: string[] = [];
  const warn = (_facts: object, text: string): void => void refused.push(text);
  const logger = { ...silentLogger, warn };
  const repository = createRepository({
    store,
    index,
    clock,
    ids: countingIds(),
    logger,
    base: () => 'http://h',
  });
  const reindexing = createReindexing({
    store,
    index,
    clock,
    logger,
    recipe: { base: '', zoneOffsetMinutes: 0 },
  });
  if (!begins) reindexing.stop();
  running.push(reindexing);
  const indexing = createParameterIndexing({ store, reindexing, index, clock, logger, automatic });
  const { resources } = store;
  const follower = followSearchParameters({ repository, resources, index, logger, indexing });
  await follower.start();
  reindexing.start();
  const settled = (): Promise<void> => follower.settled();
  const indexed = async (): Promise<void> => {
    await settled();
    await reindexing.idle();
  };
  return { resources: repository.as(engineActor), settled, indexed, reindexing, refused };
}

const tribe = (change: object = {}): { resourceType: string; id: string; expression?: string } => ({
  resourceType: 'SearchParameter',
  id: 'ward',
  ...{ url: 'http://example.org/ward', status: 'active', code: 'ward', base: ['Patient'], type: 'string' },
  ...{ expression: "Patient.extension('urn:ward').value.as(string)" },
  ...change,
});
const patient = {
  resourceType: 'Patient',
  id: 'a',
  extension: [{ url: 'urn:ward', valueString: 'Kaloleni' }],
};

test('created: what is stored afterwards is found by it, also by the next engine', async () => {
  const { resources, settled } = await start();
  await resources.update(tribe());
  await settled();
  await resources.update(patient);
  expect((await resources.search('Patient', 'ward=kalo')).matches).toHaveLength(1);
  const next = await start();
  expect((await next.resources.search('Patient', 'ward=kalo')).matches).toHaveLength(1);
});

test('deleted, or no longer active: it is not known any more', async () => {
  const { resources, settled } = await start();
  await resources.update(tribe());
  await settled();
  await resources.update(tribe({ status: 'retired' }));
  await settled();
  await expect(resources.search('Patient', 'ward=kalo')).rejects.toMatchObject({ code: 'unknown-parameter' });
  await resources.update(tribe());
  await settled();
  expect((await resources.search('Patient', 'ward=kalo')).matches).toHaveLength(0);
  await resources.delete('SearchParameter', 'ward');
  await settled();
  await expect(resources.search('Patient', 'ward=kalo')).rejects.toMatchObject({ code: 'unknown-parameter' });
});

test('one that cannot be taken in use is stored, and the log says so', async () => {
  const { resources, settled, refused } = await start();
  await resources.update(tribe({ expression: 'Patient.name.first()' }));
  await settled();
  expect(refused).toEqual(['a SearchParameter cannot be taken in use']);
  expect((await resources.read('SearchParameter', 'ward')).version).toBe(1);
});

describe('what was stored before it', () => {
  const found = async (resources: WritesResources): Promise<readonly [number, readonly string[]]> => {
    const { matches, unfinished } = await resources.search('Patient', 'ward=kalo');
    return [matches.length, unfinished];
  };

  test('is indexed by itself, and until then a search says that it may lack', async () => {
    const { resources, settled, indexed } = await start();
    await resources.update(patient);
    await resources.update(tribe());
    await settled();
    expect((await found(resources))[1]).toEqual(['ward']);
    expect((await resources.search('Patient', '_sort=ward')).unfinished).toEqual(['ward']);
    expect((await resources.search('Observation', 'subject:Patient.ward=x')).unfinished).toEqual(['ward']);
    expect((await resources.search('Patient', 'gender=male')).unfinished).toEqual([]);
    await indexed();
    expect(await found(resources)).toEqual([1, []]);
    expect(await found((await start()).resources)).toEqual([1, []]);
  });

  test('decides no condition until then', async () => {
    const { resources, indexed } = await start(false);
    await resources.update(patient);
    await resources.update(tribe());
    await indexed();
    const conditional = resources.create({ resourceType: 'Patient' }, { ifNoneExist: 'ward=kalo' });
    await expect(conditional).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('waits for $reindex where it is not to begin by itself', async () => {
    const { resources, indexed, reindexing } = await start(false);
    await resources.update(patient);
    await resources.update(tribe());
    await indexed();
    expect(await found(resources)).toEqual([0, ['ward']]);
    await reindexing.request(['Observation']);
    await indexed();
    expect(await found(resources)).toEqual([0, ['ward']]);
    await reindexing.request(undefined);
    await indexed();
    expect(await found(resources)).toEqual([1, []]);
  });

  test.each([
    ['defined', tribe()],
    ['changed', tribe({ expression: "Patient.extension('urn:ward').value.ofType(string)" })],
  ])('is indexed by the next engine when it was %s and this one ended', async (_what, parameter) => {
    const first = await start();
    await first.resources.update(patient);
    await first.resources.update(tribe());
    if (parameter.expression !== tribe().expression) await first.indexed();
    const second = await start(true, false);
    await second.resources.update(parameter);
    await second.settled();
    expect((await found(second.resources))[1]).toEqual(['ward']);
    const third = await start();
    await third.indexed();
    expect(await found(third.resources)).toEqual([1, []]);
  });

  test('is no longer indexed by one that was deleted while no engine followed', async () => {
    const first = await start();
    await first.resources.update(patient);
    await first.resources.update(tribe());
    await first.indexed();
    const index = loadSearchIndex();
    await first.resources.delete('SearchParameter', 'ward');
    await (await start()).indexed();
    const file = join(folder, 'store.sqlite');
    expect([
      ...checkStore(
        file,
        (body) => index.entries(parseResource(body)),
        () => undefined,
      ),
    ]).toEqual([]);
  });
});
