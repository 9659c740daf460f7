// SearchParameters that are taken in use while the engine runs: what they find, what is refused, what is forgotten.
import { describe, expect, test } from '@jest/globals';
import { Refusal } from '../../../engine/kernel/outcomes.ts';
import type { FhirResource } from '../../../engine/fhir/resource.ts';
import { loadSearchIndex } from '../../../engine/search/load-index.ts';
import { findInMemory } from '../../support/search-in-memory.ts';

const tribe = 'http://example.org/sub-county';
const parameter = (change: Record<string, unknown>): FhirResource => ({
  resourceType: 'SearchParameter',
  url: 'http://example.org/SearchParameter/one',
  status: 'active',
  code: 'one',
  base: ['Patient'],
  type: 'string',
  expression: `Patient.extension('${tribe}').value.as(string)`,
  ...change,
});

const patients: readonly FhirResource[] = [
  { resourceType: 'Patient', id: 'a', extension: [{ url: tribe, valueString: 'Thíka East' }] },
  { resourceType: 'Patient', id: 'b', extension: [{ url: 'http://other', valueString: 'Thika East' }] },
  {
    resourceType: 'Patient',
    id: 'c',
    contact: [
      { gender: 'male', name: { family: 'Otieno' } },
      { gender: 'female', name: { family: 'Achieng' } },
    ],
  },
];

function found(index: ReturnType<typeof loadSearchIndex>, query: string): readonly (string | undefined)[] {
  const limits = { lenient: false, base: '', defaultCount: 20, maximumCount: 20 };
  return findInMemory(index, patients, 'Patient', index.request('Patient', query, limits).plan.where);
}

const kinds: readonly (readonly [string, FhirResource, string, readonly string[]])[] = [
  ['an extension', parameter({}), 'one=thika', ['a']],
  [
    'a token',
    parameter({ type: 'token', expression: 'Patient.contact.gender' }),
    'one=http://hl7.org/fhir/administrative-gender|female',
    ['c'],
  ],
  ['a name by its parts', parameter({ expression: 'Patient.contact.name' }), 'one:contains=tien', ['c']],
  [
    'a composite',
    parameter({
      type: 'composite',
      expression: 'Patient.contact',
      component: [
        { definition: 'http://hl7.org/fhir/SearchParameter/individual-gender', expression: 'gender' },
        { definition: 'http://hl7.org/fhir/SearchParameter/individual-family', expression: 'name.family' },
      ],
    }),
    'one=female$achieng,male$x',
    ['c'],
  ],
];

describe('a SearchParameter that is defined', () => {
  test.each(kinds)('%s: finds what it names', async (_name, definition, query, expected) => {
    const index = loadSearchIndex();
    expect(() => found(index, query)).toThrow(Refusal);
    expect(await index.define(definition)).toEqual(['Patient']);
    expect(found(index, query)).toEqual(expected);
    expect(index.parameters('Patient').map(({ code }) => code)).toContain('one');
  });

  test('for all resources: is known to each', async () => {
    const index = loadSearchIndex();
    const added = parameter({ base: ['Resource'], type: 'token', expression: 'Resource.language' });
    expect(await index.define(added)).toHaveLength(index.types.length);
    expect(index.parameters('Bundle').map(({ code }) => code)).toContain('one');
  });

  test('again: takes the place of the first', async () => {
    const index = loadSearchIndex();
    await index.define(parameter({}));
    await index.define(parameter({ type: 'token', expression: 'Patient.contact.gender' }));
    expect(found(index, 'one=female')).toEqual(['c']);
    const names = index.entries(patients[0]!).map((entry) => entry.parameter);
    expect(names.some((name) => name.includes('one'))).toBe(false);
  });

  test('and forgotten: is no longer known', async () => {
    const index = loadSearchIndex();
    await index.define(parameter({}));
    expect(index.forget('http://example.org/SearchParameter/one')).toEqual(['Patient']);
    expect(index.forget('http://example.org/SearchParameter/one')).toEqual([]);
    expect(() => found(index, 'one=thika')).toThrow(Refusal);
  });

  test('by R4 itself: is there already', async () => {
    const own = parameter({ url: 'http://hl7.org/fhir/SearchParameter/individual-gender', code: 'gender' });
    expect(await loadSearchIndex().define(own)).toEqual([]);
  });
});

describe('a SearchParameter is refused', () => {
  const refusals: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
    ['that is a draft', { status: 'draft' }, /status/],
    ['without a url', { url: undefined }, /url/],
    ['whose code is no name', { code: '_id|x' }, /code/],
    ['whose code is taken', { code: 'gender' }, /gender already/],
    ['whose code is that of the store', { code: '_id' }, /code/],
    ['for no type', { base: ['Nothing'] }, /base/],
    ['of a special kind', { type: 'special' }, /type/],
    ['without an expression', { expression: undefined }, /expression/],
    ['with a function', { expression: 'Patient.name.first()' }, /no such function/],
    ['with arithmetic', { expression: 'Patient.multipleBirthInteger + 1' }, /no path/],
    ['that is no FHIRPath', { expression: 'Patient..((' }, /Patient/],
    ['with an element that is not there', { expression: 'Patient.colour' }, /no element/],
    ['with an element of another kind', { type: 'date' }, /no element/],
    ['that is too long', { expression: `Patient.${'contact.'.repeat(2000)}x` }, /4000/],
    ['composed of nothing', { type: 'composite', component: [{}] }, /components/],
  ];
  test.each(refusals)('%s', async (_name, change, why) => {
    const index = loadSearchIndex();
    const refusal: unknown = await index.define(parameter(change)).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refusal);
    expect((refusal as Refusal).code).toBe('unprocessable');
    expect((refusal as Refusal).message).toMatch(why);
    expect(index.parameters('Patient')).toEqual(loadSearchIndex().parameters('Patient'));
  });
});
