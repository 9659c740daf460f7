// Indexing again: what lacks is written, what is too much goes, definitions added at run time take effect, and no end in the middle
// leaves the index wrong.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseResource } from '../../../engine/fhir/exact-json.ts';
import type { FhirResource } from '../../../engine/fhir/resource.ts';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { createReindexing, type Reindexing } from '../../../engine/repository/reindex.ts';
import { loadSearchIndex } from '../../../engine/search/load-index.ts';
import type { IndexEntry } from '../../../engine/search/index-entry.ts';
import type { SearchIndex } from '../../../engine/search/search-index.ts';
import { checkStore } from '../../../engine/storage/sqlite/check-store.ts';
import { openSqliteStore } from '../../../engine/storage/sqlite/open.ts';
import type { Store } from '../../../engine/storage/store.ts';

const clock = { now: () => 5_000 };
const recipe = { base: '', zoneOffsetMinutes: 0 };

interface Opened {
  readonly file: string;
  readonly store: Store;
  readonly index: SearchIndex;
  readonly reindexing: Reindexing;
}

async function open(file: string): Promise<Opened> {
  const store = await openSqliteStore({ file, clock, logger: silentLogger });
  const index = loadSearchIndex(recipe);
  return { file, store, index, reindexing: createReindexing({ store, index, clock, logger: silentLogger, recipe }) };
} // prettier-ignore

async function withFolder(body: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kiungo-reindex-'));
  try {
    await body(join(folder, 'tenant.db'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const patient = (id: string): FhirResource => ({
  resourceType: 'Patient',
  id,
  meta: { versionId: '1', lastUpdated: '1970-01-01T00:00:00.001Z' },
  gender: 'female',
  birthDate: '1987-04-12',
  name: [{ family: 'Wanjikũ', given: ['Amina', 'Faith'] }],
  extension: [{ url: 'http://example.org/sub-county', valueString: 'Thika East' }],
  managingOrganization: { reference: 'Organization/o' },
});

/** Rows that nothing in the resource says. */
const foreign: readonly IndexEntry[] = [
  { kind: 'token', parameter: 'Patient.gender', system: '', code: 'other' },
  { kind: 'string', parameter: 'Patient.gone', value: 'x', folded: 'x' },
  { kind: 'text', parameter: 'Patient._content', folded: 'words of another' },
];

const write = (store: Store, resource: FhirResource, entries: readonly IndexEntry[]): Promise<void> =>
  store.transact(({ resources }) =>
    resources.write(
      { type: resource.resourceType, id: String(resource.id), version: 1, lastUpdated: 1, method: 'PUT', body: JSON.stringify(resource) },
      entries,
      [],
    ),
  ); // prettier-ignore

/** Every third as it should be, every third without rows, every third with foreign ones. */
async function fillWrongly({ store, index }: Opened, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, number) => {
      const resource = patient(`p${number}`);
      return write(store, resource, [index.entries(resource), [], foreign][number % 3] ?? []);
    }),
  );
}

const problemsOf = ({ file, index }: Pick<Opened, 'file' | 'index'>): readonly string[] => [
  ...checkStore(
    file,
    (body) => index.entries(parseResource(body)),
    () => undefined,
  ),
];

const subCounty: FhirResource = {
  resourceType: 'SearchParameter',
  id: 'sub-county',
  meta: { versionId: '1', lastUpdated: '1970-01-01T00:00:00.001Z' },
  url: 'http://example.org/SearchParameter/sub-county',
  status: 'active',
  code: 'sub-county',
  base: ['Patient'],
  type: 'string',
  expression: "Patient.extension('http://example.org/sub-county').value.as(string)",
};

async function foundBySubCounty({ store, index }: Opened): Promise<number> {
  const limits = { lenient: false, base: '', defaultCount: 100, maximumCount: 100 };
  const { plan } = index.request('Patient', 'sub-county=thika', limits);
  return (await store.resources.search(plan)).matches.length;
}

describe('indexing again', () => {
  test('writes what lacks, takes away what is too much, and tells how far it has come', () =>
    withFolder(async (file) => {
      const opened = await open(file);
      await fillWrongly(opened, 60);
      expect(problemsOf(opened).length).toBeGreaterThan(40);
      await opened.reindexing.request(['Patient']);
      await opened.reindexing.idle();
      expect(problemsOf(opened)).toEqual([]);
      expect(await opened.reindexing.status(undefined)).toEqual([
        { type: 'Patient', requestedAt: 5_000, finishedAt: 5_000, total: 60, seen: 60, mended: 40 },
      ]);
      await opened.store.close();
    }));

  test('lets a SearchParameter that was added at run time find what was stored before it', () =>
    withFolder(async (file) => {
      const opened = await open(file);
      const { store, index, reindexing } = opened;
      await write(store, patient('a'), index.entries(patient('a')));
      expect(await index.define(subCounty)).toEqual(['Patient']);
      await write(store, subCounty, index.entries(subCounty));
      expect(await foundBySubCounty(opened)).toBe(0);
      await reindexing.request(['Patient']);
      await reindexing.idle();
      expect(await foundBySubCounty(opened)).toBe(1);
      expect(problemsOf(opened)).toEqual([]);
      await store.close();
    }));

  test('goes on after a stop where it was, and what is written meanwhile stays right', () =>
    withFolder(async (file) => {
      const first = await open(file);
      await fillWrongly(first, 400);
      await first.reindexing.request(undefined);
      const resource = patient('new');
      await write(first.store, resource, first.index.entries(resource));
      first.reindexing.stop();
      await first.store.close();
      await first.reindexing.idle();
      const second = await open(file);
      expect((await second.reindexing.status('Patient'))[0]?.finishedAt).toBeUndefined();
      second.reindexing.start();
      await second.reindexing.idle();
      expect((await second.reindexing.status('Patient'))[0]?.finishedAt).toBe(5_000);
      expect(problemsOf(second)).toEqual([]);
      await second.store.close();
    }));

  test.each([0, 150, 400, 800])(
    'killed %i ms after it began, it ends right when it is started again',
    (afterMs) =>
      withFolder(async (file) => {
        const before = await open(file);
        await fillWrongly(before, 1_200);
        await before.store.close();
        await killed(file, afterMs);
        const after = await open(file);
        after.reindexing.start();
        await after.reindexing.idle();
        expect(problemsOf(after)).toEqual([]);
        await after.store.close();
      }),
  );
});

/** Runs the process until it is killed so long after it has begun; it may have finished by then. */
function killed(file: string, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, ['test/support/reindex-under-kill.ts', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.on('data', (bytes: Buffer) => {
    if (bytes.toString().includes('begun')) setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  return new Promise((resolve) => child.once('close', () => resolve()));
}
