// Searches over so many resources that a store walks its indexes instead of gathering: it finds what the plain model finds, page by page, both
// ways, whatever leads the search, and where the first try leads nowhere.
import { describe, expect, test } from '@jest/globals';
import type { IndexEntry } from '../../engine/search/index-entry.ts';
import type { Condition, SortKey, Span } from '../../engine/search/plan.ts';
import { withStore, type OpenStore } from './opened-store.ts';
import { Both, leaf, plan } from './searched-store.ts';

const size = 4_000;
/** In an order that looks like none. */
const scattered = (index: number, of: number): number => (index * 7_919) % of;

const token = (parameter: string, code: string, system = 's'): IndexEntry => ({
  kind: 'token',
  parameter,
  system,
  code,
});
const uri = (parameter: string, value: string): IndexEntry => ({ kind: 'uri', parameter, value });
const date = (parameter: string, low: number, width = 1): IndexEntry => ({
  kind: 'date',
  parameter,
  low,
  high: low + width,
});
const text = (parameter: string, folded: string): IndexEntry => ({
  kind: 'string',
  parameter,
  value: folded,
  folded,
});
const amount = (parameter: string, low: number, unit = 'mg'): IndexEntry => ({
  kind: 'quantity',
  parameter,
  system: '',
  unit,
  low,
  high: low + 0.5,
});

/** `one…` has one value a resource at most, `two…` may have two. The last resources are those coded `late`. */
function entriesOf(index: number): readonly IndexEntry[] {
  const part = (code: string, low: number): IndexEntry => ({
    kind: 'composite',
    parameter: 'part',
    parts: [
      { kind: 'token', parameter: 'part', system: 's', code },
      { kind: 'quantity', parameter: 'part', system: '', unit: 'mg', low, high: low + 0.5 },
    ],
  });
  const lists: readonly (readonly IndexEntry[])[] = [
    [token('code', index < size - 500 ? `c${scattered(index, 3)}` : 'late'), token('half', `h${index % 2}`), token('half', `h${index % 2}`, 't')],
    [date('oneDate', index * 10), text('oneName', `n${scattered(index, 97)}`)],
    index % 5 === 0 ? [] : [date('twoDates', scattered(index, 1_500) * 10, index % 7), date('twoDates', scattered(index, 400) * 50)],
    [text('twoNames', `n${scattered(index, 89)}`), text('twoNames', `n${scattered(index, 31)}`)],
    [amount('value', scattered(index, 200)), ...(index % 4 === 0 ? [amount('value', index % 50, 'g')] : [])],
    [part('p', scattered(index, 300)), part('p', scattered(index, 100)), part('q', scattered(index, 50))],
    index % 3 === 0 ? [] : [date('oftenDate', scattered(index, 1_700) * 10)],
    index % 4 === 0 ? [] : [token('often', `f${scattered(index, 5)}`), ...(index % 7 === 0 ? [token('often', `f${scattered(index, 9)}`, 't')] : [])],
    index % 3 === 0 ? [] : [uri('page', `urn:p${scattered(index, 6)}`), uri('page', `urn:p${scattered(index, 11)}`)],
    [token('own', `o${index}`), ...(index % 90 === 0 ? [token('rare', 'r')] : [])],
    [{ kind: 'reference', parameter: 'subject', target: `Patient/p${scattered(index, 5)}` }],
  ]; // prettier-ignore
  return lists.flat();
}

const coded = (code: string, parameter = 'code'): Condition =>
  leaf({ kind: 'token', parameter, system: 's', code });
const dated = (parameter: string, comparator: Span['comparator'], at: number): Condition =>
  leaf({ kind: 'date', parameter, comparator, low: at, high: at + 1_000 });
const named = (parameter: string, value: string): Condition =>
  leaf({ kind: 'string', parameter, match: 'prefix', value });
const above = (low: number, unit?: string): Condition =>
  leaf({
    kind: 'quantity',
    parameter: 'value',
    system: undefined,
    unit,
    comparator: 'gt',
    low,
    high: low + 1,
  });
const parted = (code: string, low: number): Condition =>
  leaf({
    kind: 'composite',
    parameter: 'part',
    parts: [
      { kind: 'token', parameter: 'part', system: 's', code },
      { kind: 'quantity', parameter: 'part', system: undefined, unit: 'mg', comparator: 'gt', low, high: low + 1 },
    ],
  }); // prettier-ignore
const all = (...of: readonly Condition[]): Condition => ({ op: 'and', of });
const changed = (comparator: Span['comparator'], at: number): Condition =>
  leaf({ kind: 'lastUpdated', comparator, low: at, high: at + 1 });
const lacks = (parameter: string): Condition => leaf({ kind: 'missing', parameter });
const by = (kind: 'date' | 'string' | 'token' | 'uri', parameter: string, descending = false): SortKey => ({
  by: { kind, parameter },
  descending,
});
const byChange: SortKey = { by: { kind: 'lastUpdated' }, descending: true };

const unsorted: readonly (readonly [rule: string, where: Condition])[] = [
  ['a stretch of dates', all(dated('oneDate', 'ge', 5_000), dated('oneDate', 'lt', 32_000))],
  ['a stretch of dates of which there may be several', all(dated('twoDates', 'ge', 2_000), dated('twoDates', 'lt', 9_000))],
  ['a date and a code', all(dated('oneDate', 'ge', 5_000), coded('c1'))],
  ['a date and what few have', all(dated('oneDate', 'ge', 5_000), coded('late'))],
  ['the beginning of a name', named('oneName', 'n')],
  ['the beginnings of two names', all(named('oneName', 'n1'), named('twoNames', 'n2'))],
  ['the beginning of one of several names', named('twoNames', 'n')],
  ['a quantity in a unit', above(50, 'mg')],
  ['a quantity in any unit', above(20)],
  ['a quantity and a code', all(above(50, 'mg'), coded('c0'))],
  ['a component above a value', parted('p', 20)],
  ['a component above a value, and a code', all(parted('p', 20), coded('c2'))],
  ['two codes', all(coded('c1'), coded('h0', 'half'))],
  ['two codes that none has', all(coded('c1'), coded('c2'))],
  ['a code that only the last have', all(coded('h1', 'half'), coded('late'))],
  ['one of two codes', { op: 'or', of: [coded('c1'), coded('h1', 'half')] }],
  ['one of two codes, and a date', all({ op: 'or', of: [coded('c1'), coded('h1', 'half')] }, dated('oneDate', 'ge', 5_000))],
  ['one of two codes, one of which only the last have', all({ op: 'or', of: [coded('late'), coded('none')] }, coded('h1', 'half'))],
  ['a code of any system', leaf({ kind: 'token', parameter: 'half', system: undefined, code: 'h1' })],
  ['what was changed lately', changed('gt', 700)],
  ['what was changed lately, and a code', all(changed('gt', 700), coded('c0'))],
  ['a common reference', leaf({ kind: 'reference', parameter: 'subject', target: 'Patient/p2' })],
  ['a rare code, without another', all(coded('r', 'rare'), lacks('often'))],
  ['a rare code, with another', all(coded('r', 'rare'), { op: 'not', of: lacks('often') })],
  ['a rare code, without a URI', all(coded('r', 'rare'), lacks('page'))],
  ['a common code, without another', all(coded('c1'), lacks('often'))],
  ['a rare code, and not what lacks both', all(coded('r', 'rare'), { op: 'not', of: all(lacks('often'), lacks('page')) })],
  ['not a code', all({ op: 'not', of: coded('c1') }, dated('oneDate', 'ge', 5_000))],
]; // prettier-ignore

const sorted: readonly (readonly [rule: string, where: Condition, order: readonly SortKey[]])[] = [
  ['dates after one', dated('oneDate', 'ge', 15_000), [by('date', 'oneDate')]],
  ['dates before one, newest first', dated('oneDate', 'lt', 15_000), [by('date', 'oneDate', true)]],
  ['dates but one', dated('oneDate', 'ne', 15_000), [by('date', 'oneDate')]],
  ['dates of which there may be several', dated('twoDates', 'ge', 6_000), [by('date', 'twoDates')]],
  ['a code, by dates that some lack', coded('h1', 'half'), [by('date', 'oftenDate', true)]],
  ['a code, by another', coded('h1', 'half'), [by('token', 'code', true), by('date', 'oneDate')]],
  ['a code, by date and another', coded('h1', 'half'), [by('date', 'twoDates'), by('token', 'code')]],
  ['a rare code, by another', coded('r', 'rare'), [by('token', 'often')]],
  ['a rare code, by another downwards, and by date', coded('r', 'rare'), [by('token', 'often', true), by('date', 'oneDate')]],
  ['a rare code, by a URI', coded('r', 'rare'), [by('uri', 'page', true), by('token', 'often')]],
  ['a rare code, by a code that all have each their own', coded('r', 'rare'), [by('token', 'own', true)]],
  ['a rare code without another, by that', all(coded('r', 'rare'), lacks('often')), [by('token', 'often'), by('uri', 'page')]],
  ['a code, newest first', coded('c1'), [by('date', 'oneDate', true)]],
  ['a code that only the last have, oldest first', coded('late'), [by('date', 'oneDate')]],
  ['two codes that only the last have, oldest first', all(coded('late'), coded('h1', 'half')), [by('date', 'oneDate')]],
  ['what few of the first have', all(coded('h0', 'half'), above(199, 'mg')), [by('date', 'oneDate')]],
  ['a name by itself', named('oneName', 'n3'), [by('string', 'oneName', true), by('date', 'oneDate')]],
  ['one of several names by one', named('twoNames', 'n3'), [by('string', 'twoNames')]],
  ['what was changed lately, by that', all(changed('gt', 300), coded('h1', 'half')), [byChange]],
]; // prettier-ignore

export function largeSearchContract(name: string, open: OpenStore): void {
  const filled = async (both: Both): Promise<void> => {
    const resources = Array.from({ length: size }, (_, index) => ({
      type: 'Observation',
      id: `o${index}`,
      entries: entriesOf(index),
      change: { lastUpdated: scattered(index, 997) },
    }));
    await both.putAll(resources);
    for (const index of [3, 700, 3_999]) await both.delete('Observation', `o${index}`);
  };

  describe(`${name}: searches over many resources`, () => {
    test(
      'find what the plain model finds, in any order and in one that is asked for',
      withStore(open, async (store) => {
        const both = new Both(store);
        await filled(both);
        for (const [, where] of unsorted) await both.expectAsModel(plan({ where, count: 450 }));
        for (const [, where, order] of sorted) await both.expectAsModel(plan({ where, order, count: 450 }));
      }),
      60_000,
    );

    test(
      'a place in an order that another search has is refused',
      withStore(open, async (store) => {
        const both = new Both(store);
        await filled(both);
        const asked = plan({ where: dated('oneDate', 'ge', 5_000), count: 20 });
        const { next } = await store.resources.search(asked);
        for (const other of [coded('c1'), named('oneName', 'n'), { op: 'every' } as const]) {
          await expect(store.resources.search({ ...asked, where: other, after: next })).rejects.toMatchObject(
            { code: 'bad-request' },
          );
        }
      }),
    );
  });
}
