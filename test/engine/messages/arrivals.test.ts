// Kept before acknowledged, once, and in order, also while the store is busy with something that takes long.
import { copyFileSync, cpSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { deserialize, serialize } from 'node:v8';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { unavailable } from '../../../engine/kernel/outcomes.ts';
import type { InboxOptions, StoppableInbox } from '../../../engine/messages/inbox.ts';
import type { ToKeep } from '../../../engine/messages/stages.ts';
import { Connection } from '../../../engine/storage/sqlite/connection.ts';
import type { Transaction, TransactionChoice } from '../../../engine/storage/store.ts';
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

test('what the journal has twice, because it failed to say that it had it, is taken in once', async () => {
  const release = hold();
  await send('1');
  const [entry] = await house.store.journal.read(0);
  const [message] = deserialize(entry?.content ?? Buffer.of()) as [ToKeep];
  const again = { ...message, record: { ...message.record, id: 'another' } };
  await house.store.journal.append({ number: 2, content: serialize([again]) });
  const dark = { house, inbox };
  house = await afterPowerCut();
  inbox = house.inbox();
  await inbox.start();
  expect(await inOrder()).toEqual(['1']);
  await release();
  await dark.inbox.stop();
  await dark.house.close();
});

/** The real store, but the first two works share a commit, with `between` between them, and the third waits for `release`. */
function sharing(between: () => Promise<unknown>, release: Promise<void>): InboxOptions['store'] {
  const works: ((transaction: Transaction) => Promise<unknown>)[] = [];
  const committed = Promise.withResolvers<undefined>();
  const commit = (): Promise<undefined> =>
    house.store.transact(async (transaction) => {
      await works[0]?.(transaction);
      await between();
      await works[1]?.(transaction);
      return undefined;
    });
  return {
    ...fillable(() => false, false),
    transact: async <T>(work: (transaction: Transaction) => Promise<T>) => {
      if (works.length === 2) return release.then(() => house.store.transact(work));
      const done: T[] = [];
      works.push(async (transaction) => done.push(await work(transaction)));
      if (works.length === 2) committed.resolve(commit());
      await committed.promise;
      return done[0] as T;
    },
  };
}

test('what comes while two takings share a commit is there after a power cut behind it', async () => {
  const gate = Promise.withResolvers<undefined>();
  const dark = house;
  inbox = dark.inbox({ store: sharing(() => send('2'), gate.promise) });
  await send('1');
  await until(async () => (await dark.messages()).length === 1);
  const copy = await afterPowerCut();
  gate.resolve(undefined);
  await inbox.stop();
  await dark.close();
  house = copy;
  inbox = house.inbox();
  await inbox.start();
  expect(await inOrder()).toEqual(['1', '2']);
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

/** The real store, but its transactions do not begin as long as `isBroken` says so. */
const unopenable = (isBroken: () => boolean, isHeldUp: boolean): InboxOptions['store'] => ({
  ...fillable(() => false, isHeldUp),
  transact: async (work, choice) => {
    if (isBroken()) throw unavailable('too many transactions wait for the disk; try again');
    return house.store.transact(work, choice);
  },
});

describe('when no transaction can begin', () => {
  test('what only the store could have kept is refused, and kept when it comes again', async () => {
    let broken = true;
    inbox = house.inbox({ store: unopenable(() => broken, true) });
    const large = arrivalOf(hl7({ value: '7'.repeat(1_100_000) }));
    await expect(inbox.receive(large)).rejects.toThrow('too many');
    broken = false;
    await inbox.receive(large);
    expect(await inOrder()).toEqual(['1']);
  });

  test('what the journal has is taken in later, and meanwhile nobody waits for that', async () => {
    let broken = true;
    inbox = house.inbox({ store: unopenable(() => broken, true), againMs: 20 });
    await send('1');
    await inbox.settled();
    broken = false;
    await until(async () => (await house.messages()).length === 1);
  });

  test('stopping ends', async () => {
    inbox = house.inbox({ store: unopenable(() => true, true) });
    await send('1');
    await inbox.stop();
    expect(await house.messages()).toEqual([]);
  });
});

describe('a store that fails for long', () => {
  /** The real store, which is full, and how often it was asked. */
  const counting = (): { readonly store: InboxOptions['store']; readonly asked: () => number } => {
    const full = fillable(() => true);
    let asked = 0;
    const transact: typeof full.transact = (work, choice) => {
      asked += 1;
      return full.transact(work, choice);
    };
    return { store: { ...full, transact }, asked: () => asked };
  };

  test('is not asked for each message that comes', async () => {
    const { store, asked } = counting();
    inbox = house.inbox({ store });
    for (let id = 0; id < 20; id += 1) {
      await send(String(id));
      await inbox.settled();
    }
    expect(asked()).toBeLessThan(5);
  });

  test('is not asked without end where the journal fails too', async () => {
    const { store, asked } = counting();
    await house.store.journal.close();
    inbox = house.inbox({ store });
    await expect(send('1')).rejects.toThrow('full');
    await sleep(100);
    expect(asked()).toBeLessThan(5);
  });
});

test('a batch with a copy of what another one had refused meanwhile hears it once it is through itself', async () => {
  const unheard: unknown[] = [];
  const hear = (error: unknown): void => void unheard.push(error);
  process.on('unhandledRejection', hear);
  const gate = Promise.withResolvers<undefined>();
  const full = fillable(() => true);
  const journal: typeof full.journal = {
    ...{ read: () => Promise.resolve([]), underWay: () => undefined, forget: () => undefined },
    ...{ append: () => gate.promise, close: () => Promise.resolve() },
  };
  inbox = house.inbox({ store: { ...full, journal } });
  const large = hl7({ value: '7'.repeat(1_100_000) });
  const batchWith = (controlId: string): Buffer =>
    Buffer.concat([Buffer.from('BHS|^~\\&|LIS\r'), large, hl7({ controlId }), Buffer.from('BTS|2\r')]);
  const first = inbox.receive(arrivalOf(batchWith('2')));
  const second = inbox.receive(arrivalOf(batchWith('3')));
  await expect(first).rejects.toThrow('full');
  await sleep(20);
  gate.resolve(undefined);
  await expect(second).rejects.toThrow('full');
  process.off('unhandledRejection', hear);
  expect(unheard).toEqual([]);
});

test('an answer that reached the sender did, though its repetition does not', async () => {
  const [one, two] = [await inbox.receive(arrivalOf(hl7())), await inbox.receive(arrivalOf(hl7()))];
  one.answered('sent');
  two.answered('undelivered');
  await inbox.stop();
  const [message] = await house.messages();
  expect(message?.acknowledgement).toBe('sent');
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
  | { readonly do: 'send'; readonly channel: string; readonly id: number; readonly isLarge: boolean }
  | { readonly do: Does };
type Does = 'hold' | 'release' | 'fill' | 'break' | 'break-journal' | 'mend' | 'power-cut';

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      channel: fc.constantFrom('lab', 'ward'),
      id: fc.nat(30),
      isLarge: fc.nat(9).map((nth) => nth === 0),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom<Does>('hold', 'release', 'fill', 'break', 'break-journal', 'mend', 'mend'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('power-cut' as const) }) },
);

test('whatever happens in whatever order: all that was acknowledged is there, once, in its order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 5, maxLength: 40 }), async (steps) => {
      const well = { full: false, closed: false, noJournal: false };
      const now = { ...well };
      let release: (() => Promise<void>) | undefined;
      const acknowledged: Record<string, number[]> = { lab: [], ward: [] };
      const letGo = async (): Promise<void> => {
        await release?.();
        release = undefined;
      };
      const begin = async (opened: House): Promise<void> => {
        house = opened;
        const { journal } = house.store;
        const store = fillable(() => now.full);
        inbox = house.inbox({
          againMs: 5,
          store: {
            ...store,
            isHeldUp: () => release !== undefined,
            transact: (work, choice) =>
              now.closed ? Promise.reject(unavailable('closed')) : store.transact(work, choice),
            journal: {
              read: (mark) => journal.read(mark),
              append: (entry) =>
                now.noJournal ? Promise.reject(new Error('no journal')) : journal.append(entry),
              underWay: () => journal.underWay(),
              forget: (number) => journal.forget(number),
              close: () => journal.close(),
            },
          },
        });
        await inbox.start();
      };
      /** Where only what is held could keep it, that is let go. */
      const sendAndWait = async (step: Extract<Step, { do: 'send' }>): Promise<boolean> => {
        const value = step.isLarge ? '7'.repeat(1_100_000) : '7';
        const message = hl7({ controlId: String(step.id), value });
        const sent = inbox.receive(arrivalOf(message, step.channel)).then(
          () => true,
          () => false,
        );
        const wait = new AbortController();
        const late = sleep(40, undefined, { signal: wait.signal }).then(letGo, () => undefined);
        const isKept = await sent;
        wait.abort();
        await late;
        return isKept;
      };
      await house.close();
      folder = mkdtempSync(join(tmpdir(), 'kiungo-arrivals-'));
      await begin(await openHouse(folder));
      const rooms: House[] = [house];
      const does = {
        hold: async () => void (release ??= hold({ canWait: true })),
        release: letGo,
        fill: async () => void (now.full = true),
        break: async () => void (now.closed = true),
        'break-journal': async () => void (now.noJournal = true),
        mend: async () => void Object.assign(now, well),
        'power-cut': async () => {
          const copy = await afterPowerCut();
          const dark = inbox;
          Object.assign(now, well);
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
        const all = acknowledged[step.channel] ?? [];
        const id = step.isLarge ? 100 + step.id : step.id;
        if ((await sendAndWait(step)) && !all.includes(id)) all.push(id);
      }
      Object.assign(now, well);
      await letGo();
      await until(async () => {
        await inbox.settled();
        return (await house.messages()).length >= Object.values(acknowledged).flat().length;
      });
      for (const channel of ['lab', 'ward']) {
        const kept = (await house.messages()).filter((one) => one.channel === channel).toReversed();
        const ids = kept.map(({ controlId, size }) => Number(controlId) + (size > 1_000_000 ? 100 : 0));
        expect(ids).toEqual(acknowledged[channel]);
      }
      await inbox.stop();
      for (const room of rooms) await room.close();
      house = await openHouse();
      inbox = house.inbox();
    }),
    { numRuns: 100 },
  );
}, 120_000);
