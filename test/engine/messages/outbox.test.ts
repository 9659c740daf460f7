// The outbox: each lane in order, at least once, and what fails for good waits for a person.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { unavailable } from '../../../engine/kernel/outcomes.ts';
import { createOutbox, type Outbox } from '../../../engine/messages/outbox.ts';
import type { SendResult } from '../../../engine/messages/ports.ts';
import type { Delivery } from '../../../engine/storage/message-store.ts';
import { openHouse, until, type House } from './house.ts';

const done: SendResult = { state: 'done' };
const failed = (retry: 'transient' | 'ambiguous' | 'permanent'): SendResult => ({
  state: 'failed',
  retry,
  reason: { code: 'no-answer', text: 'the destination does not answer' },
});

let house: House;
let outbox: Outbox;
beforeEach(async () => {
  house = await openHouse();
  outbox = newOutbox();
});
afterEach(async () => {
  await outbox.stop();
  await house.close();
});

const newOutbox = (): Outbox => createOutbox({ ...house, leaseMs: 10_000, pollMs: 5 });

async function given(id: string, destination = 'ward', lane = 'one'): Promise<void> {
  const name = `send:${destination}`;
  const delivery = {
    id,
    destination: name,
    lane: `${name}/${lane}`,
    createdAt: house.clock.now(),
    contentType: 'application/hl7-v2',
    payload: Buffer.from(`MSH|${id}`),
    cause: 'message-1',
  };
  await house.store.transact(({ messages }) => messages.enqueue(delivery));
  house.clock.advance(1);
}

const deliveryOf = async (id: string): Promise<Delivery> => (await house.store.messages.delivery(id))!;
const reaches = (id: string, state: Delivery['state']): Promise<void> =>
  until(async () => (await deliveryOf(id)).state === state);

/** A sender that answers by the script of each delivery, `done` when it has ended, and tells what it was given. */
function scripted(script: Readonly<Record<string, readonly SendResult[]>> = {}): {
  readonly sent: string[];
  send(delivery: { id: string; payload: Uint8Array }): Promise<SendResult>;
  close(): Promise<void>;
} {
  const sent: string[] = [];
  return {
    sent,
    send: async ({ id, payload }) => {
      const tries = sent.filter((text) => text === `MSH|${id}`).length;
      sent.push(Buffer.from(payload).toString());
      return script[id]?.[tries] ?? done;
    },
    close: async () => void sent.push('closed'),
  };
}

test('a lane is handed over in order', async () => {
  const sender = scripted();
  for (const id of ['a', 'b', 'c']) await given(id);
  outbox.register('ward', sender);
  outbox.start();
  await reaches('c', 'done');
  expect(sender.sent).toEqual(['MSH|a', 'MSH|b', 'MSH|c']);
});

describe('what waits in a lane is handed over in one go', () => {
  test('up to the one that fails: what is behind it was not tried', async () => {
    const sender = scripted({ b: [failed('transient')] });
    for (const id of ['a', 'b', 'c', 'd']) await given(id);
    outbox.register('ward', sender);
    outbox.start();
    await until(async () => (await deliveryOf('b')).reason !== undefined);
    await until(async () => (await deliveryOf('c')).state === 'waiting');
    expect([await deliveryOf('a'), await deliveryOf('b'), await deliveryOf('d')]).toMatchObject([
      { state: 'done', attempts: 1 },
      { state: 'waiting', attempts: 1 },
      { state: 'waiting', attempts: 0 },
    ]);
    house.clock.advance(2_600);
    await reaches('d', 'done');
    expect(sender.sent).toEqual(['MSH|a', 'MSH|b', 'MSH|b', 'MSH|c', 'MSH|d']);
    expect((await deliveryOf('d')).attempts).toBe(1);
  });

  test('in many lanes that end at the same time, each to its end and in order', async () => {
    const lanes = Array.from({ length: 14 }, (_, lane) => `lane${lane}`);
    const sent: Record<string, number[]> = {};
    for (let nth = 0; nth < 30; nth += 1) {
      for (const lane of lanes) await given(`${lane}/${nth}`, 'ward', lane);
    }
    const send = async ({ id }: { readonly id: string }): Promise<SendResult> => {
      const [lane = '', nth] = id.split('/');
      await sleep(3);
      (sent[lane] ??= []).push(Number(nth));
      return done;
    };
    outbox.register('ward', { send, close: async () => undefined });
    outbox.start();
    for (const lane of lanes) await reaches(`${lane}/29`, 'done');
    expect(Object.values(sent)).toEqual(lanes.map(() => Array.from({ length: 30 }, (_, nth) => nth)));
  });

  test('up to where a person holds the destination', async () => {
    const sender = scripted();
    const holding: typeof sender = {
      ...sender,
      send: (delivery) => {
        if (delivery.id === 'b') outbox.hold('ward');
        return sender.send(delivery);
      },
    };
    for (const id of ['a', 'b', 'c']) await given(id);
    outbox.register('ward', holding);
    outbox.start();
    await reaches('b', 'done');
    await until(async () => (await deliveryOf('c')).state === 'waiting');
    expect([sender.sent, (await deliveryOf('c')).attempts]).toEqual([['MSH|a', 'MSH|b'], 0]);
    outbox.letGo('ward');
    await reaches('c', 'done');
  });

  test('and where one cannot be settled, the others are all the same', async () => {
    const sender = scripted();
    const store: Pick<House['store'], 'transact'> = {
      transact: (work) =>
        house.store.transact(({ messages, ...others }) => {
          const settle: typeof messages.settle = (id, ...rest) =>
            id === 'b' ? Promise.reject(unavailable('the disk is full')) : messages.settle(id, ...rest);
          const lease: typeof messages.lease = (request) => messages.lease(request);
          return work({ ...others, messages: { ...messages, lease, settle } });
        }),
    };
    await outbox.stop();
    outbox = createOutbox({ ...house, store, leaseMs: 10_000, pollMs: 5 });
    for (const id of ['a', 'b', 'c']) await given(id);
    outbox.register('ward', sender);
    outbox.start();
    await reaches('c', 'done');
    expect([(await deliveryOf('a')).state, (await deliveryOf('b')).state]).toEqual(['done', 'leased']);
  });
});

test('a passing failure holds its lane, and no other one', async () => {
  const sender = scripted({ a: [failed('transient')] });
  await given('a');
  await given('b');
  await given('c', 'ward', 'two');
  outbox.register('ward', sender);
  outbox.start();
  await reaches('c', 'done');
  await until(
    async () => (await deliveryOf('a')).attempts === 1 && (await deliveryOf('a')).state === 'waiting',
  );
  expect((await deliveryOf('b')).state).toBe('waiting');
  expect((await deliveryOf('a')).reason?.code).toBe('no-answer');

  house.clock.advance(2_600);
  await reaches('b', 'done');
  expect(sender.sent.filter((text) => text !== 'MSH|c')).toEqual(['MSH|a', 'MSH|a', 'MSH|b']);
});

test('a destination that is slow in many lanes holds up no other one', async () => {
  let letGo = (): void => undefined;
  const answered = new Promise<SendResult>((answer) => (letGo = () => answer(done)));
  const slow = { send: () => answered, close: () => Promise.resolve() };
  const lanes = Array.from({ length: 100 }, (_, lane) => `s${lane}`);
  for (const id of lanes) await given(id, 'slow', id);
  await given('quick', 'quick');
  outbox.register('slow', slow);
  outbox.register('quick', scripted());
  outbox.start();
  await reaches('quick', 'done');
  expect(outbox.state()['slow']).toMatchObject({ underWay: 16 });
  letGo();
  await reaches('s99', 'done');
});

describe('given up, and the lane goes on', () => {
  test.each([
    ['permanent', [failed('permanent')], 'no-answer'],
    ['ambiguous', [failed('ambiguous')], 'no-answer'],
  ] as const)('%s', async (_name, script, code) => {
    const sender = scripted({ a: script });
    await given('a');
    await given('b');
    outbox.register('ward', sender);
    outbox.start();
    await reaches('b', 'done');
    expect(await deliveryOf('a')).toMatchObject({ state: 'dead', attempts: 1, reason: { code } });
  });

  test('a destination may say that an ambiguous failure is harmless to repeat', async () => {
    await given('a');
    const policy = { delaysMs: [1_000], tries: 3, ambiguous: 'try-again' } as const;
    outbox.register('ward', scripted({ a: [failed('ambiguous')] }), { policy });
    outbox.start();
    await until(
      async () => (await deliveryOf('a')).state === 'waiting' && (await deliveryOf('a')).attempts === 1,
    );
    house.clock.advance(1_300);
    await reaches('a', 'done');
  });

  test('the last try', async () => {
    await given('a');
    const policy = { delaysMs: [1_000], tries: 2, ambiguous: 'give-up' } as const;
    outbox.register('ward', scripted({ a: [failed('transient'), failed('transient')] }), { policy });
    outbox.start();
    await until(
      async () => (await deliveryOf('a')).attempts === 1 && (await deliveryOf('a')).state === 'waiting',
    );
    house.clock.advance(1_300);
    await reaches('a', 'dead');
    expect((await deliveryOf('a')).attempts).toBe(2);
  });

  test('an unknown destination', async () => {
    await given('a', 'nowhere');
    outbox.start();
    await reaches('a', 'dead');
    expect((await deliveryOf('a')).reason?.code).toBe('unknown-destination');
  });

  test.each([
    ['a defect', new TypeError('x is undefined'), 'dead', 'defect'],
    ['a refusal that passes', unavailable('the line is down'), 'waiting', 'unavailable'],
  ] as const)('a sender that throws %s', async (_name, error, state, code) => {
    await given('a');
    outbox.register('ward', { send: () => Promise.reject(error), close: async () => undefined });
    outbox.start();
    await until(async () => (await deliveryOf('a')).reason !== undefined);
    expect(await deliveryOf('a')).toMatchObject({ state, reason: { code } });
  });
});

test('after a power cut while sending, the same bytes are sent again once the lease has run out', async () => {
  await given('a');
  const [leased] = await house.store.transact(({ messages }) =>
    messages.lease({ destinations: ['send:*'], now: house.clock.now(), leaseMs: 10_000, limit: 1 }),
  );
  expect(leased?.id).toBe('a');
  const at = house.clock.now();
  await outbox.stop();
  house = await house.reopened();
  house.clock.advance(at - house.clock.now());
  const sender = scripted();
  outbox = newOutbox();
  outbox.register('ward', sender);
  outbox.start();
  await sleep(50);
  expect(sender.sent).toEqual([]);
  house.clock.advance(10_001);
  await reaches('a', 'done');
  expect(sender.sent).toEqual(['MSH|a']);
  expect((await deliveryOf('a')).attempts).toBe(2);
});

test('a sender that takes longer than its lease is not called a second time, and that is one try', async () => {
  await given('a');
  let calls = 0;
  let finish: (result: SendResult) => void = () => undefined;
  const send = (): Promise<SendResult> => {
    calls += 1;
    return new Promise((resolve) => (finish = resolve));
  };
  outbox.register('ward', { send, close: async () => undefined });
  outbox.start();
  await until(() => calls === 1);
  const { lease } = await deliveryOf('a');
  house.clock.advance(10_001);
  await until(async () => (await deliveryOf('a')).lease !== lease);
  expect((await deliveryOf('a')).attempts).toBe(1);
  finish(failed('transient'));
  await reaches('a', 'waiting');
  expect([calls, (await deliveryOf('a')).attempts]).toEqual([1, 1]);
});

test('what waits in line behind a slow sender was not tried, however often its lease is prolonged', async () => {
  for (const id of ['a', 'b']) await given(id);
  let finish: (result: SendResult) => void = () => undefined;
  const send = (): Promise<SendResult> => new Promise((resolve) => (finish = resolve));
  outbox.register('ward', { send, close: async () => undefined });
  outbox.start();
  await reaches('b', 'leased');
  for (let prolonged = 0; prolonged < 3; prolonged += 1) {
    const { lease } = await deliveryOf('b');
    house.clock.advance(10_001);
    await until(async () => (await deliveryOf('b')).lease !== lease);
  }
  finish(failed('transient'));
  await reaches('b', 'waiting');
  expect([(await deliveryOf('a')).attempts, (await deliveryOf('b')).attempts]).toEqual([1, 0]);
});

test('stop waits for what is under way, then closes the senders', async () => {
  const events: string[] = [];
  const send = async (): Promise<SendResult> => {
    events.push('begun');
    await sleep(40);
    events.push('ended');
    return done;
  };
  await given('a');
  outbox.register('ward', { send, close: async () => void events.push('closed') });
  outbox.start();
  await until(() => events.length === 1);
  await outbox.stop();
  expect(events).toEqual(['begun', 'ended', 'closed']);
  expect((await deliveryOf('a')).state).toBe('done');
});
