// The SQLite store over a real file: every port's contract, and what is SQLite's own.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { integrityProblems } from '../../../engine/storage/sqlite/integrity.ts';
import type { Plan } from '../../../engine/search/plan.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../../../engine/storage/sqlite/open.ts';
import { describe, expect, test } from '@jest/globals';
import { configurationStoreContract } from '../../contract/configuration-store.ts';
import { jobStoreContract } from '../../contract/job-store.ts';
import { largeSearchContract } from '../../contract/large-search.ts';
import { messageStoreContract } from '../../contract/message-store.ts';
import type { OpenedStore } from '../../contract/opened-store.ts';
import { resourceReferencesContract } from '../../contract/resource-references.ts';
import { resourceSearchContract } from '../../contract/resource-search.ts';
import { searchedUrlsContract } from '../../contract/searched-urls.ts';
import { widerSearchContract } from '../../contract/wider-search.ts';
import { resourceStoreContract, version, write } from '../../contract/resource-store.ts';
import { storeContract } from '../../contract/store.ts';

const options = (file: string): SqliteStoreOptions => ({
  file,
  clock: { now: () => 1_000 },
  logger: silentLogger,
});

async function openIn(folder: string, pool: SqliteStoreOptions['pool'] = {}): Promise<OpenedStore> {
  const store = await openSqliteStore({ ...options(join(folder, 'tenant.db')), pool });
  return {
    store,
    reopen: async () => {
      await store.close();
      return openIn(folder, pool);
    },
    close: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'kiungo-store-'));
const open = (): Promise<OpenedStore> => openIn(newFolder());

storeContract('sqlite', open);
resourceStoreContract('sqlite', open);
resourceReferencesContract('sqlite', open);
resourceSearchContract('sqlite', open);
widerSearchContract('sqlite', open);
// No time at all on the main thread: all searches go to the pool.
widerSearchContract('sqlite, searching on threads', () => openIn(newFolder(), { hereMs: -1 }));
largeSearchContract('sqlite', open);
searchedUrlsContract('sqlite', open);
messageStoreContract('sqlite', open);
jobStoreContract('sqlite', open);
configurationStoreContract('sqlite', open);

describe('sqlite: the file', () => {
  test('is for its owner alone, and so is the folder that was made for it', async () => {
    const folder = newFolder();
    const store = await openSqliteStore(options(join(folder, 'data', 'tenant.db')));
    await write(store, version('a'));
    const modes = ['data', 'data/tenant.db', 'data/tenant.db-wal', 'data/tenant.db.lock'].map(
      (path) => statSync(join(folder, path)).mode & 0o777,
    );
    expect(modes).toEqual([0o700, 0o600, 0o600, 0o600]);
    await store.close();
    rmSync(folder, { recursive: true });
  });

  test('held by one engine is refused to another, and free again after close', async () => {
    const folder = newFolder();
    const file = join(folder, 'tenant.db');
    const first = await openSqliteStore(options(file));
    await expect(openSqliteStore(options(file))).rejects.toMatchObject({ code: 'unavailable' });
    await write(first, version('a'));
    await first.close();
    await (await openSqliteStore(options(file))).close();
    rmSync(folder, { recursive: true });
  });

  test('of a newer layout is refused, and left as it is', async () => {
    const folder = newFolder();
    const file = join(folder, 'tenant.db');
    await (await openSqliteStore(options(file))).close();
    const known = setLayoutVersion(file, 999);
    await expect(openSqliteStore(options(file))).rejects.toMatchObject({ code: 'unavailable' });
    setLayoutVersion(file, known);
    await (await openSqliteStore(options(file))).close();
    rmSync(folder, { recursive: true });
  });
});

const everyPatient: Plan = {
  type: 'Patient',
  where: { op: 'not', of: { op: 'none' } },
  order: [],
  count: 10,
  after: undefined,
  total: 'accurate',
};

describe('sqlite: long searches', () => {
  test('go on while reads and writes are answered', async () => {
    const opened = await openIn(newFolder(), { hereMs: -1 });
    await write(opened.store, version('a'));
    const order: string[] = [];
    const search = opened.store.resources.search(everyPatient).then(() => order.push('search'));
    await opened.store.resources.read('Patient', 'a').then(() => order.push('read'));
    await write(opened.store, version('b')).then(() => order.push('write'));
    await search;
    expect(order).toEqual(['read', 'write', 'search']);
    await opened.close();
  });

  test('are refused as too costly after their time, and the next one is carried out', async () => {
    const folder = newFolder();
    const opened = await openIn(folder, { hereMs: -1, limitMs: -1 });
    await write(opened.store, version('a'));
    const asked = opened.store.resources.search(everyPatient);
    await expect(asked).rejects.toMatchObject({ code: 'too-costly' });
    const refused = opened.store.resources.search({ ...everyPatient, after: 'x' });
    await expect(refused).rejects.toMatchObject({ code: 'bad-request' });
    await opened.close();
  });

  test('of which too many wait are refused as unavailable', async () => {
    const opened = await openIn(newFolder(), { hereMs: -1, searches: 3 });
    await write(opened.store, version('a'));
    const all = await Promise.allSettled(
      Array.from({ length: 5 }, () => opened.store.resources.search(everyPatient)),
    );
    expect(all.map(({ status }) => status).sort()).toEqual([
      ...Array.from({ length: 3 }, () => 'fulfilled'),
      ...Array.from({ length: 2 }, () => 'rejected'),
    ]);
    await opened.close();
  });
});

/**
 * Answers the one before. PRAGMA user_version lies at byte 60 of the file:
 * https://sqlite.org/fileformat.html#the_database_header
 */
function setLayoutVersion(file: string, version: number): number {
  const bytes = Buffer.alloc(4);
  const handle = openSync(file, 'r+');
  readSync(handle, bytes, 0, 4, 60);
  const before = bytes.readUInt32BE();
  bytes.writeUInt32BE(version);
  writeSync(handle, bytes, 0, 4, 60);
  closeSync(handle);
  return before;
}

interface Ended {
  readonly acknowledged: readonly string[];
  readonly errors: string;
  readonly code: number | null;
}

/** Runs the writing process, under a shell's limits, until it ends or is killed after so many acknowledgements. */
function writeUnderLoad(file: string, limits: string, killAfter: number): Promise<Ended> {
  const script = `${limits} exec "$0" test/support/store-under-load.ts "$1" 8`;
  const child = spawn('sh', ['-c', script, process.execPath, file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [output, errors] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => {
    output += bytes.toString();
    if (output.split('\n').length > killAfter) child.kill('SIGKILL');
  });
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
  return new Promise((resolve) => {
    child.on('close', (code) => {
      // The last line may be cut by the kill.
      resolve({ acknowledged: output.split('\n').slice(0, -1), errors, code });
    });
  });
}

async function expectAllThere(file: string, acknowledged: readonly string[]): Promise<void> {
  const store = await openSqliteStore(options(file));
  for (const id of acknowledged) {
    expect((await store.resources.read('Observation', id))?.version).toBe(1);
    expect(Buffer.from((await store.messages.delivery(id))?.payload ?? []).toString()).toBe(id);
  }
  const census = await store.messages.census();
  const { total } = await store.messages.deliveries({ state: 'waiting', limit: 1, offset: 0 });
  expect(census.deliveries.waiting).toBe(total);
  await store.close();
  expect(integrityProblems(file)).toEqual([]);
}

describe('sqlite: accidents', () => {
  test.each([50, 400, 1500])('killed after %i acknowledgements, all of them are there', async (killAfter) => {
    const folder = newFolder();
    const file = join(folder, 'tenant.db');
    const { acknowledged, code } = await writeUnderLoad(file, '', killAfter);
    expect({ code, enough: acknowledged.length >= killAfter }).toEqual({ code: null, enough: true });
    await expectAllThere(file, acknowledged);
    rmSync(folder, { recursive: true });
  });

  test('a disk that takes no more: writes are refused as unavailable, reads go on, nothing acknowledged is lost', async () => {
    const folder = newFolder();
    const file = join(folder, 'tenant.db');
    const { acknowledged, errors, code } = await writeUnderLoad(file, 'ulimit -f 1700;', Infinity);
    expect({ code, last: errors.trim().split('\n').at(-1) }).toEqual({ code: 7, last: 'unavailable 1' });
    expect(acknowledged.length).toBeGreaterThan(40);
    await expectAllThere(file, acknowledged);
    rmSync(folder, { recursive: true });
  });
});
