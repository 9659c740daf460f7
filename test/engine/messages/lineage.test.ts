// The story of a message, told from any of its ends.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { compileChannel } from '../../../engine/messages/channels/compile-channel.ts';
import { createDeadLetters } from '../../../engine/messages/dead-letters.ts';
import { lineageOf } from '../../../engine/messages/lineage.ts';
import { administrator, arrivalOf, hl7, openHouse, until, type House } from './house.ts';

let house: House;
beforeEach(async () => {
  house = await openHouse();
});
afterEach(() => house.close());

const settings = compileChannel({
  name: 'lab',
  source: { kind: 'http' },
  destinations: [{ name: 'lis', to: { kind: 'file', folder: 'x' } }],
});

async function processAll(): Promise<void> {
  const processor = house.processor({ settingsOf: () => settings });
  processor.start();
  await until(async () => !Object.values(await house.states()).includes('received'));
  await processor.stop();
}

/** A message that was dead, mended, processed, handed on; and an event that its Observation caused. */
async function given(): Promise<{ readonly dead: string; readonly mended: string; readonly event: string }> {
  const { messageId: dead } = await house.inbox().receive(arrivalOf(hl7({ value: 'BAD' })));
  await processAll();
  const deadLetters = createDeadLetters({ ...house, wake: () => undefined, wakeDeliveries: () => undefined });
  const { id: mended } = await deadLetters.mend(dead, hl7(), administrator);
  await processAll();
  const cause = (await house.store.messages.message(mended))!.effects.find((one) => one.startsWith('Obs'))!;
  const event = {
    ...{ id: 'event-1', destination: 'flow:tell', lane: 'flow:tell', contentType: 'application/json' },
    ...{ createdAt: house.clock.now(), payload: Buffer.from('{}'), cause },
  };
  const sent = { ...event, id: 'sent-1', destination: 'send:ward', lane: 'send:ward', cause: event.id };
  await house.store.transact(async ({ messages }) => {
    await messages.enqueue(event);
    await messages.enqueue(sent);
  });
  return { dead, mended, event: event.id };
}

describe('the same whole story', () => {
  test.each(['dead', 'mended', 'event', 'sent'] as const)('from what is %s', async (end) => {
    const found = await given();
    const id = end === 'sent' ? 'sent-1' : found[end];
    const { nodes, edges } = await lineageOf(id, house.store.messages);
    const places = new Map(nodes.map((node) => [node.id, node.place ?? node.id.split('/')[0]]));
    const told = edges.map(({ from, to, how }) => `${places.get(from)} ${how} ${places.get(to)}`);
    expect(told.sort()).toEqual([
      'Observation caused flow:tell',
      'flow:tell caused send:ward',
      'lab caused send:lab.lis',
      'lab mended lab',
      'lab stored Observation',
      'lab stored Patient',
    ]);
    expect(nodes[0]).toMatchObject({ id: found.dead, state: 'discarded' });
  });
});

test('what nobody knows is refused', async () => {
  await expect(lineageOf('nothing', house.store.messages)).rejects.toMatchObject({ code: 'not-found' });
});
