// What every Store promises about transactions, one test a promise.
import { describe, expect, test } from '@jest/globals';
import type { IndexEntry } from '../../engine/search/index-entry.ts';
import type { Store, Transaction } from '../../engine/storage/store.ts';
import { record } from './message-store.ts';
import { withStore, type OpenStore } from './opened-store.ts';
import { version, write } from './resource-store.ts';

const token = { kind: 'token', parameter: 'Patient.identifier', system: 'urn:mrn', code: '1' } as const;
const byToken = {
  type: 'Patient',
  where: { op: 'leaf', leaf: token },
  order: [],
  count: 10,
  after: undefined,
  total: 'none',
} as const;

const byAnyToken = {
  ...byToken,
  where: { op: 'leaf', leaf: { ...token, system: undefined, code: undefined } },
  total: 'accurate',
} as const;

const manyTokens = (id: string, count: number): readonly IndexEntry[] =>
  Array.from({ length: count }, (_, place) => ({ ...token, code: `${id}-${place}` }));

/** Ways that leave what the store holds back in different states. */
const failings: readonly (readonly [how: string, fails: (transaction: Transaction) => Promise<unknown>])[] = [
  ['after a little', ({ resources }) => resources.write(version('bad'), [token], [])],
  [
    'after so much that it was written meanwhile',
    async ({ resources }) => {
      for (let place = 0; place < 20; place += 1) {
        await resources.write(version(`bad${place}`), [token, ...manyTokens(`bad${place}`, 500)], []);
      }
    },
  ],
  [
    'after a search',
    async (transaction) => {
      await transaction.resources.write(version('bad'), [token], []);
      expect(await found(transaction)).toEqual(['a', 'bad']);
      await transaction.resources.write(version('worse'), [token], []);
    },
  ],
  [
    'after it took something away',
    async ({ resources }) => {
      await resources.write(version('bad'), [token], []);
      await resources.write(version('bad', 2), [], [token]);
    },
  ],
];

const found = async (reader: Pick<Store, 'resources'>): Promise<readonly string[]> =>
  (await reader.resources.search(byToken)).matches.map(({ id }) => id);

export function storeContract(name: string, open: OpenStore): void {
  describe(`${name}: transactions`, () => {
    test(
      'a transaction sees its own writes, readers see them once it is committed',
      withStore(open, async (store) => {
        const seen = await store.transact(async (transaction) => {
          await transaction.resources.write(version('a'), [token], []);
          return { inside: await found(transaction), outside: await found(store) };
        });
        expect(seen).toEqual({ inside: ['a'], outside: [] });
        expect(await found(store)).toEqual(['a']);
      }),
    );

    test(
      'transact resolves with the result of the work, or rejects with what it threw',
      withStore(open, async (store) => {
        expect(await store.transact(async () => 7)).toBe(7);
        const error = new Error('no');
        await expect(store.transact(() => Promise.reject(error))).rejects.toBe(error);
      }),
    );

    test.each(failings)(
      'what fails %s takes nothing of its neighbours in the same commit with it, and leaves nothing',
      async (_how, fails) => {
        await withStore(open, async (store) => {
          const outcomes = await Promise.allSettled([
            write(store, version('a'), [token, ...manyTokens('a', 100)]),
            store.transact(async (transaction) => {
              await fails(transaction);
              throw new Error('no');
            }),
            write(store, version('b'), [token, ...manyTokens('b', 100)]),
          ]);
          expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
          expect(await found(store)).toEqual(['a', 'b']);
          expect((await store.resources.search(byAnyToken)).total).toBe(2);
          await write(store, version('c'), [token]);
          expect(await found(store)).toEqual(['a', 'b', 'c']);
        })();
      },
    );

    test(
      'what is written twice in a transaction is found by its last version alone',
      withStore(open, async (store) => {
        const old = manyTokens('old', 5);
        await store.transact(async ({ resources }) => {
          await resources.write(version('a'), [token, ...old], []);
          await resources.write(version('a', 2), old.slice(1), [token, ...old]);
          await resources.write(version('b'), [token], []);
          await resources.write(version('b', 2, { method: 'DELETE', body: undefined }), [], [token]);
        });
        expect(await found(store)).toEqual([]);
        expect((await store.resources.search(byAnyToken)).total).toBe(1);
      }),
    );

    test(
      'a transaction sees who points at what, written a moment before in it',
      withStore(open, async (store) => {
        const link = { kind: 'reference', parameter: 'Patient.link', target: 'Patient/a' } as const;
        const asked = { exceptTypes: [], limit: 10 };
        const referrers = await store.transact(async ({ resources }) => {
          await resources.write(version('a'), [], []);
          await resources.write(version('b'), [link], []);
          return resources.referrers({ type: 'Patient', id: 'a' }, asked);
        });
        expect(referrers).toEqual([{ type: 'Patient', id: 'b' }]);
      }),
    );

    test(
      'what throws is undone whole, and its neighbours in the same commit are not',
      withStore(open, async (store) => {
        const fails = async ({ resources, messages }: Transaction): Promise<void> => {
          await resources.write(version('bad'), [token], []);
          await messages.keep(record('bad'), new Uint8Array([1]));
          throw new Error('no');
        };
        const outcomes = await Promise.allSettled([
          write(store, version('a'), [token]),
          store.transact(fails),
          write(store, version('b'), [token]),
        ]);
        expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
        expect(await found(store)).toEqual(['a', 'b']);
        expect(await store.resources.read('Patient', 'bad')).toBeUndefined();
        expect(await store.messages.message('bad')).toBeUndefined();
        expect((await store.messages.census()).messages.received).toBe(0);
      }),
    );

    test(
      'what can wait goes after what cannot, each kind in its order, and all of it is done',
      withStore(open, async (store) => {
        const order: string[] = [];
        const run = (name: string, canWait: boolean): Promise<unknown> =>
          store.transact(
            async ({ messages }) => {
              order.push(name);
              await messages.keep(record(name), new Uint8Array([1]));
            },
            { canWait },
          );
        const patient = ['p1', 'p2', 'p3'].map((name) => run(name, true));
        const awaited = ['a1', 'a2'].map((name) => run(name, false));
        await Promise.all([...patient, ...awaited]);
        expect(order).toEqual(['a1', 'a2', 'p1', 'p2', 'p3']);
        expect((await store.messages.messages({ limit: 10, offset: 0 })).total).toBe(5);
      }),
    );

    test(
      'what is short goes first of those that can wait, and holds nobody up',
      withStore(open, async (store) => {
        const order: string[] = [];
        const run = (name: string, isShort: boolean): Promise<unknown> =>
          store.transact(async () => void order.push(name), { canWait: true, isShort });
        const short = run('s1', true);
        expect(store.isHeldUp()).toBe(false);
        await short;
        const long = ['l1', 'l2'].map((name) => run(name, false));
        expect(store.isHeldUp()).toBe(true);
        await Promise.all([...long, run('s2', true)]);
        expect(order).toEqual(['s1', 's2', 'l1', 'l2']);
        expect(store.isHeldUp()).toBe(false);
      }),
    );

    test(
      'transactions that come together share a commit, and are counted',
      withStore(open, async (store) => {
        const before = store.commitCounts();
        const come = Array.from({ length: 10 }, () => store.transact(async () => undefined));
        await Promise.all(
          [...come, store.transact(async () => Promise.reject(new Error('no')))].map(async (one) =>
            one.catch(() => undefined),
          ),
        );
        const { commits, transactions } = store.commitCounts();
        expect([commits - before.commits, transactions - before.transactions]).toEqual([1, 11]);
      }),
    );

    test(
      'what can wait is not held up for ever by those who do not',
      withStore(open, async (store) => {
        const done: number[] = [];
        const patient = store.transact(async () => void done.push(1), { canWait: true });
        for (let round = 0; round < 50 && done.length === 0; round += 1) {
          await Promise.all(Array.from({ length: 4 }, () => store.transact(async () => undefined)));
        }
        expect(done).toEqual([1]);
        await patient;
      }),
    );

    test(
      'names first met in a transaction that was undone are met anew',
      withStore(open, async (store) => {
        const entry = { ...token, parameter: 'Patient.new', system: 'urn:new' };
        const reference = { kind: 'reference', parameter: 'Patient.link', target: 'Organization/1' } as const;
        const fails = store.transact(async ({ resources }) => {
          await resources.write(version('a'), [entry, reference], []);
          throw new Error('no');
        });
        await expect(fails).rejects.toThrow('no');
        await write(store, version('b'), [{ ...token, parameter: 'Patient.other', system: 'urn:other' }]);
        await write(store, version('c'), [entry, reference]);
        for (const leaf of [entry, reference]) {
          const page = await store.resources.search({ ...byToken, where: { op: 'leaf', leaf } });
          expect(page.matches.map(({ id }) => id)).toEqual(['c']);
        }
      }),
    );

    test(
      'works run one after the other, as if alone: counting up in parallel loses nothing',
      withStore(open, async (store) => {
        const countUp = (): Promise<void> =>
          store.transact(async ({ resources }) => {
            const last = (await resources.read('Patient', 'a'))?.version ?? 0;
            await Promise.resolve();
            await resources.write(version('a', last + 1), [], []);
          });
        await Promise.all(Array.from({ length: 100 }, countUp));
        expect((await store.resources.read('Patient', 'a'))?.version).toBe(100);
      }),
    );

    test(
      'a transaction used after its work has ended throws',
      withStore(open, async (store) => {
        const kept: Transaction[] = [];
        await store.transact(async (transaction) => {
          kept.push(transaction);
        });
        await expect(kept[0]!.resources.write(version('a'), [], [])).rejects.toThrow('ended');
        await expect(kept[0]!.messages.census()).rejects.toThrow('ended');
      }),
    );

    test(
      'a transaction begun inside another one is refused instead of waiting for ever',
      withStore(open, async (store) => {
        const nested = store.transact(() => store.transact(async () => 1));
        await expect(nested).rejects.toThrow('inside another');
        expect(await store.transact(async () => 2)).toBe(2);
      }),
    );

    test(
      'what a transaction started may begin one of its own after its end',
      withStore(open, async (store) => {
        const later = Promise.withResolvers<number>();
        await store.transact(async () => {
          setTimeout(() => void store.transact(async () => 3).then(later.resolve, later.reject), 10);
        });
        expect(await later.promise).toBe(3);
      }),
    );

    test('after closing and opening again everything is there', async () => {
      const opened = await open();
      await write(opened.store, version('a'), [token]);
      await opened.store.transact(({ messages }) => messages.keep(record('m'), new Uint8Array([1, 2, 3])));
      const again = await opened.reopen();
      try {
        expect(await again.store.resources.read('Patient', 'a')).toEqual(version('a'));
        expect(await found(again.store)).toEqual(['a']);
        expect(await again.store.messages.raw('m')).toEqual(new Uint8Array([1, 2, 3]));
        expect((await again.store.messages.census()).messages.received).toBe(1);
      } finally {
        await again.close();
      }
    });

    test('close waits for what is under way and refuses what comes later', async () => {
      const opened = await open();
      const underWay = write(opened.store, version('a'));
      const closing = opened.store.close();
      await expect(opened.store.transact(async () => 1)).rejects.toMatchObject({ code: 'unavailable' });
      await underWay;
      await closing;
      await opened.close();
    });

    test(
      'check resolves while the store can be written',
      withStore(open, async (store) => {
        await expect(store.check()).resolves.toBeUndefined();
      }),
    );
  });
}
