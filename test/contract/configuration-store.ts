// What every ConfigurationStore promises, one test a promise.
import { describe, expect, test } from '@jest/globals';
import type { ConfigurationVersion } from '../../engine/storage/configuration-store.ts';
import type { Store } from '../../engine/storage/store.ts';
import { withStore, type OpenStore } from './opened-store.ts';

type Change = Omit<ConfigurationVersion, 'version'>;

const change = (name: string, body: string | undefined, more: Partial<Change> = {}): Change => ({
  kind: 'channel',
  name,
  at: 1000,
  by: 'amina',
  comment: 'why',
  body,
  ...more,
});

const put = (store: Store, one: Change, expected?: number): Promise<number> =>
  store.transact(({ configuration }) => configuration.put(one, expected));

export function configurationStoreContract(name: string, open: OpenStore): void {
  describe(`${name}: configuration`, () => {
    test(
      'every version is kept as it was, newest first; the newest is current',
      withStore(open, async (store) => {
        expect(await put(store, change('lab', '{"a":1}'), 0)).toBe(1);
        expect(await put(store, change('lab', '{"a":2}', { at: 2000, by: 'otieno' }), 1)).toBe(2);
        const first = { ...change('lab', '{"a":1}'), version: 1 };
        const second = { ...change('lab', '{"a":2}', { at: 2000, by: 'otieno' }), version: 2 };
        expect(await store.configuration.history('channel', 'lab')).toEqual([second, first]);
        expect(await store.configuration.current('channel')).toEqual([second]);
      }),
    );

    test(
      'what is removed is not current, keeps its history, and can come again',
      withStore(open, async (store) => {
        await put(store, change('lab', '{}'));
        await put(store, change('lab', undefined), 1);
        expect(await store.configuration.current('channel')).toEqual([]);
        expect(await store.configuration.history('channel', 'lab')).toHaveLength(2);
        expect(await put(store, change('lab', '{"again":true}'), 2)).toBe(3);
        expect((await store.configuration.current('channel'))[0]?.version).toBe(3);
      }),
    );

    test(
      'a change over another version than the newest is refused, and nothing is written',
      withStore(open, async (store) => {
        await put(store, change('lab', '{}'));
        for (const expected of [0, 2]) {
          await expect(put(store, change('lab', '{"b":1}'), expected)).rejects.toMatchObject({
            code: 'conflict',
          });
        }
        expect(await store.configuration.history('channel', 'lab')).toHaveLength(1);
      }),
    );

    test(
      'kinds do not meet, and current is by name',
      withStore(open, async (store) => {
        await put(store, change('b', '{}'));
        await put(store, change('a', '{}'));
        await put(store, change('a', '"paused"', { kind: 'channel-state' }));
        expect((await store.configuration.current('channel')).map(({ name: one }) => one)).toEqual([
          'a',
          'b',
        ]);
        expect(await store.configuration.history('channel-state', 'b')).toEqual([]);
      }),
    );
  });
}
