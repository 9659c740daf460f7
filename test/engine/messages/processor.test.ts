// Processing: each message once, in order, with all its effects or none.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Processor } from '../../../engine/messages/processor.ts';
import type { MessageRecord } from '../../../engine/storage/message-store.ts';
import { arrivalOf, hl7, openHouse, until, type House, type MessageParts } from './house.ts';

let house: House;
let processor: Processor;
beforeEach(async () => {
  house = await openHouse();
  processor = house.processor();
});
afterEach(async () => {
  await processor.stop();
  await house.close();
});

async function given(parts: MessageParts, channel = 'lab'): Promise<string> {
  const { messageId } = await house.inbox().receive(arrivalOf(hl7(parts), channel));
  house.clock.advance(1);
  return messageId;
}

async function whenProcessed(id: string): Promise<MessageRecord> {
  processor.start();
  await until(async () => (await house.store.messages.message(id))?.state !== 'received');
  return (await house.store.messages.message(id))!;
}

describe('what becomes of a message', () => {
  test('its resources and its state are there together', async () => {
    const message = await whenProcessed(await given({ specimen: 'S7' }));
    expect(message).toMatchObject({
      state: 'processed',
      map: 'test-result',
      effects: ['Patient/pat-1/_history/1', 'Observation/obs-S7/_history/1'],
      reason: undefined,
    });
    expect(await house.versions('Observation/obs-S7')).toBe(1);
  });

  test('its map is told what is already known', async () => {
    const patient = { resourceType: 'Patient', identifier: [{ system: 'urn:test', value: '7393670' }] };
    const actor = { kind: 'system', id: 'test', scopes: [] } as const;
    const known = await house.repository.as(actor).create(patient);
    const message = await whenProcessed(await given({}));
    expect(message.effects[0]).toContain(`Patient/${known.stored.id}/`);
  });

  test.each<[MessageParts, MessageRecord['state'], string, RegExp]>([
    [{ type: 'QBP^Q11' }, 'set-aside', 'query', /flow/],
    [{ value: 'NOTHING' }, 'set-aside', 'nothing-to-store', /no resources/],
    [{ type: 'ADT^A01' }, 'dead', 'no-map', /ADT\^A01/],
    [{ value: 'BAD' }, 'dead', 'bad-value', /OBX\[1\]-5: no value/],
    [{ value: 'EMPTY' }, 'dead', 'map-made-empty', /entry\[1\]\.resource\.valueString/],
    [{ value: 'DANGLING' }, 'dead', 'map-unresolved', /entry\[1\]/],
    [{ value: 'DEFECT' }, 'dead', 'defect', /log/],
  ])('%j is %s: %s', async (parts, state, code, text) => {
    const message = await whenProcessed(await given(parts));
    expect(message.state).toBe(state);
    expect(message.reason?.code).toBe(code);
    expect(message.reason?.text).toMatch(text);
    expect(message.effects).toEqual([]);
    expect(await house.versions('Observation/obs-S1')).toBe(0);
  });

  test('those who listen are told in the same commit; when they fail nothing is kept', async () => {
    const told: string[] = [];
    processor.onProcessed(async (message) => {
      told.push(message.controlId);
      if (message.controlId === 'bad') throw new Error('a defect of the listener');
    });
    const bad = await given({ controlId: 'bad', specimen: 'S1' });
    const good = await given({ controlId: 'good', specimen: 'S2' });
    await whenProcessed(good);
    expect(told).toEqual(['bad', 'good']);
    expect((await house.store.messages.message(bad))?.reason?.code).toBe('defect');
    expect(await house.versions('Observation/obs-S1')).toBe(0);
    expect(await house.versions('Observation/obs-S2')).toBe(1);
  });
});

describe('order', () => {
  test('a channel waits behind its head while a passing trouble lasts; other channels go on', async () => {
    house.trouble.busy = true;
    const head = await given({ controlId: 'head', value: 'BUSY', specimen: 'S1' });
    const next = await given({ controlId: 'next', specimen: 'S2' });
    const other = await given({ controlId: 'other', specimen: 'S3' }, 'lab-2');
    await whenProcessed(other);
    await until(async () => (await house.store.messages.message(head))?.attempts === 1);
    expect(await house.states()).toEqual({ head: 'received', next: 'received', other: 'processed' });
    expect((await house.store.messages.message(head))?.reason?.code).toBe('conflict');

    house.trouble.busy = false;
    house.clock.advance(2_000);
    const last = await whenProcessed(next);
    const first = await house.store.messages.message(head);
    expect([first?.state, last.state]).toEqual(['processed', 'processed']);
    expect(first?.reason).toBeUndefined();
  });

  test('after its last try the head is dead, and its channel goes on', async () => {
    house.trouble.busy = true;
    processor = house.processor({ policy: { delaysMs: [1_000], tries: 3, ambiguous: 'give-up' } });
    const head = await given({ controlId: 'head', value: 'BUSY' });
    const next = await given({ controlId: 'next', specimen: 'S2' });
    processor.start();
    for (const attempts of [1, 2]) {
      await until(async () => (await house.store.messages.message(head))?.attempts === attempts);
      house.clock.advance(1_300);
    }
    await whenProcessed(next);
    const dead = await house.store.messages.message(head);
    expect(dead).toMatchObject({ state: 'dead', attempts: 3, reason: { code: 'conflict' } });
  });

  test('a trouble in the midst undoes only its own message, and those behind it wait', async () => {
    house.trouble.busy = true;
    const tried: string[] = [];
    processor.onProcessed(async ({ controlId }) => void tried.push(controlId));
    await given({ controlId: '1', specimen: 'S1' });
    const second = await given({ controlId: '2', specimen: 'S2', value: 'BUSY' });
    await given({ controlId: '3', specimen: 'S3', value: 'BAD' });
    const last = await given({ controlId: '4', specimen: 'S4' });
    processor.start();
    await until(async () => (await house.store.messages.message(second))?.attempts === 1);
    expect(await house.states()).toEqual({ 1: 'processed', 2: 'received', 3: 'received', 4: 'received' });

    house.trouble.busy = false;
    house.clock.advance(2_000);
    await whenProcessed(last);
    expect(await house.states()).toEqual({ 1: 'processed', 2: 'processed', 3: 'dead', 4: 'processed' });
    expect(tried).toEqual(['1', '2', '4']);
  });

  test('many messages of one channel are processed in the order of arrival', async () => {
    const order: string[] = [];
    processor.onProcessed(async ({ controlId }) => void order.push(controlId));
    const numbers = Array.from({ length: 30 }, (_, index) => String(index));
    let last = '';
    for (const controlId of numbers) last = await given({ controlId, specimen: `S${controlId}` });
    await whenProcessed(last);
    expect(order).toEqual(numbers);
  });
});

describe('after a power cut', () => {
  test('what was kept and not processed is processed', async () => {
    const id = await given({});
    house = await house.reopened();
    processor = house.processor();
    expect((await whenProcessed(id)).state).toBe('processed');
    expect(await house.versions('Observation/obs-S1')).toBe(1);
  });

  test('what was committed is not processed again', async () => {
    const id = await given({});
    await whenProcessed(id);
    await processor.stop();
    house = await house.reopened();
    processor = house.processor();
    processor.start();
    await whenProcessed(await given({ controlId: '2', specimen: 'S2' }));
    expect(await house.versions('Observation/obs-S1')).toBe(1);
    expect((await house.store.messages.message(id))?.effects).toEqual([
      'Patient/pat-1/_history/1',
      'Observation/obs-S1/_history/1',
    ]);
  });
});

test('stop finishes the message under way and begins no other', async () => {
  await given({ controlId: '1', specimen: 'S1' });
  await given({ controlId: '2', specimen: 'S2' });
  let stopped: Promise<void> | undefined;
  processor.onProcessed(async () => {
    stopped ??= processor.stop();
  });
  processor.start();
  await until(() => stopped !== undefined);
  await stopped;
  expect(await house.states()).toEqual({ 1: 'processed', 2: 'received' });
});

test('a message of a held channel makes nobody look for what is due; one of another channel does', async () => {
  let looks = 0;
  const { messages } = house.store;
  const counted = house.processor({
    pollMs: 60_000,
    held: () => ['paused'],
    messages: {
      dueMessages: (...asked) => {
        looks += 1;
        return messages.dueMessages(...asked);
      },
      dueBehind: (...asked) => messages.dueBehind(...asked),
    },
  });
  counted.start();
  await until(() => looks === 1);
  counted.wake('paused');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(looks).toBe(1);
  counted.wake('lab');
  await until(() => looks === 2);
  await counted.stop();
});
