// What every ResourceStore promises about composites, positions, texts in transactions, several types, totals and pages backwards.
import { describe, expect, test } from '@jest/globals';
import type { IndexEntry, PartEntry } from '../../engine/search/index-entry.ts';
import type { Condition, Leaf, SystemPlan, PartLeaf, Span } from '../../engine/search/plan.ts';
import { withStore, type OpenStore } from './opened-store.ts';
import { Both, leaf, plan } from './searched-store.ts';
import { version, write } from './resource-store.ts';

const of = 'Observation.component';
const code = (value: string, system = 'http://loinc.org'): PartEntry =>
  ({ kind: 'token', parameter: of, system, code: value }); // prettier-ignore
const amount = (low: number, unit = 'mm'): PartEntry =>
  ({ kind: 'quantity', parameter: of, system: 'ucum', unit, low, high: low + 0.1 }); // prettier-ignore
const composite = (...parts: readonly PartEntry[]): IndexEntry => ({
  kind: 'composite',
  parameter: of,
  parts,
});

const askedCode = (value: string | undefined, system?: string): PartLeaf => ({
  kind: 'token',
  parameter: of,
  system,
  code: value,
});
const askedAmount = (comparator: Span['comparator'], low: number, unit?: string): PartLeaf =>
  ({ kind: 'quantity', parameter: of, system: undefined, unit, comparator, low, high: low }); // prettier-ignore
const asked = (...parts: readonly PartLeaf[]): Leaf => ({ kind: 'composite', parameter: of, parts });

/** Composites by resource: parts of every kind, twice the same first part, the parts of one value spread over two. */
const composites: Readonly<Record<string, readonly IndexEntry[]>> = {
  high: [composite(code('8480-6'), amount(150)), composite(code('8462-4'), amount(90))],
  swapped: [composite(code('8480-6'), amount(90)), composite(code('8462-4'), amount(150))],
  twice: [composite(code('8480-6'), amount(110)), composite(code('8480-6'), amount(180, 'kPa'))],
  text: [composite(code('x'), { kind: 'string', parameter: of, value: 'Ŋo', folded: 'no' })],
  coded: [composite(code('x'), code('180', 'http://local'))],
  dated: [composite(code('x'.repeat(200)), { kind: 'date', parameter: of, low: -Infinity, high: 100 })],
  referring: [composite({ kind: 'reference', parameter: of, target: 'DocumentReference/d' }, code('replaces'))],
  absolute: [composite({ kind: 'uri', parameter: of, value: 'http://a.org/b' }, code('replaces'))],
  three: [composite(code('1'), { kind: 'number', parameter: of, low: 345, high: 346 }, { kind: 'number', parameter: of, low: 123, high: 124 })],
  none: [],
}; // prettier-ignore

const number = (comparator: Span['comparator'], low: number): PartLeaf =>
  ({ kind: 'number', parameter: of, comparator, low, high: low }); // prettier-ignore

const compositeLeaves: readonly (readonly [rule: string, asked: Leaf, ids: readonly string[]])[] = [
  ['both parts are of one value', asked(askedCode('8480-6'), askedAmount('gt', 140)), ['high', 'twice']],
  ['with unit', asked(askedCode('8480-6'), askedAmount('gt', 140, 'kPa')), ['twice']],
  ['with system', asked(askedCode('8480-6', 'http://local'), askedAmount('gt', 140)), []],
  ['any code', asked(askedCode(undefined), askedAmount('gt', 140)), ['high', 'swapped', 'twice']],
  ['any code of a system', asked(askedCode(undefined, 'http://loinc.org'), askedAmount('lt', 100)), ['high', 'swapped']],
  ['a string', asked(askedCode('x'), { kind: 'string', parameter: of, match: 'prefix', value: 'n' }), ['text']],
  ['a string as written', asked(askedCode('x'), { kind: 'string', parameter: of, match: 'exact', value: 'Ŋo' }), ['text']],
  ['a token', asked(askedCode('x'), askedCode('180', 'http://local')), ['coded']],
  ['a date that is open', asked(askedCode('x'.repeat(200)), { kind: 'date', parameter: of, comparator: 'le', low: 5, high: 6 }), ['dated']],
  ['a reference', asked({ kind: 'reference', parameter: of, target: 'DocumentReference/d' }, askedCode('replaces')), ['referring']],
  ['a uri', asked({ kind: 'uri', parameter: of, match: 'below', value: 'http://a.org' }, askedCode('replaces')), ['absolute']],
  ['three parts', asked(askedCode('1'), number('gt', 300), number('lt', 200)), ['three']],
  ['three parts of which one differs', asked(askedCode('1'), number('gt', 300), number('gt', 200)), []],
  ['no value', { kind: 'missing', parameter: of }, ['none']],
]; // prettier-ignore

/** Nairobi, Kisumu, Mombasa, both sides of the date line, both poles. */
const positions: Readonly<Record<string, readonly [latitude: number, longitude: number]>> = {
  nairobi: [-1.2921, 36.8219],
  kisumu: [-0.0917, 34.768],
  mombasa: [-4.0435, 39.6682],
  suva: [-18.1248, 178.4501],
  apia: [-13.8333, -171.7667],
  alert: [82.5018, -62.3481],
  pole: [90, 0],
  south: [-90, 0],
};

/** Distances: Nairobi to Kisumu 264.6 km, to Mombasa 440 km; Suva to Apia 1,152 km over the date line; Alert to the pole 834 km. */
const nears: readonly (readonly [at: string, kilometres: number, ids: readonly string[]])[] = [
  ['nairobi', 0, ['nairobi']],
  ['nairobi', 250, ['nairobi']],
  ['nairobi', 270, ['kisumu', 'nairobi']],
  ['nairobi', 450, ['kisumu', 'mombasa', 'nairobi']],
  ['suva', 1_100, ['suva']],
  ['suva', 1_200, ['apia', 'suva']],
  ['apia', 1_200, ['apia', 'suva']],
  ['alert', 840, ['alert', 'pole']],
  ['pole', 800, ['pole']],
  ['pole', 840, ['alert', 'pole']],
  ['nairobi', 21_000, Object.keys(positions).sort()],
];

const textEntry = (folded: string): IndexEntry => ({ kind: 'text', parameter: 'Patient._content', folded });
const hasWord = (word: string): Condition =>
  leaf({ kind: 'text', parameter: 'Patient._content', words: [{ word, prefix: false }] });

export function widerSearchContract(name: string, open: OpenStore): void {
  describe(`${name}: composites`, () => {
    test.each(compositeLeaves)('%s', (_rule, one, ids) =>
      withStore(open, async (store) => {
        const both = new Both(store);
        for (const [id, entries] of Object.entries(composites)) await both.put('Observation', id, entries);
        expect(both.model.matches(plan({ where: leaf(one) })).map(({ version: { id } }) => id)).toEqual(ids);
        for (const where of [leaf(one), { op: 'not', of: leaf(one) } as const]) {
          await both.expectAsModel(plan({ where }));
        }
        await both.delete('Observation', 'high');
        await both.put('Observation', 'twice', composites['swapped']!);
        await both.expectAsModel(plan({ where: leaf(one) }));
      })(),
    );
  });

  describe(`${name}: positions`, () => {
    test.each(nears)('around %s, %i km', (at, kilometres, ids) =>
      withStore(open, async (store) => {
        const both = new Both(store);
        for (const [id, [latitude, longitude]] of Object.entries(positions)) {
          await both.put('Location', id, [
            { kind: 'position', parameter: 'Location.near', latitude, longitude },
          ]);
        }
        const [latitude, longitude] = positions[at]!;
        const near: Leaf = {
          kind: 'near',
          parameter: 'Location.near',
          latitude,
          longitude,
          metres: kilometres * 1_000,
        };
        const asked = plan({ type: 'Location', where: leaf(near) });
        expect(
          both.model
            .matches(asked)
            .map(({ version: { id } }) => id)
            .sort(),
        ).toEqual(ids);
        await both.expectAsModel(asked);
        await both.expectAsModel({ ...asked, where: { op: 'not', of: leaf(near) } });
      })(),
    );
  });

  describe(`${name}: texts`, () => {
    test(
      'a transaction finds the words that it wrote, and what it undoes is not found',
      withStore(open, async (store) => {
        await write(store, version('old'), [textEntry('anaemia')]);
        const failed = store.transact(async ({ resources }) => {
          await resources.write(version('new'), [textEntry('malaria')], []);
          await resources.write(version('old', 2), [textEntry('malaria')], [textEntry('anaemia')]);
          const inside = await resources.search(plan({ type: 'Patient', where: hasWord('malaria') }));
          expect(inside.matches.map(({ id }) => id).sort()).toEqual(['new', 'old']);
          await resources.write(version('old', 3), [], [textEntry('malaria')]);
          throw new Error('undone');
        });
        await expect(failed).rejects.toThrow('undone');
        await write(store, version('other'), [textEntry('anaemia')]);
        const found = async (word: string): Promise<number> =>
          (await store.resources.search(plan({ type: 'Patient', where: hasWord(word) }))).matches.length;
        expect([await found('anaemia'), await found('malaria')]).toEqual([2, 0]);
      }),
    );

    test(
      'of works that commit together, those that fail leave no words',
      withStore(open, async (store) => {
        await Promise.allSettled(
          Array.from({ length: 40 }, (_, index) =>
            store.transact(async ({ resources }) => {
              await resources.write(version(`p${index}`), [textEntry(index % 2 === 0 ? 'even' : 'odd')], []);
              if (index % 5 === 4) await resources.search(plan({ type: 'Patient', where: hasWord('odd') }));
              if (index % 3 === 0) throw new Error('undone');
            }),
          ),
        );
        const found = await store.resources.search(
          plan({ type: 'Patient', where: hasWord('even'), count: 0 }),
        );
        expect(found.total).toBe(13);
      }),
    );
  });

  describe(`${name}: several types`, () => {
    test.each([1, 2, 3, 7, 100])('newest first, by pages of %i', (count) =>
      withStore(open, async (store) => {
        const ids = Array.from({ length: 14 }, (_, index) => `r${index}`);
        for (const [index, id] of ids.entries()) {
          const type = ['Patient', 'Group', 'Observation'][index % 3]!;
          const entry: IndexEntry = {
            kind: 'token',
            parameter: `${type}._tag`,
            system: '',
            code: index === 4 ? 'other' : 'own',
          };
          await write(store, version(id, 1, { type, lastUpdated: 100 + Math.floor(index / 2) }), [entry]);
        }
        const partsBy = (descending: boolean): SystemPlan['parts'] =>
          ['Patient', 'Group', 'Observation', 'Basic'].map((type) => ({
            type,
            where: leaf({ kind: 'token', parameter: `${type}._tag`, system: undefined, code: 'own' }),
            order: [{ by: { kind: 'lastUpdated' }, descending }],
          }));
        for (const descending of [true, false]) {
          const parts = partsBy(descending);
          const seen: { id: string; at: number }[] = [];
          const pages: (readonly string[])[] = [];
          let after: string | undefined;
          let back: string | undefined;
          do {
            const page = await store.resources.searchTypes({ parts, count, after, total: 'accurate' });
            expect(page.total).toBe(13);
            seen.push(...page.matches.map(({ id, lastUpdated }) => ({ id, at: lastUpdated })));
            pages.push(page.matches.map(({ id }) => id));
            after = page.next;
            back = page.previous;
          } while (after !== undefined);
          expect(seen.map(({ id }) => id).sort()).toEqual(ids.filter((id) => id !== 'r4').sort());
          const inOrder = seen.map(({ at }) => at).sort((one, other) => one - other);
          expect(seen.map(({ at }) => at)).toEqual(descending ? inOrder.reverse() : inOrder);
          for (const page of pages.slice(0, -1).reverse()) {
            const asked = { parts, count, after: undefined, total: 'none' } as const;
            const before = await store.resources.searchTypes({ ...asked, ...(back && { before: back }) });
            expect(before.matches.map(({ id }) => id)).toEqual(page);
            back = before.previous;
          }
          expect(back).toBeUndefined();
        }
        const parts = partsBy(true);
        const none = await store.resources.searchTypes({ parts, count: 0, after: undefined, total: 'none' });
        expect([none.matches.length, none.total]).toEqual([0, 13]);
      })(),
    );
  });

  describe(`${name}: estimates and pages backwards`, () => {
    test(
      'an estimate is exact for few, and near for many',
      withStore(open, async (store) => {
        const both = new Both(store);
        const token = (value: string): IndexEntry => ({
          kind: 'token',
          parameter: 'Observation.code',
          system: '',
          code: value,
        });
        await both.putAll(
          Array.from({ length: 9_000 }, (_, index) => ({
            type: 'Observation',
            id: `o${index}`,
            entries: [token(index % 10 < 7 ? 'common' : 'rare')],
          })),
        );
        const estimate = async (where: Condition): Promise<number> =>
          (await store.resources.search(plan({ where, count: 1, total: 'estimate' }))).total ?? -1;
        const coded = (value: string): Condition =>
          leaf({ kind: 'token', parameter: 'Observation.code', system: undefined, code: value });
        expect([await estimate(coded('rare')), await estimate(coded('none'))]).toEqual([2_700, 0]);
        for (const [where, expected] of [
          [coded('common'), 6_300],
          [{ op: 'every' }, 9_000],
          [{ op: 'not', of: coded('rare') }, 6_300],
        ] as const) {
          const guess = await estimate(where);
          expect(Math.abs(guess - expected)).toBeLessThan(expected * 0.1);
        }
      }),
    );

    test(
      'a page backwards whose resources have all gone is the first page',
      withStore(open, async (store) => {
        const both = new Both(store);
        for (const id of ['a', 'b', 'c', 'd']) await both.put('Patient', id, []);
        const asked = plan({ type: 'Patient', count: 2 });
        const first = await store.resources.search(asked);
        expect(first.previous).toBeUndefined();
        const second = await store.resources.search({ ...asked, after: first.next });
        for (const id of ['a', 'b']) await both.delete('Patient', id);
        const back = await store.resources.search({ ...asked, before: second.previous! });
        expect([back.matches.map(({ id }) => id), back.previous]).toEqual([['c', 'd'], undefined]);
      }),
    );
  });
}
