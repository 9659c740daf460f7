// The purge: what has ended and is old goes; what waits for a person or a machine never does.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createRetention } from '../../../engine/messages/retention.ts';
import { arrivalOf, hl7, openHouse, until, type House } from './house.ts';

let house: House;
beforeEach(async () => {
  house = await openHouse();
});
afterEach(() => house.close());

const day = 86_400_000;

async function given(prefix: string): Promise<void> {
  const inbox = house.inbox();
  const processor = house.processor();
  const values = { processed: '1.0', dead: 'BAD', aside: 'NOTHING' };
  for (const [name, value] of Object.entries(values)) {
    await inbox.receive(arrivalOf(hl7({ controlId: `${prefix}-${name}`, specimen: prefix, value })));
  }
  processor.start();
  await until(async () => !Object.values(await house.states()).includes('received'));
  await processor.stop();
  await inbox.receive(arrivalOf(hl7({ controlId: `${prefix}-waiting` })));
  for (const state of ['done', 'waiting'] as const) {
    await enqueue(`${prefix}-${state}`, state);
  }
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
  expect(Object.keys(await house.states()).sort()).toEqual([
    'new-aside',
    'new-dead',
    'new-processed',
    'new-waiting',
    'old-dead',
    'old-waiting',
  ]);
  expect(await house.store.messages.raw(processed.id)).toBeUndefined();
  const left = await house.store.messages.deliveries({ limit: 10, offset: 0 });
  expect(left.items.map(({ id }) => id).sort()).toEqual(['new-done', 'new-waiting', 'old-waiting']);
  // What the message caused stays: the purge takes the wire, not the chart.
  expect(await house.versions('Observation/obs-old')).toBe(1);
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
