// What a person does with messages that wait for one.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createDeadLetters, type DeadLetters } from '../../../engine/messages/dead-letters.ts';
import type { Processor } from '../../../engine/messages/processor.ts';
import type { MessageRecord } from '../../../engine/storage/message-store.ts';
import { administrator, arrivalOf, hl7, openHouse, until, type House, type MessageParts } from './house.ts';

let house: House;
let processor: Processor;
let deadLetters: DeadLetters;
beforeEach(async () => {
  house = await openHouse();
  processor = house.processor();
  deadLetters = createDeadLetters({
    ...house,
    wake: () => processor.wake(),
    wakeDeliveries: () => undefined,
  });
  processor.start();
});
afterEach(async () => {
  await processor.stop();
  await house.close();
});

const messageOf = async (id: string): Promise<MessageRecord> => (await house.store.messages.message(id))!;

async function settled(id: string): Promise<MessageRecord> {
  await until(async () => (await messageOf(id)).state !== 'received');
  return messageOf(id);
}

async function given(parts: MessageParts): Promise<string> {
  const { messageId } = await house.inbox().receive(arrivalOf(hl7(parts)));
  await settled(messageId);
  return messageId;
}

describe('replay', () => {
  test('of a processed message makes the same resources and no new versions', async () => {
    const id = await given({});
    const before = await messageOf(id);
    const replayed = await deadLetters.replay(id, administrator);
    expect(replayed).toMatchObject({ state: 'received', attempts: 0, changedBy: 'amina' });
    expect(await settled(id)).toMatchObject({ state: 'processed', effects: before.effects });
    expect(await house.versions('Observation/obs-S1')).toBe(1);
    expect(await house.versions('Patient/pat-1')).toBe(1);
  });

  test('of a dead one succeeds once its trouble is gone', async () => {
    house.trouble.busy = true;
    await processor.stop();
    processor = house.processor({ policy: { delaysMs: [1], tries: 1, ambiguous: 'give-up' } });
    processor.start();
    const id = await given({ value: 'BUSY' });
    expect((await messageOf(id)).state).toBe('dead');
    house.trouble.busy = false;
    await deadLetters.replay(id, administrator);
    expect((await settled(id)).state).toBe('processed');
  });
});

describe('mend', () => {
  test('processes new bytes in its place, and says so in both', async () => {
    const id = await given({ value: 'BAD' });
    const mended = await deadLetters.mend(id, hl7({ value: '2.780' }), administrator);
    expect(mended).toMatchObject({
      channel: 'lab',
      replayOf: id,
      changedBy: 'amina',
      acknowledgement: 'not-owed',
    });
    expect((await settled(mended.id)).state).toBe('processed');
    expect(await messageOf(id)).toMatchObject({
      state: 'discarded',
      reason: { code: 'mended-as', text: mended.id },
      changedBy: 'amina',
    });
    expect(Buffer.from((await house.store.messages.raw(id))!)).toEqual(hl7({ value: 'BAD' }));
    await expect(deadLetters.replay(id, administrator)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('a device that then sends the same bytes itself is answered, and nothing is doubled', async () => {
    const id = await given({ value: 'BAD' });
    await deadLetters.mend(id, hl7({}), administrator);
    const receipt = await house.inbox().receive(arrivalOf(hl7({})));
    expect(receipt.answers).toHaveLength(1);
    expect(await house.messages()).toHaveLength(2);
  });

  test('what cannot be read is refused', async () => {
    const id = await given({ value: 'BAD' });
    const garbage = Buffer.from('not a message');
    await expect(deadLetters.mend(id, garbage, administrator)).rejects.toMatchObject({ code: 'bad-request' });
    expect((await messageOf(id)).state).toBe('dead');
  });
});

test('discard says why and by whom', async () => {
  const id = await given({ value: 'BAD' });
  const discarded = await deadLetters.discard(id, 'sent by mistake', administrator);
  expect(discarded).toMatchObject({
    state: 'discarded',
    reason: { code: 'discarded-by-person', text: 'sent by mistake' },
    changedBy: 'amina',
  });
});

test.each([
  ['mend', 'processed', {}],
  ['discard', 'processed', {}],
] as const)('%s of a %s message is a conflict', async (action, _state, parts) => {
  const id = await given(parts);
  const done =
    action === 'mend'
      ? deadLetters.mend(id, hl7(), administrator)
      : deadLetters.discard(id, 'x', administrator);
  await expect(done).rejects.toMatchObject({ code: 'conflict' });
});

test('what is not known is not found', async () => {
  for (const done of [
    deadLetters.replay('nothing', administrator),
    deadLetters.mend('nothing', hl7(), administrator),
    deadLetters.discard('nothing', 'x', administrator),
    deadLetters.requeueDelivery('nothing', administrator),
    deadLetters.discardDelivery('nothing', 'x', administrator),
  ]) {
    await expect(done).rejects.toMatchObject({ code: 'not-found' });
  }
});
