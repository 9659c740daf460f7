// The SQLite store over a real file: every port's contract, and what is SQLite's own.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../../../engine/storage/sqlite/open.ts';
import { describe, expect, test } from '@jest/globals';
import { jobStoreContract } from '../../contract/job-store.ts';
import { messageStoreContract } from '../../contract/message-store.ts';
import type { OpenedStore } from '../../contract/opened-store.ts';
import { resourceSearchContract } from '../../contract/resource-search.ts';
import { resourceStoreContract, version, write } from '../../contract/resource-store.ts';
import { storeContract } from '../../contract/store.ts';

const options = (file: string): SqliteStoreOptions => ({
  file,
  clock: { now: () => 1_000 },
  logger: silentLogger,
});

async function openIn(folder: string): Promise<OpenedStore> {
  const store = await openSqliteStore(options(join(folder, 'tenant.db')));
  return {
    store,
    reopen: async () => {
      await store.close();
      return openIn(folder);
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
resourceSearchContract('sqlite', open);
messageStoreContract('sqlite', open);
jobStoreContract('sqlite', open);

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
    const opened = await open();
    const folder = newFolder();
    const file = join(folder, 'tenant.db');
    const first = await openSqliteStore(options(file));
    await expect(openSqliteStore(options(file))).rejects.toMatchObject({ code: 'unavailable' });
    await write(first, version('a'));
    await first.close();
    await (await openSqliteStore(options(file))).close();
    rmSync(folder, { recursive: true });
    await opened.close();
  });
});
