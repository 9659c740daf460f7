// What the other parts build on: several writes and messages in one commit, and being told of it.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { engineActor } from '../../../engine/kernel/actor.ts';
import { startServer, type RunningServer } from '../rest/running-server.ts';

let server: RunningServer;
let committed = 0;
beforeAll(async () => {
  server = await startServer();
  server.repository.onCommitted(() => {
    committed++;
  });
});
afterAll(() => server.stop());

const delivery = {
  id: 'd-1',
  destination: 'flow:x',
  lane: 'x',
  createdAt: 0,
  contentType: 'text/plain',
  payload: new Uint8Array(),
  cause: 'm-1',
};

describe('a unit of work', () => {
  test('resources and deliveries commit together, and the listeners hear once', async () => {
    committed = 0;
    await server.repository.transact(engineActor, async (unit) => {
      await unit.create({ resourceType: 'Basic' }, { id: 'one' });
      await unit.update({ resourceType: 'Basic', id: 'two' });
      await unit.messages.enqueue(delivery);
      // Reads see what this unit wrote.
      expect((await unit.read('Basic', 'one')).version).toBe(1);
    });
    expect(committed).toBe(1);
    expect(await server.store.messages.delivery('d-1')).toMatchObject({ state: 'waiting' });
  });

  test('what fails leaves nothing, and nobody hears', async () => {
    committed = 0;
    const failing = server.repository.transact(engineActor, async (unit) => {
      await unit.create({ resourceType: 'Basic' }, { id: 'three' });
      await unit.messages.enqueue({ ...delivery, id: 'd-2' });
      throw new Error('half-way');
    });
    await expect(failing).rejects.toThrow('half-way');
    expect(committed).toBe(0);
    await expect(server.repository.as(engineActor).read('Basic', 'three')).rejects.toMatchObject({
      code: 'not-found',
    });
    expect(await server.store.messages.delivery('d-2')).toBeUndefined();
  });

  test('what changed nothing is not announced', async () => {
    committed = 0;
    const basic = { resourceType: 'Basic', id: 'same' };
    await server.repository.as(engineActor).update(basic);
    server.events.length = 0;
    const again = await server.repository.as(engineActor).update(basic);
    expect(again).toMatchObject({ outcome: 'unchanged', stored: { version: 1 } });
    expect({ committed, events: server.events }).toEqual({ committed: 1, events: [] });
  });

  test('creating under an id that is taken is a conflict', async () => {
    const unit = server.repository.as(engineActor);
    await unit.create({ resourceType: 'Basic' }, { id: 'taken' });
    await expect(unit.create({ resourceType: 'Basic' }, { id: 'taken' })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  test('a history does not run backwards when the clock does', async () => {
    const unit = server.repository.as(engineActor);
    const before = await unit.create({ resourceType: 'Basic' }, { id: 'clock' });
    server.clock.pass(-60_000);
    const after = await unit.update({ resourceType: 'Basic', id: 'clock', language: 'sw' });
    server.clock.pass(60_000);
    expect(after.stored.lastUpdated).toBe(before.stored.lastUpdated);
  });
});
