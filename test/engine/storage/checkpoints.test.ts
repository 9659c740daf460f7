// The log of the store: written back by a thread while commits go on, of bounded size, and gone when the store is closed.
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { Connection } from '../../../engine/storage/sqlite/connection.ts';
import { openSqliteStore } from '../../../engine/storage/sqlite/open.ts';
import type { Store } from '../../../engine/storage/store.ts';
import { record } from '../../contract/message-store.ts';

const checkpoints = { pages: 50, logPages: 200 };
const pageBytes = 4_096;
/** Twice the limit, and what is written meanwhile. */
const mostBytes = 3 * checkpoints.logPages * pageBytes;

let folder = '';
let file = '';
let store: Store;

const open = (): Promise<Store> =>
  openSqliteStore({ file, clock: { now: () => 1_000 }, logger: silentLogger, checkpoints });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kiungo-log-'));
  file = join(folder, 'tenant.db');
  store = await open();
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

async function keep(from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 1) {
    const message = record(`m${at}`);
    await store.transact(({ messages }) => messages.keep(message, new Uint8Array(8_000)));
  }
}

const logBytes = (): number => statSync(`${file}-wal`).size;

test('the log stays within its limit however much is written', async () => {
  await keep(0, 600);
  expect(logBytes()).toBeLessThan(mostBytes);
});

test('commits go on while a reader needs the old log, which is cut down when it is done', async () => {
  await keep(0, 1);
  const reader = new Connection(file, { cacheKiB: 1_024, mapBytes: 0, busyTimeoutMs: 100, readOnly: true });
  reader.run('BEGIN');
  reader.row('SELECT count(*) FROM message');
  await keep(1, 400);
  expect(logBytes()).toBeGreaterThan(mostBytes);
  reader.close();
  await keep(400, 600);
  const reached = logBytes();
  await keep(600, 1_100);
  expect(logBytes()).toBe(reached);
});

test('after the store is closed there is no log, and everything is in the file', async () => {
  await keep(0, 400);
  await store.close();
  expect(existsSync(`${file}-wal`)).toBe(false);
  store = await open();
  expect((await store.messages.messages({ limit: 1, offset: 0 })).total).toBe(400);
});
