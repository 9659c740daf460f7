// Kept before acknowledged, once, and in order, also while the store is busy with something that takes long.
import { copyFileSync, cpSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { unavailable } from '../../../engine/kernel/outcomes.ts';
import type { InboxOptions, StoppableInbox } from '../../../engine/messages/inbox.ts';
import { Connection } from '../../../engine/storage/sqlite/connection.ts';
import type { TransactionChoice } from '../../../engine/storage/store.ts';
import { arrivalOf, hl7, msa, openHouse, until, type House } from './house.ts';

let folder: string;
let house: House;
let inbox: StoppableInbox;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kiungo-arrivals-'));
  house = await openHouse(folder);
  inbox = house.inbox();
});

afterEach(async () => {
  await inbox.stop();
  await house.close();
});

/** A transaction that lasts until it is let go. */
function hold(choice?: TransactionChoice): () => Promise<void> {
  const gate = Promise.withResolvers<undefined>();
  const held = house.store.transact(() => gate.promise, choice);
  return () => {
    gate.resolve(undefined);
    return held;
  };
}

const send = async (controlId: string, channel = 'lab'): Promise<readonly string[]> =>
  msa((await inbox.receive(arrivalOf(hl7({ controlId }), channel))).answers);

/** As the processor would take them. */
const inOrder = async (channel = 'lab'): Promise<readonly string[]> => {
  const messages = (await house.messages()).filter((one) => one.channel === channel);
  return messages.map(({ controlId }) => controlId).toReversed();
};

describe.each([
  ['that somebody waits for', {}],
  ['that can wait', { canWait: true }],
] as const)('beside a long transaction %s', (_name, choice) => {
  test('a message is acknowledged at once, and is in the store after it', async () => {
    const release = hold(choice);
    expect(await send('1')).toEqual(['AA 1']);
    expect(await house.messages()).toEqual([]);
    await release();
    await inbox.settled();
    expect(await house.states()).toEqual({ 1: 'received' });
  });

  test('those who work on messages are called when the store has it, and not before', async () => {
    const calls: string[] = [];
    inbox = house.inbox({ wake: (channel) => calls.push(channel) });
    const release = hold(choice);
    await Promise.all([send('1'), send('2'), send('3', 'ward')]);
    expect(calls).toEqual([]);
    await release();
    await inbox.settled();
    expect(calls.toSorted()).toEqual(['lab', 'ward']);
  });

  test('a copy that comes meanwhile, or later, is answered alike and not kept again', async () => {
    const release = hold(choice);
    const [one, two] = await Promise.all([send('1'), send('1')]);
    const three = await send('1');
    await release();
    await inbox.settled();
    const four = await send('1');
    expect([two, three, four]).toEqual([one, one, one]);
    expect(await inOrder()).toEqual(['1']);
  });

  test('what became of the answer meanwhile is known', async () => {
    const release = hold(choice);
    const receipts = [];
    for (const controlId of ['1', '2', '3']) {
      receipts.push(await inbox.receive(arrivalOf(hl7({ controlId }))));
    }
    receipts[0]?.answered('sent');
    receipts[1]?.answered('undelivered');
    receipts[1]?.answered('sent');
    receipts[0]?.answered('undelivered');
    await release();
    await inbox.settled();
    const fates = (await house.messages()).map((one) => [one.controlId, one.acknowledgement]);
    expect(Object.fromEntries(fates)).toEqual({ 1: 'sent', 2: 'sent', 3: 'pending' });
  });

  test('one too large for the journal is acknowledged when the store has it, between those before and after', async () => {
    const release = hold(choice);
    await send('1');
    let isAnswered = false;
    const large = inbox
      .receive(arrivalOf(hl7({ controlId: '2', value: '7'.repeat(1_100_000) })))
      .then(() => (isAnswered = true));
    await send('3');
    expect(isAnswered).toBe(false);
    await release();
    await large;
    await inbox.settled();
    expect(await inOrder()).toEqual(['1', '2', '3']);
  });

  test('a batch is kept as one', async () => {
    const release = hold(choice);
    const three = ['1', '2', '3'].map((controlId) => hl7({ controlId }));
    const batch = Buffer.concat([
      Buffer.from('BHS|^~\\&|LIS\r'),
      ...three,
      Buffer.from(`BTS|${three.length}\r`),
    ]);
    const receipt = await inbox.receive(arrivalOf(batch));
    await release();
    await inbox.settled();
    expect(await inOrder()).toEqual(['1', '2', '3']);
    const batches = new Set((await house.messages()).map((one) => one.batch));
    expect([...batches]).toEqual([receipt.batchId]);
  });
});

/** As a power cut leaves it: what is on the disk now, in a house of its own. */
async function afterPowerCut(): Promise<House> {
  const copy = mkdtempSync(join(tmpdir(), 'kiungo-arrivals-'));
  cpSync(folder, copy, { recursive: true });
  folder = copy;
  return openHouse(copy);
}

describe('after a power cut', () => {
  test('what was acknowledged from the journal is taken in, once, and its copies are known', async () => {
    await send('1');
    const release = hold();
    for (const controlId of ['2', '3']) await send(controlId);
    const dark = house;
    house = await afterPowerCut();
    expect(await inOrder()).toEqual(['1']);
    const calls: string[] = [];
    const after = house.inbox({ wake: (channel) => calls.push(channel) });
    await after.start();
    expect(await inOrder()).toEqual(['1', '2', '3']);
    expect(calls).toEqual(['lab']);
    const again = await after.receive(arrivalOf(hl7({ controlId: '3' })));
    expect(msa(again.answers)).toEqual(['AA 3']);
    await after.receive(arrivalOf(hl7({ controlId: '4' })));
    expect(await inOrder()).toEqual(['1', '2', '3', '4']);
    await after.stop();
    await release();
    await inbox.settled();
    await dark.close();
    inbox = after;
  });

  test('what the store has already is not taken in again, though it does not say so', async () => {
    const release = hold();
    for (const controlId of ['1', '2']) await send(controlId);
    const journal = readdirSync(folder).filter((name) => name.includes('arrivals'));
    const copies = mkdtempSync(join(tmpdir(), 'kiungo-arrivals-'));
    for (const name of journal) copyFileSync(join(folder, name), join(copies, name));
    await release();
    await inbox.stop();
    await house.store.close();
    for (const name of journal) copyFileSync(join(copies, name), join(folder, name));
    const file = join(folder, 'kiungo.db');
    const connection = new Connection(file, { cacheKiB: 1_024, mapBytes: 0, busyTimeoutMs: 100 });
    connection.database.exec('DELETE FROM arrival_mark');
    connection.close();
    house = await openHouse(folder);
    inbox = house.inbox();
    await inbox.start();
    expect(await inOrder()).toEqual(['1', '2']);
  });

  test('what was purged since it was taken in does not come back', async () => {
    const release = hold();
    await send('1');
    await release();
    await inbox.stop();
    await house.store.transact(({ messages }) => messages.purge(Infinity, ['received'], 10));
    house = await house.reopened();
    inbox = house.inbox();
    await inbox.start();
    expect(await house.messages()).toEqual([]);
  });
});

/** The real store, but its transactions fail as long as `isFull` says so. */
function fillable(isFull: () => boolean, isHeldUp = true): InboxOptions['store'] {
  const { store } = house;
  return {
    messages: store.messages,
    journal: store.journal,
    isHeldUp: () => isHeldUp,
    transact: (work, choice) =>
      store.transact(async (transaction) => {
        const done = await work(transaction);
        if (isFull()) throw unavailable("the store's disk or file: full");
        return done;
      }, choice),
  };
}

describe('when the store cannot write', () => {
  test('what the journal has is acknowledged, and taken in when the store can again', async () => {
    let full = true;
    inbox = house.inbox({ store: fillable(() => full) });
    expect(await send('1')).toEqual(['AA 1']);
    expect(await send('2')).toEqual(['AA 2']);
    await inbox.settled();
    expect(await house.messages()).toEqual([]);
    full = false;
    await until(async () => (await house.messages()).length === 2);
    expect(await inOrder()).toEqual(['1', '2']);
  });

  test('what only the store could have kept is refused, and kept when it comes again', async () => {
    let full = true;
    inbox = house.inbox({ store: fillable(() => full, false) });
    await expect(send('1')).rejects.toThrow('full');
    full = false;
    expect(await send('1')).toEqual(['AA 1']);
    expect(await inOrder()).toEqual(['1']);
  });

  test('copies that come together with what is refused are refused too', async () => {
    inbox = house.inbox({ store: fillable(() => true, false) });
    const ends = await Promise.allSettled([send('1'), send('1')]);
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});

describe('when the journal cannot be written', () => {
  test('the store alone keeps, and who waits for it is acknowledged then', async () => {
    await house.store.journal.close();
    const release = hold({ canWait: true });
    let isAnswered = false;
    const sent = send('1').then(() => (isAnswered = true));
    await new Promise((wait) => setTimeout(wait, 50));
    expect(isAnswered).toBe(false);
    await release();
    await sent;
    expect(await inOrder()).toEqual(['1']);
  });

  test('and where the store cannot either, it is refused', async () => {
    await house.store.journal.close();
    inbox = house.inbox({ store: fillable(() => true) });
    await expect(send('1')).rejects.toThrow('full');
    expect(await house.messages()).toEqual([]);
  });
});

type Step =
  | { readonly do: 'send'; readonly channel: string; readonly id: number }
  | { readonly do: 'hold' | 'release' | 'fill' | 'empty' | 'power-cut' };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      channel: fc.constantFrom('lab', 'ward'),
      id: fc.nat(30),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('hold' as const, 'release' as const, 'fill' as const, 'empty' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('power-cut' as const) }) },
);

test('whatever happens in whatever order: all that was acknowledged is there, once, in its order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 5, maxLength: 40 }), async (steps) => {
      let full = false;
      let release: (() => Promise<void>) | undefined;
      const acknowledged: Record<string, number[]> = { lab: [], ward: [] };
      const letGo = async (): Promise<void> => {
        await release?.();
        release = undefined;
      };
      const begin = async (opened: House): Promise<void> => {
        house = opened;
        inbox = house.inbox({ store: fillable(() => full, release !== undefined) });
        await inbox.start();
      };
      await house.close();
      folder = mkdtempSync(join(tmpdir(), 'kiungo-arrivals-'));
      await begin(await openHouse(folder));
      const rooms: House[] = [house];
      const does = {
        hold: async () => void (release ??= hold({ canWait: true })),
        release: letGo,
        fill: async () => void (full = true),
        empty: async () => void (full = false),
        'power-cut': async () => {
          const copy = await afterPowerCut();
          const dark = inbox;
          full = false;
          await letGo();
          await dark.stop();
          rooms.push(copy);
          await begin(copy);
        },
      };
      for (const step of steps) {
        if (step.do !== 'send') {
          await does[step.do]();
          continue;
        }
        const { channel, id } = step;
        const answer = await send(String(id), channel).catch(() => undefined);
        if (answer !== undefined && !acknowledged[channel]?.includes(id)) acknowledged[channel]?.push(id);
      }
      full = false;
      await letGo();
      await until(async () => {
        await inbox.settled();
        return (await house.messages()).length >= Object.values(acknowledged).flat().length;
      });
      for (const channel of ['lab', 'ward']) {
        expect((await inOrder(channel)).map(Number)).toEqual(acknowledged[channel]);
      }
      await inbox.stop();
      for (const room of rooms) await room.close();
      house = await openHouse();
      inbox = house.inbox();
    }),
    { numRuns: 60 },
  );
}, 120_000);
