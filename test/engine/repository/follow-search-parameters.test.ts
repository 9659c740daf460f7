// SearchParameters that are stored are in use: from the start, once they are created, until they are deleted.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { engineActor } from '../../../engine/kernel/actor.ts';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { createRepository } from '../../../engine/repository/create-repository.ts';
import { followSearchParameters } from '../../../engine/repository/follow-search-parameters.ts';
import type { WritesResources } from '../../../engine/repository/repository.ts';
import { loadSearchIndex } from '../../../engine/search/load-index.ts';
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
  await store.close();
  rmSync(folder, { recursive: true });
});

/** An engine over the store: one that is started again knows only what is stored. */
async function start(): Promise<{
  resources: WritesResources;
  settled: () => Promise<void>;
  refused: string[];
}> {
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
  const follower = followSearchParameters({ repository, resources: store.resources, index, logger });
  await follower.start();
  return { resources: repository.as(engineActor), settled: () => follower.settled(), refused };
}

const tribe = (change: object = {}): { resourceType: string; id: string } => ({
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
