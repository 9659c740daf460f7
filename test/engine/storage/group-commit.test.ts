// What works hear that share a commit, when SQLite itself fails between them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { Connection, type SqlValue } from '../../../engine/storage/sqlite/connection.ts';
import { GroupCommit } from '../../../engine/storage/sqlite/group-commit.ts';

/** Out of memory, say, at the statements that `failing` names. */
class FailingConnection extends Connection {
  readonly failing = new Set<string>();

  override run(sql: string, ...values: readonly SqlValue[]): number {
    if (this.failing.delete(sql)) throw new Error(`no memory for ${sql}`);
    return super.run(sql, ...values);
  }
}

let folder: string;
let connection: FailingConnection;
let group: GroupCommit;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kiungo-group-'));
  const options = { cacheKiB: 1_024, mapBytes: 0, busyTimeoutMs: 100, leavesCheckpoints: true };
  connection = new FailingConnection(join(folder, 'group.db'), options);
  connection.run('CREATE TABLE kept (name TEXT)');
  const limits = { works: 128, durationMs: 20, patientMs: 25, awaitedMs: 3, queue: 100, watchdogMs: 5_000 };
  group = new GroupCommit(connection, limits, silentLogger, {
    ...{ beforeGroup: () => undefined, beforeWork: () => undefined, betweenWorks: () => undefined },
    ...{ beforeCommit: () => undefined, afterCommit: () => undefined, afterGroup: () => undefined },
  });
});

afterEach(async () => {
  await group.close();
  connection.close();
  rmSync(folder, { recursive: true });
});

const keep = (name: string): Promise<number> =>
  group.run(async () => connection.run('INSERT INTO kept (name) VALUES (?)', name));
const kept = (): readonly string[] =>
  connection.rows<{ name: string }>('SELECT name FROM kept').map(({ name }) => name);

test('a work that cannot begin hears so, and the next group goes on', async () => {
  connection.failing.add('SAVEPOINT work');
  const [one, two] = await Promise.allSettled([keep('one'), keep('two')]);
  expect([one.status, two.status]).toEqual(['rejected', 'fulfilled']);
  expect(kept()).toEqual(['two']);
});

test('a work that cannot be undone takes its whole group with it, and all of them hear so', async () => {
  connection.failing.add('ROLLBACK TO work');
  const before = keep('one');
  const failing = group.run(() => Promise.reject(new Error('a defect')));
  const ends = await Promise.allSettled([before, failing]);
  expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(kept()).toEqual([]);
  await keep('two');
  expect(kept()).toEqual(['two']);
});
