// A parameter without an order by rid is looked up value by value where few resources are tested and its values are few, and not otherwise.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import type { IndexEntry } from '../../../engine/search/index-entry.ts';
import type { Condition, SortKey } from '../../../engine/search/plan.ts';
import { explainSearch } from '../../../engine/storage/sqlite/explain-search.ts';
import { openSqliteStore } from '../../../engine/storage/sqlite/open.ts';
import { leaf, plan } from '../../contract/searched-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'kiungo-few-'));
const file = join(folder, 'tenant.db');
const size = 3_000;

const token = (parameter: string, code: string): IndexEntry => ({
  kind: 'token',
  parameter,
  system: 's',
  code,
});

/** Ten are rare; each has one of three states, and a number of its own. */
const entriesOf = (index: number): readonly IndexEntry[] => [
  token('state', `s${index % 3}`),
  token('number', `n${index}`),
  token('kind', index % 300 === 0 ? 'rare' : 'common'),
];

beforeAll(async () => {
  const store = await openSqliteStore({ file, clock: { now: () => 1 }, logger: silentLogger });
  await store.transact(async ({ resources }) => {
    for (let index = 0; index < size; index += 1) {
      const id = `o${index}`;
      const body = JSON.stringify({ resourceType: 'Observation', id });
      const version = { type: 'Observation', id, version: 1, lastUpdated: 1, method: 'PUT', body } as const;
      await resources.write(version, entriesOf(index), []);
    }
  });
  await store.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

const of = (code: string): Condition => leaf({ kind: 'token', parameter: 'kind', system: 's', code });
const lacks = (parameter: string): Condition => leaf({ kind: 'missing', parameter });
const by = (parameter: string): readonly SortKey[] => [
  { by: { kind: 'token', parameter }, descending: false },
];

test.each([
  ['few resources by few values', of('rare'), by('state'), true],
  ['few resources that lack one of few values', { op: 'and', of: [of('rare'), lacks('state')] }, [], true],
  ['few resources by a value that each has its own', of('rare'), by('number'), false],
  ['many resources by few values', of('common'), by('state'), false],
  ['all resources by few values', { op: 'every' }, by('state'), false],
  ['all resources that lack a value', lacks('state'), [], false],
] as const)('%s: %#', async (_rule, where, order, isProbed) => {
  const { explained } = await explainSearch(file, async () => ({ plan: plan({ where, order, count: 10 }) }));
  expect(explained.statements.some(({ sql }) => sql.includes('json_each'))).toBe(isProbed);
  expect(explained.candidates < 100).toBe(isProbed);
});
