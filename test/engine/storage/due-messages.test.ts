// Looking for what is due must not read all that waits: a backlog drains as fast as a few messages do.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { openSqliteStore } from '../../../engine/storage/sqlite/open.ts';
import { record } from '../../contract/message-store.ts';

test('a look costs the same whether a thousand or thirty thousand wait', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kiungo-due-'));
  const file = join(folder, 'tenant.db');
  const store = await openSqliteStore({ file, clock: { now: () => 1_000 }, logger: silentLogger });
  const fill = (from: number, to: number): Promise<void> =>
    store.transact(async ({ messages }) => {
      for (let at = from; at < to; at += 1) await messages.keep(record(`m${at}`), new Uint8Array([1]));
    });
  const look = async (): Promise<number> => {
    let best = Infinity;
    for (let run = 0; run < 30; run += 1) {
      const begin = performance.now();
      expect(await store.messages.dueMessages(1_000, 16)).toHaveLength(1);
      best = Math.min(best, performance.now() - begin);
    }
    return best;
  };
  await fill(0, 1_000);
  await look();
  const few = await look();
  await fill(1_000, 30_000);
  expect(await look()).toBeLessThan(Math.max(few * 5, 0.5));
  await store.close();
  rmSync(folder, { recursive: true });
});
