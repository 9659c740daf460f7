// What every ResourceStore promises about searching: every leaf, comparator, join, order and page, measured against a plain model.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { IndexEntry } from '../../engine/search/index-entry.ts';
import type { Condition, Leaf, SortKey, Span } from '../../engine/search/plan.ts';
import { withStore, type OpenStore } from './opened-store.ts';
import { Both, leaf, plan, readAll } from './searched-store.ts';

const token = (code: string | undefined, system?: string): Leaf => ({
  kind: 'token',
  parameter: 'Observation.code',
  system,
  code,
});

/** Stored [low, high) and asked [10, 20): touching, inside, across, around, apart, open. */
const ranges: readonly (readonly [low: number, high: number])[] = [
  [10, 20], [12, 15], [10, 15], [15, 20], [5, 10], [20, 25], [5, 8], [22, 25], [5, 15], [15, 25], [5, 25], [10, 25], [5, 20],
  [-Infinity, 10], [-Infinity, 15], [20, Infinity], [15, Infinity], [-Infinity, Infinity], [9.5, 10.5], [19.995, 20.005],
]; // prettier-ignore
const comparators: readonly Span['comparator'][] = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'];

/** Entries of o1 … o6; o6 has none. */
const observations: readonly (readonly IndexEntry[])[] = [
  [
    { kind: 'token', parameter: 'Observation.code', system: 'http://loinc.org', code: '6690-2' },
    { kind: 'reference', parameter: 'Observation.subject', target: 'Patient/p1' },
    { kind: 'string', parameter: 'Observation.value-string', value: 'Wanjikũ', folded: 'wanjiku' },
    { kind: 'uri', parameter: 'Observation.profile', value: 'http://a.org/fhir/lab' },
  ],
  [
    { kind: 'token', parameter: 'Observation.code', system: '', code: '6690-2' },
    { kind: 'reference', parameter: 'Observation.subject', target: 'Patient/p2' },
    { kind: 'string', parameter: 'Observation.value-string', value: 'wanjiku', folded: 'wanjiku' },
    { kind: 'uri', parameter: 'Observation.profile', value: 'http://a.org/fhir' },
  ],
  [
    { kind: 'token', parameter: 'Observation.code', system: 'http://local', code: '6690-2' },
    { kind: 'token', parameter: 'Observation.code', system: 'http://loinc.org', code: '6690-2' },
    { kind: 'reference', parameter: 'Observation.subject', target: 'http://elsewhere/fhir/Patient/p1' },
    { kind: 'string', parameter: 'Observation.value-string', value: 'Njoroge wa Wanjiku', folded: 'njoroge wa wanjiku' },
    { kind: 'uri', parameter: 'Observation.profile', value: 'http://a.org/fhirwork' },
  ],
  [
    { kind: 'token', parameter: 'Observation.code', system: 'http://loinc.org', code: '789-8' },
    { kind: 'reference', parameter: 'Observation.subject', target: 'urn:uuid:1' },
    { kind: 'string', parameter: 'Observation.value-string', value: '100%_x', folded: '100%_x' },
    { kind: 'uri', parameter: 'Observation.profile', value: 'http://a.org/fhir/' },
    { kind: 'quantity', parameter: 'Observation.value', system: 'http://unitsofmeasure.org', unit: 'mg', low: 4.5, high: 5.5 },
    { kind: 'text', parameter: 'Observation._content', folded: 'haemoglobin 100%_x "low" wanjiku ŋ' },
    { kind: 'text', parameter: 'Observation._text', folded: 'report' },
  ],
  [
    { kind: 'token', parameter: 'Observation.code', system: 'http://loinc.org', code: 'x'.repeat(500) },
    { kind: 'token', parameter: 'Observation.category', system: 'http://loinc.org', code: '6690-2' },
    { kind: 'reference', parameter: 'Observation.performer', target: 'Patient/p1' },
    { kind: 'quantity', parameter: 'Observation.value', system: '', unit: 'mg', low: 4.5, high: 5.5 },
    { kind: 'quantity', parameter: 'Observation.value', system: 'http://unitsofmeasure.org', unit: 'g', low: 0.5, high: 1.5 },
    { kind: 'text', parameter: 'Observation._content', folded: 'haemoglobin haemoglobin normal' },
  ],
  [],
]; // prettier-ignore

const quantity = (system: string | undefined, unit: string | undefined): Leaf =>
  ({ kind: 'quantity', parameter: 'Observation.value', system, unit, comparator: 'ap', low: 5, high: 5.1 }); // prettier-ignore
const text = (match: Extract<Leaf, { kind: 'string' }>['match'], value: string): Leaf =>
  ({ kind: 'string', parameter: 'Observation.value-string', match, value }); // prettier-ignore
const uri = (match: 'exact' | 'below', value: string): Leaf =>
  ({ kind: 'uri', parameter: 'Observation.profile', match, value }); // prettier-ignore
const subject = (target: string): Leaf => ({ kind: 'reference', parameter: 'Observation.subject', target });

const codes = (...sets: readonly (readonly [system: string, ...codes: readonly string[]])[]): Leaf => ({
  kind: 'token-in',
  parameter: 'Observation.code',
  codes: sets.map(([system, ...some]) => ({ system, codes: some })),
});
const many = Array.from({ length: 500 }, (_, index) => `c${index}`);
const words = (...asked: readonly string[]): Leaf => ({
  kind: 'text',
  parameter: 'Observation._content',
  words: asked.map((word) => ({ word: word.replace(/\*$/, ''), prefix: word.endsWith('*') })),
});

const leaves: readonly (readonly [rule: string, leaf: Leaf, ids: readonly string[]])[] = [
  ['a code of any system', token('6690-2'), ['o1', 'o2', 'o3']],
  ['a code of one system', token('6690-2', 'http://loinc.org'), ['o1', 'o3']],
  ['a code that has no system', token('6690-2', ''), ['o2']],
  ['any code of a system', token(undefined, 'http://loinc.org'), ['o1', 'o3', 'o4', 'o5']],
  ['any code at all', token(undefined), ['o1', 'o2', 'o3', 'o4', 'o5']],
  ['codes differ in case', token('6690-2'.toUpperCase(), 'HTTP://LOINC.ORG'), []],
  ['a long code', token('x'.repeat(500)), ['o5']],
  ['a long code that differs at its end', token(`${'x'.repeat(499)}y`), []],
  ['a system that is not in the store', token('6690-2', 'http://nowhere'), []],
  ['a relative reference', subject('Patient/p1'), ['o1']],
  ['an absolute reference', subject('http://elsewhere/fhir/Patient/p1'), ['o3']],
  ['an urn', subject('urn:uuid:1'), ['o4']],
  ['a reference that is not in the store', subject('Patient/p9'), []],
  ['the beginning of a string', text('prefix', 'wanj'), ['o1', 'o2']],
  ['a part of a string', text('contains', 'wanjiku'), ['o1', 'o2', 'o3']],
  ['a string as written', text('exact', 'Wanjikũ'), ['o1']],
  ['a whole string, folded', text('whole', 'wanjiku'), ['o1', 'o2']],
  ['the end of a string', text('suffix', 'wanjiku'), ['o1', 'o2', 'o3']],
  ['an end that is longer than the string', text('suffix', 'xwanjiku'), []],
  ['wildcards of a database mean themselves', text('contains', '%_'), ['o4']],
  ['wildcards at the beginning too', text('prefix', '1%'), []],
  ['a uri', uri('exact', 'http://a.org/fhir'), ['o2']],
  ['a uri and what lies below it', uri('below', 'http://a.org/fhir'), ['o1', 'o2', 'o4']],
  ['what lies below a uri with its slash', uri('below', 'http://a.org/fhir/'), ['o1', 'o4']],
  ['a quantity in any unit', quantity(undefined, undefined), ['o4', 'o5']],
  ['a quantity in a unit of any system', quantity(undefined, 'mg'), ['o4', 'o5']],
  ['a quantity in a unit of a system', quantity('http://unitsofmeasure.org', 'mg'), ['o4']],
  ['a quantity in another unit', quantity('http://unitsofmeasure.org', 'g'), []],
  ['no value', { kind: 'missing', parameter: 'Observation.subject' }, ['o5', 'o6']],
  ['no value of a parameter that nobody has', { kind: 'missing', parameter: 'Observation.x' }, ['o1', 'o2', 'o3', 'o4', 'o5', 'o6']],
  ['one of several codes, each of its system', codes(['http://loinc.org', '789-8', '6690-2'], ['', 'x']), ['o1', 'o3', 'o4']],
  ['one of several codes, one without a system', codes(['', '6690-2'], ['http://nowhere', '789-8']), ['o2']],
  ['one of very many codes', codes(['http://loinc.org', ...many, 'x'.repeat(500)], ['http://local', '6690-2']), ['o3', 'o5']],
  ['one of no codes', codes(), []],
  ['a word of a text', words('haemoglobin'), ['o4', 'o5']],
  ['all words, wherever they stand', words('normal', 'haemoglobin'), ['o5']],
  ['the beginning of a word', words('haem*', 'wan*'), ['o4']],
  ['the end of a word', words('globin'), []],
  ['a word of another text of the resource', words('report'), []],
  ['a word in any script', words('ŋ'), ['o4']],
  ['what the language of a database would read as its own', words('"low"'), ['o4']],
  ['such a word that nobody has', words('OR'), []],
  ['such a sign', words('*'), ['o4', 'o5']],
  ['words with spaces in them are no words', words('normal haemoglobin'), []],
  ['no text', { kind: 'missing', parameter: 'Observation._content' }, ['o1', 'o2', 'o3', 'o6']],
  ['no uri', { kind: 'missing', parameter: 'Observation.profile' }, ['o5', 'o6']],
  ['no string', { kind: 'missing', parameter: 'Observation.value-string' }, ['o5', 'o6']],
  ['no code', { kind: 'missing', parameter: 'Observation.code' }, ['o6']],
  ['no quantity', { kind: 'missing', parameter: 'Observation.value' }, ['o1', 'o2', 'o3', 'o6']],
  ['ids', { kind: 'id', values: ['o3', 'o1', 'x', 'p1'] }, ['o1', 'o3']],
  ['no ids', { kind: 'id', values: [] }, []],
]; // prettier-ignore

const named = (name: string): Condition =>
  leaf({ kind: 'string', parameter: 'Patient.name', match: 'prefix', value: name });
const subjectNamed = (name: string): Condition =>
  ({ op: 'points-at', parameter: 'Observation.subject', target: 'Patient', where: named(name) }); // prettier-ignore
const hasObservation = (where: Condition): Condition =>
  ({ op: 'pointed-at-by', source: 'Observation', parameter: 'Observation.subject', where }); // prettier-ignore

/** Patients p1 (Amina, of Organization o), p2 (Baraka), deleted p3 (Amina); observations as above, and o7 of p3. */
const joins: readonly (readonly [rule: string, type: string, where: Condition, ids: readonly string[]])[] = [
  ['a chain', 'Observation', subjectNamed('amina'), ['o1']],
  ['a chain to nothing', 'Observation', subjectNamed('z'), []],
  ['a chain never goes over what is deleted', 'Observation', { op: 'points-at', parameter: 'Observation.subject', target: 'Patient', where: { op: 'every' } }, ['o1', 'o2']],
  ['a chain of the wrong type', 'Observation', { op: 'points-at', parameter: 'Observation.subject', target: 'Group', where: { op: 'every' } }, []],
  ['a chain of two links', 'Observation', { op: 'points-at', parameter: 'Observation.subject', target: 'Patient', where: { op: 'points-at', parameter: 'Patient.organization', target: 'Organization', where: leaf({ kind: 'id', values: ['o'] }) } }, ['o1']],
  ['a chain and a leaf', 'Observation', { op: 'and', of: [subjectNamed('baraka'), leaf(token('6690-2'))] }, ['o2']],
  ['not a chain', 'Observation', { op: 'not', of: subjectNamed('amina') }, ['o2', 'o3', 'o4', 'o5', 'o6', 'o7']],
  ['_has', 'Patient', hasObservation(leaf(token('6690-2', 'http://loinc.org'))), ['p1']],
  ['_has of anything', 'Patient', hasObservation({ op: 'every' }), ['p1', 'p2']],
  ['not _has', 'Patient', { op: 'not', of: hasObservation(leaf(token('6690-2', ''))) }, ['p1']],
  ['_has over a chain', 'Organization', { op: 'pointed-at-by', source: 'Patient', parameter: 'Patient.organization', where: hasObservation(leaf(token('6690-2'))) }, ['o']],
  ['a chain that comes back to its own type, and asks there what is missing', 'Observation', { op: 'points-at', parameter: 'Observation.subject', target: 'Patient', where: { op: 'and', of: [named('amina'), hasObservation({ op: 'not', of: leaf({ kind: 'missing', parameter: 'Observation.code' }) })] } }, ['o1']],
  ['either of two', 'Observation', { op: 'or', of: [leaf(token('789-8')), subjectNamed('amina')] }, ['o1', 'o4']],
  ['none of none', 'Observation', { op: 'or', of: [] }, []],
  ['all of none', 'Patient', { op: 'and', of: [] }, ['p1', 'p2']],
  ['none', 'Patient', { op: 'none' }, []],
  ['every', 'Patient', { op: 'every' }, ['p1', 'p2']],
  ['a type that is not in the store', 'Basic', { op: 'every' }, []],
  ['a type that is only referred to', 'Group', { op: 'every' }, []],
]; // prettier-ignore

async function fillHouse(both: Both): Promise<void> {
  const name = (folded: string): IndexEntry => ({
    kind: 'string',
    parameter: 'Patient.name',
    value: folded,
    folded,
  });
  // Observations first: what they refer to is not there yet.
  for (const [index, entries] of observations.entries()) {
    await both.put('Observation', `o${index + 1}`, entries);
  }
  await both.put('Observation', 'o7', [
    { kind: 'reference', parameter: 'Observation.subject', target: 'Patient/p3' },
  ]);
  const organization = {
    kind: 'reference',
    parameter: 'Patient.organization',
    target: 'Organization/o',
  } as const;
  await both.put('Patient', 'p1', [
    name('amina'),
    organization,
    { ...organization, parameter: 'Patient.x', target: 'Group/g' },
  ]);
  await both.put('Patient', 'p2', [name('baraka')]);
  await both.put('Patient', 'p3', [name('amina')]);
  await both.delete('Patient', 'p3');
  await both.put('Organization', 'o', []);
}

const sortKeys = {
  code: { kind: 'token', parameter: 'Observation.code' },
  date: { kind: 'date', parameter: 'Observation.date' },
  name: { kind: 'string', parameter: 'Observation.value-string' },
  value: { kind: 'quantity', parameter: 'Observation.value' },
  profile: { kind: 'uri', parameter: 'Observation.profile' },
  subject: { kind: 'reference', parameter: 'Observation.subject' },
  id: { kind: 'id' },
  lastUpdated: { kind: 'lastUpdated' },
} as const;
type SortName = keyof typeof sortKeys;
const by = (...names: readonly (SortName | `-${SortName}`)[]): readonly SortKey[] =>
  names.map((name) => {
    const descending = name.startsWith('-');
    return { by: sortKeys[(descending ? name.slice(1) : name) as SortName], descending };
  });

const orders: readonly (readonly SortKey[])[] = [
  by(),
  by('date'),
  by('-date'),
  by('name'),
  by('-name'),
  by('value'),
  by('-value'),
  by('code'),
  by('-code'),
  by('profile'),
  by('subject'),
  by('-subject', 'date'),
  by('id'),
  by('-id'),
  by('lastUpdated'),
  by('-lastUpdated'),
  by('-date', 'id'),
  by('name', '-date', 'code'),
  by('-value', '-lastUpdated'),
];

/** So many that a store must not gather and sort them all: values repeat, some are missing, some are several. */
async function fillMany(both: Both, count: number): Promise<void> {
  const pick = (index: number, of: number): number => (index * 7919) % of;
  const resources = Array.from({ length: count }, (_, index) => {
    const entries: IndexEntry[] = [
      {
        kind: 'token',
        parameter: 'Observation.code',
        system: 'http://loinc.org',
        code: `c${pick(index, 3)}`,
      },
      { kind: 'reference', parameter: 'Observation.subject', target: `Patient/p${pick(index, 400)}` },
    ];
    if (index % 5 !== 0) entries.push(dateEntry(pick(index, 97) * 100));
    if (index % 7 === 0) {
      entries.push(dateEntry(pick(index, 31) * 1000), dateEntry(pick(index, 31) * 1000, 50));
    }
    if (index % 3 !== 0) {
      const folded = `n${pick(index, 53)}`;
      entries.push({
        kind: 'string',
        parameter: 'Observation.value-string',
        value: folded.toUpperCase(),
        folded,
      });
    }
    if (index % 2 === 0) {
      const low = pick(index, 89) / 4;
      entries.push({
        kind: 'quantity',
        parameter: 'Observation.value',
        system: '',
        unit: 'mg',
        low,
        high: low + 0.5,
      });
    }
    return {
      type: 'Observation',
      id: `o${pick(index, count)}-${index}`,
      entries,
      change: { lastUpdated: pick(index, 499) },
    };
  });
  await both.putAll(resources);
}

const dateEntry = (low: number, width = 10): IndexEntry => ({
  kind: 'date',
  parameter: 'Observation.date',
  low,
  high: low + width,
});

const manyWheres: readonly (readonly [rule: string, where: Condition])[] = [
  ['every', { op: 'every' }],
  ['a common code', leaf(token('c1'))],
  ['a rare subject', leaf(subject('Patient/p3'))],
  ['a common code of a rare subject', { op: 'and', of: [leaf(token('c1')), leaf(subject('Patient/p3'))] }],
  ['one of two codes after a date', { op: 'and', of: [{ op: 'or', of: [leaf(token('c1')), leaf(token('c2'))] }, leaf({ kind: 'date', parameter: 'Observation.date', comparator: 'ge', low: 3000, high: 3001 })] }],
  ['not a code', { op: 'not', of: leaf(token('c1')) }],
  ['no date', leaf({ kind: 'missing', parameter: 'Observation.date' })],
  ['a common code without string', { op: 'and', of: [leaf(token('c0')), leaf({ kind: 'missing', parameter: 'Observation.value-string' })] }],
  ['the beginning of a string', leaf(text('prefix', 'n1'))],
  ['not long unchanged', leaf({ kind: 'lastUpdated', comparator: 'gt', low: 100, high: 101 })],
  ['either of two subjects', { op: 'or', of: [leaf(subject('Patient/p3')), leaf(subject('Patient/p9'))] }],
]; // prettier-ignore

export function resourceSearchContract(name: string, open: OpenStore): void {
  describe(`${name}: search`, () => {
    test.each(comparators)(
      '%s compares stored ranges with the asked one as the specification says',
      (comparator) =>
        withStore(open, async (store) => {
          const both = new Both(store);
          const number = 'Observation.number';
          for (const [index, [low, high]] of ranges.entries()) {
            const entry = { low, high } as const;
            await both.put('Observation', `r${index}`, [
              { kind: 'date', parameter: 'Observation.date', ...entry },
              { kind: 'number', parameter: number, ...entry },
              { kind: 'quantity', parameter: 'Observation.value', system: 's', unit: 'u', ...entry },
            ]);
          }
          for (const [low, high] of [
            [10, 20],
            [-Infinity, 15],
            [15, Infinity],
          ] as const) {
            const span = { comparator, low, high };
            await both.expectAsModel(
              plan({ where: leaf({ kind: 'date', parameter: 'Observation.date', ...span }) }),
            );
            await both.expectAsModel(plan({ where: leaf({ kind: 'number', parameter: number, ...span }) }));
            await both.expectAsModel(
              plan({
                where: leaf({
                  kind: 'quantity',
                  parameter: 'Observation.value',
                  system: 's',
                  unit: 'u',
                  ...span,
                }),
              }),
            );
          }
        })(),
    );

    test.each(comparators)('%s compares the time of the last change', (comparator) =>
      withStore(open, async (store) => {
        const both = new Both(store);
        for (const lastUpdated of [5, 9, 10, 11, 19, 20, 25]) {
          await both.put('Observation', `u${lastUpdated}`, [], { lastUpdated });
        }
        for (const [low, high] of [
          [10, 11],
          [10, 20],
          [-Infinity, 10],
          [20, Infinity],
        ] as const) {
          await both.expectAsModel(plan({ where: leaf({ kind: 'lastUpdated', comparator, low, high }) }));
        }
      })(),
    );

    describe('leaves', () => {
      test.each(leaves)('%s', (_rule, one, expected) =>
        withStore(open, async (store) => {
          const both = new Both(store);
          for (const [index, entries] of observations.entries()) {
            await both.put('Observation', `o${index + 1}`, entries);
          }
          await both.put('Patient', 'p1', []);
          expect([...(await readAll(store, plan({ where: leaf(one) })))].sort()).toEqual(expected);
          await both.expectAsModel(plan({ where: leaf(one) }));
          await both.expectAsModel(plan({ where: { op: 'not', of: leaf(one) } }));
          await both.expectAsModel(plan({ where: { op: 'and', of: [leaf(one), leaf(token('6690-2'))] } }));
        })(),
      );
    });

    describe('joins', () => {
      test.each(joins)('%s', (_rule, type, where, expected) =>
        withStore(open, async (store) => {
          const both = new Both(store);
          await fillHouse(both);
          expect([...(await readAll(store, plan({ type, where })))].sort()).toEqual(expected);
          await both.expectAsModel(plan({ type, where }));
        })(),
      );
    });

    test(
      'an update moves a resource from its old values to its new ones, a deletion takes it out, and it can come back',
      withStore(open, async (store) => {
        const both = new Both(store);
        const entries = observations[0]!;
        const changed = [...entries.slice(1), { ...entries[0]!, code: 'new' } as IndexEntry];
        const steps = [() => both.put('Observation', 'a', entries), () => both.put('Observation', 'a', changed), () => both.delete('Observation', 'a'), () => both.put('Observation', 'a', entries)]; // prettier-ignore
        for (const step of steps) {
          await step();
          for (const where of [
            leaf(token('6690-2')),
            leaf(token('new')),
            leaf(text('prefix', 'wanj')),
            { op: 'every' } as const,
          ]) {
            await both.expectAsModel(plan({ where }));
          }
        }
      }),
    );

    test(
      'an "or" of very many values is carried out, an absurd one is refused',
      withStore(open, async (store) => {
        const both = new Both(store);
        await both.put('Observation', 'a', [
          { kind: 'token', parameter: 'Observation.code', system: '', code: 'c7' },
        ]);
        const many = (count: number): Condition => ({
          op: 'or',
          of: Array.from({ length: count }, (_, index) => leaf(token(`c${index}`))),
        });
        await both.expectAsModel(plan({ where: many(1500) }));
        await both.expectAsModel(plan({ where: { op: 'not', of: many(1500) } }));
        await expect(store.resources.search(plan({ where: many(20_000) }))).rejects.toMatchObject({
          code: 'too-large',
        });
      }),
    );
  });

  describe(`${name}: order and pages`, () => {
    test.each(manyWheres)(
      'in every order and by pages, many resources are found as the model finds them: %s',
      (_rule, where) =>
        withStore(open, async (store) => {
          const both = new Both(store);
          await fillMany(both, 1500);
          for (const order of orders) await both.expectAsModel(plan({ where, order, count: 173 }));
        })(),
    );

    test.each([by(), by('-date'), by('date'), by('name', '-date')].map((order) => [order]))(
      'while resources come and go between pages, what stays is seen once: %j',
      (order) =>
        withStore(open, async (store) => {
          const both = new Both(store);
          await fillMany(both, 900);
          const asked = plan({ where: leaf(token('c1')), order, count: 20 });
          const before = both.model.matches(asked).map(({ version }) => version.id);
          const gone = new Set(before.filter((_id, index) => index % 10 === 0));
          const leaving = [...gone];
          const seen: string[] = [];
          let after: string | undefined;
          do {
            const page = await store.resources.search({ ...asked, after });
            seen.push(...page.matches.map(({ id }) => id));
            after = page.next;
            const id = leaving.pop();
            if (id !== undefined) await both.delete('Observation', id);
            await both.put('Observation', `new${seen.length}`, [
              dateEntry(seen.length * 37),
              { kind: 'token', parameter: 'Observation.code', system: '', code: 'c1' },
            ]);
          } while (after !== undefined);
          expect(new Set(seen).size).toBe(seen.length);
          expect(before.filter((id) => !gone.has(id) && !seen.includes(id))).toEqual([]);
        })(),
    );

    test.each([
      '',
      'x',
      '!!!',
      'bnVsbA',
      Buffer.from('["n1","n2","n3"]').toString('base64url'),
      'A'.repeat(100_000),
    ])('a page link that this search did not give is refused: %#', (after) =>
      withStore(open, async (store) => {
        const asked = store.resources.search(plan({ after, order: by('-date') }));
        await expect(asked).rejects.toMatchObject({ code: 'bad-request' });
      })(),
    );

    test(
      'a total only when it is asked for; a count of none gives the total alone',
      withStore(open, async (store) => {
        const both = new Both(store);
        await fillMany(both, 30);
        const one = await store.resources.search(plan({ count: 5, total: 'none' }));
        expect([one.matches.length, one.total]).toEqual([5, undefined]);
        const none = await store.resources.search(plan({ count: 0, total: 'none' }));
        expect([none.matches.length, none.total, none.next]).toEqual([0, 30, undefined]);
      }),
    );

    test.each([
      ['of all kinds', { entry, condition: conditionsOf(anyLeaf) }],
      ['of canonicals', { entry: canonicalEntry, condition: conditionsOf(canonicalLeaf) }],
    ])('random writes, updates and deletions, then every search as the model: %s', async (_what, made) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(stepsOf(made.entry), { minLength: 1, maxLength: 40 }),
          fc.array(made.condition, { minLength: 8, maxLength: 8 }),
          async (steps, wheres) => {
            const opened = await open();
            try {
              const both = new Both(opened.store);
              for (const { type, id, entries } of steps) {
                if (entries !== undefined) await both.put(type, id, entries);
                else if (both.model.get(type, id)?.version.body !== undefined) await both.delete(type, id);
              }
              for (const where of wheres) {
                await both.expectAsModel(plan({ type: 'Observation', where, count: 3, order: by('-date') }));
                await both.expectAsModel(plan({ type: 'Patient', where, count: 100 }));
              }
            } finally {
              await opened.close();
            }
          },
        ),
        { numRuns: 25 },
      );
    });
  });
}

const small = (letters: string): fc.Arbitrary<string> => fc.constantFrom(...letters.split(''));
const types = fc.constantFrom('Observation', 'Patient');
const canonicals = fc.constantFrom(
  'urn:a',
  'urn:a|1',
  'urn:a|1.2',
  'urn:a|1-x',
  'urn:a|12',
  'urn:a|1/',
  'urn:b',
);
const edge = fc.constantFrom(-Infinity, 0, 1, 2.5, 3, 4, Infinity);
const range = fc
  .tuple(edge, edge)
  .map(([one, other]) => ({ low: Math.min(one, other), high: Math.max(one, other) }));

const canonicalEntry: fc.Arbitrary<IndexEntry> = fc.oneof(
  canonicals.map((target) => ({ kind: 'reference' as const, parameter: 'Observation.by:written', target })),
  fc.tuple(canonicals, small('123')).map(([value, order]) => ({ kind: 'string' as const, parameter: 'Observation.url:named', value, folded: `${value}\u0001${order}` })),
); // prettier-ignore

const entry: fc.Arbitrary<IndexEntry> = fc.oneof(
  fc.record({ kind: fc.constant('token' as const), parameter: fc.constant('Observation.code'), system: small('st'), code: small('abc') }),
  fc.record({ kind: fc.constant('reference' as const), parameter: fc.constant('Observation.subject'), target: fc.tuple(types, small('123')).map(([type, id]) => `${type}/${id}`) }),
  fc.record({ kind: fc.constant('string' as const), parameter: fc.constant('Observation.value-string'), value: small('AB'), folded: fc.constantFrom('a', 'ab', 'b') }),
  range.map(({ low, high }) => ({ kind: 'date' as const, parameter: 'Observation.date', low, high })),
  fc.tuple(small('ab'), range).map(([code, { low, high }]) => ({ kind: 'composite' as const, parameter: 'Observation.part', parts: [{ kind: 'token' as const, parameter: 'Observation.part', system: 's', code }, { kind: 'date' as const, parameter: 'Observation.part', low, high }] })),
  canonicalEntry,
  fc.uniqueArray(fc.constantFrom('a', 'ab', 'b'), { minLength: 1 }).map((some) => ({ kind: 'text' as const, parameter: 'Observation._content', folded: some.join(' ') })),
  fc.tuple(small('012'), small('012')).map(([latitude, longitude]) => ({ kind: 'position' as const, parameter: 'Observation.near', latitude: Number(latitude), longitude: Number(longitude) })),
); // prettier-ignore

interface Step {
  readonly type: string;
  readonly id: string;
  /** undefined: deleted. */
  readonly entries: readonly IndexEntry[] | undefined;
}

const stepsOf = (of: fc.Arbitrary<IndexEntry>): fc.Arbitrary<Step> => fc.record({
  type: types,
  id: small('123'),
  entries: fc.option(
    fc.uniqueArray(of, { maxLength: 5, selector: (one) => one.kind === 'text' ? 'text' : JSON.stringify(one, (_key, value: unknown) => typeof value === 'number' ? String(value) : value) }),
    { nil: undefined, freq: 4 },
  ),
}); // prettier-ignore

const canonicalLeaf: fc.Arbitrary<Leaf> = fc.oneof(
  fc.record({ kind: fc.constant('canonical' as const), parameter: fc.constant('Observation.by:written'), value: canonicals }),
  fc.record({ kind: fc.constant('id' as const), values: fc.array(small('123')) }),
); // prettier-ignore

const anyLeaf: fc.Arbitrary<Leaf> = fc.oneof(
  fc.record({ kind: fc.constant('token' as const), parameter: fc.constant('Observation.code'), system: fc.constantFrom(undefined, '', 's', 't'), code: fc.constantFrom(undefined, 'a', 'b') }),
  fc.record({ kind: fc.constant('reference' as const), parameter: fc.constant('Observation.subject'), target: fc.tuple(types, small('123')).map(([type, id]) => `${type}/${id}`) }),
  fc.record({ kind: fc.constant('string' as const), parameter: fc.constant('Observation.value-string'), match: fc.constantFrom('prefix' as const, 'exact' as const, 'contains' as const, 'whole' as const, 'suffix' as const), value: fc.constantFrom('a', 'b', 'A', '') }),
  fc.tuple(range, fc.constantFrom(...comparators)).map(([span, comparator]) => ({ kind: 'date' as const, parameter: 'Observation.date', comparator, ...span })),
  fc.record({ kind: fc.constant('missing' as const), parameter: fc.constantFrom('Observation.code', 'Observation.date', 'Observation.subject', 'Observation.part', 'Observation._content', 'Observation.near') }),
  fc.record({ kind: fc.constant('token-in' as const), parameter: fc.constant('Observation.code'), codes: fc.array(fc.record({ system: small('st'), codes: fc.array(small('abc')) }), { maxLength: 2 }) }),
  fc.tuple(small('ab'), range, fc.constantFrom(...comparators)).map(([code, span, comparator]) => ({ kind: 'composite' as const, parameter: 'Observation.part', parts: [{ kind: 'token' as const, parameter: 'Observation.part', system: undefined, code }, { kind: 'date' as const, parameter: 'Observation.part', comparator, ...span }] })),
  fc.record({ kind: fc.constant('text' as const), parameter: fc.constant('Observation._content'), words: fc.array(fc.record({ word: fc.constantFrom('a', 'ab', 'b'), prefix: fc.boolean() }), { minLength: 1, maxLength: 2 }) }),
  fc.tuple(small('012'), small('012'), fc.constantFrom(1_000, 120_000, 30_000_000)).map(([latitude, longitude, metres]) => ({ kind: 'near' as const, parameter: 'Observation.near', latitude: Number(latitude), longitude: Number(longitude), metres })),
  canonicalLeaf,
); // prettier-ignore

const byCanonical = {
  parameter: fc.constant('Observation.by:written'),
  by: fc.constant('Observation.url:named'),
};

const conditionsOf = (leaves: fc.Arbitrary<Leaf>): fc.Arbitrary<Condition> =>
  fc.letrec<{ condition: Condition }>((tie) => ({
    condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaves.map(leaf),
    fc.record({ op: fc.constantFrom('and' as const, 'or' as const), of: fc.array(tie('condition'), { maxLength: 3 }) }),
    fc.record({ op: fc.constant('not' as const), of: tie('condition') }),
    fc.record({ op: fc.constant('points-at' as const), parameter: fc.constant('Observation.subject'), target: types, where: tie('condition') }),
    fc.record({ op: fc.constant('pointed-at-by' as const), source: types, parameter: fc.constant('Observation.subject'), where: tie('condition') }),
    fc.record({ op: fc.constant('points-at' as const), ...byCanonical, target: types, where: tie('condition') }),
    fc.record({ op: fc.constant('pointed-at-by' as const), ...byCanonical, source: types, where: tie('condition') }),
  ), // prettier-ignore
  })).condition;
