// What every ResourceStore promises about versions, bodies and history, one test a promise. Searching: resource-search.ts.
import { describe, expect, test } from '@jest/globals';
import type { Plan } from '../../engine/search/plan.ts';
import type { IndexEntry } from '../../engine/search/index-entry.ts';
import type { HistoryRequest, HistoryScope, StoredVersion } from '../../engine/storage/resource-store.ts';
import type { Store } from '../../engine/storage/store.ts';
import { withStore, type OpenStore } from './opened-store.ts';

export function version(id: string, number = 1, change: Partial<StoredVersion> = {}): StoredVersion {
  const body = JSON.stringify({ resourceType: 'Patient', id, meta: { versionId: String(number) } });
  return { type: 'Patient', id, version: number, lastUpdated: 1000 * number, method: 'PUT', body, ...change };
}

export const write = (
  store: Store,
  next: StoredVersion,
  entries: readonly IndexEntry[] = [],
  previous: readonly IndexEntry[] = [],
): Promise<void> => store.transact(({ resources }) => resources.write(next, entries, previous));

const deletion = (id: string, number: number): StoredVersion =>
  version(id, number, { method: 'DELETE', body: undefined });

const everyPatient: Plan = {
  type: 'Patient',
  where: { op: 'every' },
  order: [],
  count: 10,
  after: undefined,
  total: 'none',
};

const instance = (id: string): HistoryScope => ({ kind: 'instance', type: 'Patient', id });

/** Bodies that a store could mangle by reading them. */
const bodies: readonly (readonly [rule: string, body: string])[] = [
  ['decimals keep their zeros and digits', '{"valueDecimal":2.780,"big":1234567890.12345678901234567890}'],
  ['spaces and the order of members stay', '{ "b" : 1,\n\t"a":2 }'],
  ['every script and emoji', '{"name":"Wanjikũ Ọláyínká 王 🏥 é"}'],
  ['escapes stay escapes', '{"text":"\\u0000 \\ud83c\\udfe5 \\n \\/"}'],
  ['large bodies', JSON.stringify({ data: 'x'.repeat(3_000_000) })],
];

export function resourceStoreContract(name: string, open: OpenStore): void {
  describe(`${name}: versions of resources`, () => {
    test(
      'what never was is undefined',
      withStore(open, async (store) => {
        expect(await store.resources.read('Patient', 'a')).toBeUndefined();
        expect(await store.resources.readVersion('Patient', 'a', 1)).toBeUndefined();
        expect(await store.resources.history({ scope: instance('a'), count: 10 })).toEqual({
          versions: [],
          next: undefined,
          total: 0,
        });
      }),
    );

    test(
      'read gives the current version, readVersion any',
      withStore(open, async (store) => {
        for (const number of [1, 2, 3]) await write(store, version('a', number));
        expect(await store.resources.read('Patient', 'a')).toEqual(version('a', 3));
        for (const number of [1, 2, 3]) {
          expect(await store.resources.readVersion('Patient', 'a', number)).toEqual(version('a', number));
        }
        expect(await store.resources.readVersion('Patient', 'a', 4)).toBeUndefined();
      }),
    );

    test(
      'readMany gives the current versions of what lives, each once, and of its type only; a transaction sees its own',
      withStore(open, async (store) => {
        for (const id of ['a', 'b', 'gone', 'other']) await write(store, version(id));
        await write(store, version('a', 2));
        await write(store, deletion('gone', 2));
        await write(store, version('mine', 1, { type: 'Group' }));
        const ids = ['a', 'gone', 'b', 'a', 'never', 'mine', "'"];
        const read = async (from: Pick<Store['resources'], 'readMany'>): Promise<readonly StoredVersion[]> =>
          [...(await from.readMany('Patient', ids))].sort((one, two) => (one.id < two.id ? -1 : 1));
        expect(await read(store.resources)).toEqual([version('a', 2), version('b')]);
        expect(await store.resources.readMany('Device', ids)).toEqual([]);
        expect(await store.resources.readMany('Patient', [])).toEqual([]);
        await store.transact(async ({ resources }) => {
          await resources.write(version('b', 2), [], []);
          expect(await read(resources)).toEqual([version('a', 2), version('b', 2)]);
        });
      }),
    );

    test(
      'what was read before is never shown again once a later version is committed, nor a later one before',
      withStore(open, async (store) => {
        await write(store, version('a'));
        const seen = async (): Promise<number | undefined> =>
          (await store.resources.read('Patient', 'a'))?.version;
        expect(await seen()).toBe(1);
        await store.transact(async ({ resources }) => {
          await resources.write(version('a', 2), [], []);
          expect(await seen()).toBe(1);
        });
        expect(await seen()).toBe(2);
        await store
          .transact(async ({ resources }) => {
            await resources.write(version('a', 3), [], []);
            throw new Error('it is undone');
          })
          .catch(() => undefined);
        expect(await seen()).toBe(2);
        await write(store, deletion('a', 3));
        expect(await seen()).toBe(3);
        await store.transact(({ resources }) =>
          resources.forget({ type: 'Patient', id: 'a' }, 'deleted-resources'),
        );
        expect(await seen()).toBeUndefined();
      }),
    );

    test(
      'readers beside writers see each version at its commit or before the next one',
      withStore(open, async (store) => {
        let committed = 0;
        const write100 = async (): Promise<void> => {
          for (let number = 1; number <= 100; number += 1) {
            await write(store, version('a', number));
            committed = number;
          }
        };
        const stale: number[] = [];
        const reading = async (): Promise<void> => {
          while (committed < 100) {
            const before = committed;
            const read = (await store.resources.read('Patient', 'a'))?.version ?? 0;
            if (read < before) stale.push(read);
            await new Promise((turn) => setImmediate(turn));
          }
        };
        await Promise.all([write100(), reading(), reading(), reading()]);
        expect(stale).toEqual([]);
      }),
    );

    test(
      'the same id under two types is two resources',
      withStore(open, async (store) => {
        await write(store, version('a'));
        await write(store, version('a', 1, { type: 'Group' }));
        expect((await store.resources.read('Group', 'a'))?.type).toBe('Group');
        expect((await store.resources.read('Patient', 'a'))?.type).toBe('Patient');
      }),
    );

    test(
      'a deletion is a version without body, and the next version may bring the resource back',
      withStore(open, async (store) => {
        await write(store, version('a'));
        await write(store, deletion('a', 2));
        expect(await store.resources.read('Patient', 'a')).toEqual(deletion('a', 2));
        await write(store, version('a', 3));
        expect(await store.resources.read('Patient', 'a')).toEqual(version('a', 3));
        expect(await store.resources.readVersion('Patient', 'a', 2)).toEqual(deletion('a', 2));
      }),
    );

    test.each([
      [0, 2],
      [0, 0],
      [1, 1],
      [1, 3],
      [2, 1],
    ])('after version %i, version %i is a conflict and changes nothing', (stored, next) =>
      withStore(open, async (store) => {
        for (let number = 1; number <= stored; number += 1) await write(store, version('a', number));
        await expect(write(store, version('a', next))).rejects.toMatchObject({ code: 'conflict' });
        expect((await store.resources.read('Patient', 'a'))?.version).toBe(stored === 0 ? undefined : stored);
      })(),
    );

    test(
      'of two writers of the same version exactly one wins',
      withStore(open, async (store) => {
        const outcomes = await Promise.allSettled([1, 2, 3].map(() => write(store, version('a'))));
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      }),
    );

    test.each(bodies)('bodies come back byte for byte: %s', (_rule, body) =>
      withStore(open, async (store) => {
        await write(store, version('a', 1, { body }));
        await write(store, version('a', 2));
        expect((await store.resources.readVersion('Patient', 'a', 1))?.body).toBe(body);
      })(),
    );

    test(
      'history pages run newest first, without gap or repetition, while versions are added',
      withStore(open, async (store) => {
        for (let number = 1; number <= 5; number += 1) await write(store, version('a', number));
        const first = await store.resources.history({ scope: instance('a'), count: 2 });
        await write(store, deletion('a', 6));
        const second = await store.resources.history({ scope: instance('a'), count: 2, after: first.next });
        const third = await store.resources.history({ scope: instance('a'), count: 2, after: second.next });
        const numbers = [first, second, third].map((page) => page.versions.map((found) => found.version));
        expect(numbers).toEqual([[5, 4], [3, 2], [1]]);
        expect([first.total, third.total, third.next]).toEqual([5, 6, undefined]);
      }),
    );

    test(
      'a history link of something else is refused',
      withStore(open, async (store) => {
        await write(store, version('a'));
        const asked = store.resources.history({ scope: instance('a'), count: 2, after: 'x' });
        await expect(asked).rejects.toMatchObject({ code: 'bad-request' });
      }),
    );

    interface Asked {
      readonly rule: string;
      readonly asked: Partial<HistoryRequest>;
      readonly found: readonly string[];
    }
    const types = (...names: string[]): HistoryScope => ({ kind: 'types', types: names });
    /** Patient/a at 1000, 2000 (deleted), 5000; Patient/b at 1500; Group/g at 2500 and 4000. */
    const written: readonly StoredVersion[] = [
      version('a', 1, { lastUpdated: 1000 }),
      version('b', 1, { lastUpdated: 1500 }),
      version('a', 2, { lastUpdated: 2000, method: 'DELETE', body: undefined }),
      version('g', 1, { type: 'Group', lastUpdated: 2500, method: 'POST' }),
      version('g', 2, { type: 'Group', lastUpdated: 4000 }),
      version('a', 3, { lastUpdated: 5000 }),
    ];
    const rows: readonly Asked[] = [
      {
        rule: 'a type has the versions of its resources, deletions too',
        asked: { scope: types('Patient') },
        found: ['a3', 'a2', 'b1', 'a1'],
      },
      {
        rule: 'several types run in one order',
        asked: { scope: types('Patient', 'Group', 'Device') },
        found: ['a3', 'g2', 'g1', 'a2', 'b1', 'a1'],
      },
      { rule: 'a type that nobody stored has none', asked: { scope: types('Device') }, found: [] },
      {
        rule: 'since: made at this time or later',
        asked: { scope: types('Patient', 'Group'), since: 2000 },
        found: ['a3', 'g2', 'g1', 'a2'],
      },
      { rule: 'since, for one resource', asked: { scope: instance('a'), since: 1001 }, found: ['a3', 'a2'] },
      {
        rule: 'at: current at some time within it; the end does not belong to it',
        asked: { scope: types('Patient', 'Group'), at: { low: 1600, high: 2500 } },
        found: ['a2', 'b1', 'a1'],
      },
      {
        rule: 'at: what was replaced at its begin was not current any more',
        asked: { scope: types('Patient', 'Group'), at: { low: 4000, high: 4001 } },
        found: ['g2', 'a2', 'b1'],
      },
      {
        rule: 'at, for one resource',
        asked: { scope: instance('a'), at: { low: 3000, high: 3001 } },
        found: ['a2'],
      },
      {
        rule: 'what is listed, all versions or one, of several types in one order',
        asked: {
          scope: {
            kind: 'listed',
            listed: [
              { type: 'Patient', id: 'a', version: undefined },
              { type: 'Group', id: 'g', version: 1 },
              { type: 'Group', id: 'nobody', version: undefined },
              { type: 'Device', id: 'a', version: undefined },
            ],
          },
        },
        found: ['a3', 'g1', 'a2', 'a1'],
      },
      {
        rule: 'the current version of what is listed, and at a time',
        asked: {
          scope: {
            kind: 'listed',
            listed: [
              { type: 'Patient', id: 'a', version: undefined },
              { type: 'Group', id: 'g', version: 2 },
            ],
          },
          at: { low: 4000, high: 4001 },
        },
        found: ['g2', 'a2'],
      },
      { rule: 'nothing that is listed', asked: { scope: { kind: 'listed', listed: [] } }, found: [] },
      {
        rule: 'at, before everything',
        asked: { scope: types('Patient'), at: { low: 1, high: 2 } },
        found: [],
      },
    ];

    test.each(rows)('history: $rule', ({ asked, found }) =>
      withStore(open, async (store) => {
        for (const next of written) await write(store, next);
        for (const count of [1, 2, 100]) {
          const names: string[] = [];
          let after: string | undefined;
          do {
            const page = await store.resources.history({ scope: types('Patient'), ...asked, count, after });
            expect(page.total).toBe(found.length);
            expect(page.versions.length).toBeLessThanOrEqual(count);
            names.push(...page.versions.map(({ id, version: number }) => `${id}${number}`));
            after = page.next;
          } while (after !== undefined);
          expect([count, names]).toEqual([count, found]);
        }
      })(),
    );

    test(
      'history gives each version as it was, and versions of one time in a fixed order',
      withStore(open, async (store) => {
        const many = Array.from({ length: 9 }, (_, place) => version(`p${place}`, 1, { lastUpdated: 7 }));
        for (const next of many) await write(store, next);
        const scope = types('Patient');
        const whole = (await store.resources.history({ scope, count: 20 })).versions;
        expect(whole.toSorted((a, b) => a.id.localeCompare(b.id))).toEqual(many);
        const first = await store.resources.history({ scope, count: 4 });
        await write(store, version('p0', 2, { lastUpdated: 8 }));
        const rest = await store.resources.history({ scope, count: 20, after: first.next });
        expect([...first.versions, ...rest.versions]).toEqual(whole);
      }),
    );

    test(
      'pages of large bodies end early, and go on without gap',
      withStore(open, async (store) => {
        const padding = 'x'.repeat(4_000_000);
        for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
          await write(store, version(id, 1, { body: JSON.stringify({ id, padding }) }));
        }
        const plan: Plan = { ...everyPatient, count: 100 };
        const first = await store.resources.search(plan);
        const second = await store.resources.search({ ...plan, after: first.next });
        const older = await store.resources.history({ scope: types('Patient'), count: 100 });
        expect(first.matches.length).toBeLessThan(7);
        expect(older.versions.length).toBeLessThan(7);
        expect([...first.matches, ...second.matches].map(({ id }) => id).join('')).toBe('abcdefg');
        expect([second.next, older.next === undefined]).toEqual([undefined, false]);
      }),
    );
  });
}
