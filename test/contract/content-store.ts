// What every ContentStore promises, one test a promise.
import { describe, expect, test } from '@jest/globals';
import type { ContentReader, StoredContent } from '../../engine/storage/content-store.ts';
import type { StoredVersion } from '../../engine/storage/resource-store.ts';
import type { Store } from '../../engine/storage/store.ts';
import { withStore, type OpenStore } from './opened-store.ts';
import { version, write } from './resource-store.ts';

const mebibyte = 1024 * 1024;

/** Bytes of which no two stretches are alike. */
function bytesOf(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let place = 0; place < length; place += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[place] = state >>> 24;
  }
  return bytes;
}

async function* inChunks(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length);
}

async function gatheredOf(reading: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  // Copies: a piece is good until the next one is asked for.
  for await (const piece of reading) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

const gathered = (contents: ContentReader, content: StoredContent): Promise<Buffer> =>
  gatheredOf(contents.read(content));

const binary = (id: string, number: number, content?: StoredContent): StoredVersion => ({
  ...version(id, number, { type: 'Binary' }),
  ...(content && { content }),
});

const deletion = (id: string, number: number): StoredVersion => ({
  ...binary(id, number),
  method: 'DELETE',
  body: undefined,
});

const keep = (store: Store, bytes: Uint8Array, chunk = 65_536) => store.contents.keep(inChunks(bytes, chunk));

const isThere = (store: Store, content: StoredContent): Promise<boolean> =>
  gathered(store.contents, content).then(
    () => true,
    () => false,
  );

/** Lengths of contents, and of the chunks in which they come. */
const cuts: readonly (readonly [length: number, chunk: number])[] = [
  [0, 1],
  [1, 1],
  [262_143, 1_000],
  [262_144, 262_144],
  [262_145, 262_144],
  [mebibyte, 65_536],
  [mebibyte + 1, 5 * mebibyte],
  [3 * mebibyte + 7, 99_991],
];

export function contentStoreContract(name: string, open: OpenStore): void {
  describe(`${name}: large contents`, () => {
    test(
      'are read as they were kept, however they are cut',
      withStore(open, async (store) => {
        for (const [length, chunk] of cuts) {
          const bytes = bytesOf(length);
          const content = await keep(store, bytes, chunk);
          expect(content.size).toBe(length);
          expect((await gathered(store.contents, content)).equals(bytes)).toBe(true);
        }
      }),
    );

    test(
      'of the same bytes have one digest, and those put in a transaction too',
      withStore(open, async (store) => {
        const bytes = bytesOf(mebibyte + 5);
        const kept = await keep(store, bytes);
        const put = await store.transact(({ contents }) => contents.put(bytes));
        expect([put.size, put.digest]).toEqual([kept.size, kept.digest]);
        expect((await gathered(store.contents, put)).equals(bytes)).toBe(true);
        expect((await keep(store, bytesOf(mebibyte + 5, 2))).digest).not.toBe(kept.digest);
      }),
    );

    test(
      'belong to the version that was written with them, each to its own',
      withStore(open, async (store) => {
        const [first, second] = [await keep(store, bytesOf(9, 1)), await keep(store, bytesOf(9, 2))];
        await write(store, binary('a', 1, first));
        await write(store, binary('a', 2, second));
        await write(store, deletion('a', 3));
        const { id, size, digest } = first;
        expect((await store.resources.readVersion('Binary', 'a', 1))?.content).toEqual({ id, size, digest });
        expect((await store.resources.readVersion('Binary', 'a', 2))?.content?.digest).toBe(second.digest);
        expect(await store.resources.read('Binary', 'a')).not.toHaveProperty('content');
      }),
    );

    test(
      'that no version names when they are released go; those that one names stay',
      withStore(open, async (store) => {
        const [named, unnamed] = [await keep(store, bytesOf(mebibyte)), await keep(store, bytesOf(mebibyte))];
        await write(store, binary('a', 1, named));
        await named.release();
        await unnamed.release();
        expect([await isThere(store, named), await isThere(store, unnamed)]).toEqual([true, false]);
      }),
    );

    test(
      'whose bytes break off leave nothing, and the break is told',
      withStore(open, async (store) => {
        const bytes = bytesOf(3 * mebibyte);
        const broken = async function* () {
          yield* inChunks(bytes, 65_536);
          throw new Error('the line is dead');
        };
        await expect(store.contents.keep(broken())).rejects.toThrow('the line is dead');
        expect(await store.contents.sweep()).toBe(0);
      }),
    );

    test(
      'put in a transaction that fails are gone with it',
      withStore(open, async (store) => {
        let put: StoredContent | undefined;
        const failing = store.transact(async ({ contents }) => {
          put = await contents.put(bytesOf(mebibyte));
          throw new Error('no');
        });
        await expect(failing).rejects.toThrow('no');
        expect(put && (await isThere(store, put))).toBe(false);
      }),
    );

    test(
      'are not swept while they are kept, nor while any version names them',
      withStore(open, async (store) => {
        const [open1, shared] = [await keep(store, bytesOf(9)), await keep(store, bytesOf(9))];
        await write(store, binary('a', 1, shared));
        await write(store, binary('a', 2, shared));
        await write(store, deletion('a', 3));
        await shared.release();
        expect(await store.contents.sweep()).toBe(0);
        expect([await isThere(store, open1), await isThere(store, shared)]).toEqual([true, true]);
      }),
    );

    test(
      'are not swept while they still come in, however the sweep and the upload fall together',
      withStore(open, async (store) => {
        const bytes = bytesOf(3 * mebibyte);
        const swept: number[] = [];
        const slow = async function* () {
          for await (const chunk of inChunks(bytes, 200_000)) {
            swept.push(await store.contents.sweep());
            yield chunk;
          }
        };
        const kept = await store.contents.keep(slow());
        swept.push(await store.contents.sweep());
        expect(swept).toEqual(swept.map(() => 0));
        expect((await gathered(store.contents, kept)).equals(bytes)).toBe(true);
      }),
    );

    test('are left to the next sweep by one that is stopped', async () => {
      const opened = await open();
      const { id, size, digest } = await keep(opened.store, bytesOf(6 * mebibyte));
      const again = await opened.reopen();
      let asked = 0;
      expect(await again.store.contents.sweep(() => (asked += 1) > 1)).toBe(0);
      expect(await again.store.contents.sweep()).toBe(1);
      expect(await isThere(again.store, { id, size, digest })).toBe(false);
      await again.close();
    });

    test(
      'go with the sweep after the versions that named them were forgotten',
      withStore(open, async (store) => {
        const [old, current] = [await keep(store, bytesOf(9, 1)), await keep(store, bytesOf(9, 2))];
        await write(store, binary('a', 1, old));
        await write(store, binary('a', 2, current));
        await old.release();
        await current.release();
        const name = { type: 'Binary', id: 'a' };
        await store.transact(({ resources }) => resources.forget(name, 'previous-versions'));
        expect(await store.contents.sweep()).toBe(1);
        expect([await isThere(store, old), await isThere(store, current)]).toEqual([false, true]);
        await write(store, deletion('a', 3));
        await store.transact(({ resources }) => resources.forget(name, 'deleted-resources'));
        expect([await store.contents.sweep(), await isThere(store, current)]).toEqual([1, false]);
      }),
    );

    test('that nobody came to name are swept when the store is opened again', async () => {
      const opened = await open();
      const { id, size, digest } = await keep(opened.store, bytesOf(5 * mebibyte));
      const again = await opened.reopen();
      expect(await again.store.contents.sweep()).toBe(1);
      expect(await isThere(again.store, { id, size, digest })).toBe(false);
      await again.close();
    });

    test(
      'taken away while they are read break the reading; nothing else is read in their place',
      withStore(open, async (store) => {
        const content = await keep(store, bytesOf(2 * mebibyte));
        const reading = store.contents.read(content);
        await reading.next();
        await content.release();
        await keep(store, bytesOf(2 * mebibyte, 2));
        await expect(gatheredOf(reading)).rejects.toThrow('not whole');
      }),
    );
  });
}
