// The purge: what has ended and is old goes; what waits for a person or a machine never does.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createRetention } from '../../../engine/messages/retention.ts';
import { compactStore } from '../../../engine/storage/sqlite/compact.ts';
import { Connection } from '../../../engine/storage/sqlite/connection.ts';
import { usualSettings } from '../../../engine/messages/stages.ts';
import { arrivalOf, hl7, openHouse, type House } from './house.ts';

let house: House;
beforeEach(async () => {
  house = await openHouse();
});
afterEach(() => house.close());

const day = 86_400_000;

const states = ['received', 'processed', 'set-aside', 'dead', 'discarded'] as const;

/** A message in each state, and a delivery that is done and one that waits. */
async function given(prefix: string): Promise<void> {
  for (const state of states) {
    const { messageId } = await house.inbox().receive(arrivalOf(hl7({ controlId: `${prefix}-${state}` })));
    await house.store.transact(({ messages }) => messages.change(messageId, { state }));
  }
  for (const state of ['done', 'waiting'] as const) await enqueue(`${prefix}-${state}`, state);
}

async function enqueue(id: string, state: 'done' | 'waiting'): Promise<void> {
  await house.store.transact(async ({ messages }) => {
    const now = house.clock.now();
    const payload = Buffer.from('x');
    const delivery = { id, destination: 'send:ward', lane: id, createdAt: now, contentType: 'text/plain' };
    await messages.enqueue({ ...delivery, payload, cause: 'c' });
    if (state === 'waiting') return;
    const leased = await messages.lease({ destinations: ['send:*'], now, leaseMs: 1, limit: 10 });
    const mine = leased.find((one) => one.id === id)!;
    await messages.settle(id, mine.lease!, { state: 'done' });
    for (const { id: other, lease } of leased.filter((one) => one.id !== id)) {
      await messages.settle(other, lease!, {
        state: 'waiting',
        dueAt: now,
        reason: { code: 'x', text: 'x' },
      });
    }
  });
}

test('only old messages and deliveries in final states go, with their bytes', async () => {
  await given('old');
  const processed = (await house.messages()).find((one) => one.controlId === 'old-processed')!;
  house.clock.advance(91 * day);
  await given('new');
  await createRetention(house).run();
  const kept = ['old-dead', 'old-received', ...states.map((state) => `new-${state}`)];
  expect(Object.keys(await house.states()).sort()).toEqual(kept.sort());
  expect(await house.store.messages.raw(processed.id)).toBeUndefined();
  const left = await house.store.messages.deliveries({ limit: 10, offset: 0 });
  expect(left.items.map(({ id }) => id).sort()).toEqual(['new-done', 'new-waiting', 'old-waiting']);
});

test('more than one batch goes in one night', async () => {
  const inbox = house.inbox();
  await Promise.all(
    Array.from({ length: 450 }, (_, index) =>
      inbox.receive(arrivalOf(Buffer.from(`MSH|^~\\&|A|B|C|D|20261121||QBP^Q11|${index}|P|2.5.1\r`))),
    ),
  );
  const ids = (await house.messages()).map(({ id }) => id);
  await house.store.transact(async ({ messages }) => {
    for (const id of ids) await messages.change(id, { state: 'set-aside' });
  });
  house.clock.advance(8 * day);
  await createRetention({ ...house, messageDays: 7 }).run();
  expect(await house.messages()).toEqual([]);
});

test('a channel may keep its messages shorter, and no more than so many', async () => {
  const settingsOf = (channel: string) => ({
    ...usualSettings(channel),
    retention: channel === 'short' ? { days: 2 } : channel === 'few' ? { count: 2 } : {},
  });
  for (const channel of ['short', 'few', 'usual']) {
    for (const controlId of ['1', '2', '3']) {
      const { messageId } = await house.inbox().receive(arrivalOf(hl7({ controlId }), channel));
      await house.store.transact(({ messages }) => messages.change(messageId, { state: 'processed' }));
      house.clock.advance(day);
    }
  }
  await createRetention({ ...house, settingsOf }).run();
  const left = (await house.messages()).map(({ channel, controlId }) => `${channel} ${controlId}`);
  expect(left.sort()).toEqual(['few 2', 'few 3', 'usual 1', 'usual 2', 'usual 3']);
});

test('what goes gives its space back to the disk while the store is in use', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kiungo-retention-'));
  const full = await openHouse(folder);
  const raw = Buffer.concat([hl7({ controlId: 'pdf' }), Buffer.alloc(20_000_000, 'NTE|1||x\r')]);
  await full.inbox().receive(arrivalOf(raw));
  const [message] = await full.messages();
  await full.store.transact(({ messages }) => messages.change(message!.id, { state: 'processed' }));
  full.clock.advance(91 * day);
  await createRetention(full).run();
  await full.inbox().receive(arrivalOf(hl7({ controlId: 'after' })));
  expect(Object.keys(await full.states())).toEqual(['after']);
  await full.store.close();
  expect(statSync(join(folder, 'kiungo.db')).size).toBeLessThan(8_000_000);
  rmSync(folder, { recursive: true });
});

test('a store of an earlier release gives nothing back until it was compacted, and does then', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kiungo-retention-'));
  const file = join(folder, 'kiungo.db');
  const asOnce = await openHouse(folder);
  await asOnce.store.close();
  const connection = new Connection(file, { cacheKiB: 1_000, mapBytes: 0, busyTimeoutMs: 1_000 });
  connection.database.exec(`PRAGMA auto_vacuum = NONE; VACUUM; CREATE TABLE filler (bytes BLOB);
    INSERT INTO filler VALUES (zeroblob(9000000)); DROP TABLE filler`);
  connection.close();
  const sizes = [statSync(file).size];
  for (const prepare of [() => undefined, () => compactStore(file)]) {
    prepare();
    const { store } = await openHouse(folder);
    expect(await store.shrink()).toBe(false);
    await store.close();
    sizes.push(statSync(file).size);
  }
  expect(sizes[1]).toBe(sizes[0]);
  expect(sizes[2]).toBeLessThan(2_000_000);
  const compacted = new Connection(file, { cacheKiB: 1_000, mapBytes: 0, busyTimeoutMs: 1_000 });
  expect(compacted.row('PRAGMA auto_vacuum')).toEqual({ auto_vacuum: 2 });
  compacted.close();
  rmSync(folder, { recursive: true });
});
