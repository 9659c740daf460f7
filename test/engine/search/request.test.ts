// What a search URL is understood as: page, order, includes, the normalised query, and what is refused or left out.
import { describe, expect, test } from '@jest/globals';
import { Refusal } from '../../../engine/kernel/outcomes.ts';
import { loadSearchIndex } from '../../../engine/search/load-index.ts';
import type { SearchRequest } from '../../../engine/search/search-index.ts';

const index = loadSearchIndex();

function request(query: string, lenient = false): SearchRequest {
  const [type = '', search = ''] = query.split(/\?(.*)/s);
  return index.request(type, search, { lenient, base: 'http://h/fhir', defaultCount: 20, maximumCount: 100 });
}

function refusal(query: string): Refusal | undefined {
  try {
    request(query);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  return undefined;
}

describe('the page', () => {
  const pages: readonly (readonly [string, Partial<SearchRequest['plan']>])[] = [
    ['Patient', { count: 20, total: 'none', after: undefined, order: [], where: { op: 'every' } }],
    ['Patient?_count=7', { count: 7 }],
    ['Patient?_count=5000', { count: 100 }],
    ['Patient?_count=0', { count: 0, total: 'accurate' }],
    ['Patient?_summary=count', { count: 0, total: 'accurate' }],
    ['Patient?_total=accurate', { total: 'accurate' }],
    ['Patient?_total=none', { total: 'none' }],
    ['Patient?_total=estimate', { total: 'estimate' }],
    ['Patient?_page=abc', { after: 'abc' }],
    ['Patient?_back=abc', { after: undefined, before: 'abc' }],
    [
      'Observation?_sort=-date,_lastUpdated,_id',
      {
        order: [
          { by: { kind: 'date', parameter: 'Observation.date' }, descending: true },
          { by: { kind: 'lastUpdated' }, descending: false },
          { by: { kind: 'id' }, descending: false },
        ],
      },
    ],
    [
      'Patient?_sort=name',
      { order: [{ by: { kind: 'string', parameter: 'Patient.family' }, descending: false }] },
    ],
  ];
  test.each(pages)('%s', (query, expected) => expect(request(query).plan).toMatchObject(expected));
});

describe('includes', () => {
  const includes: readonly (readonly [string, object])[] = [
    [
      '_include=Observation:subject',
      { kind: 'include', parameter: 'subject', target: undefined, iterate: false },
    ],
    ['_include=Observation:subject:Patient', { kind: 'include', parameter: 'subject', target: 'Patient' }],
    ['_include=*', { kind: 'include', source: 'Observation', parameter: '*' }],
    ['_include=Observation:*', { kind: 'include', source: 'Observation', parameter: '*' }],
    ['_include:iterate=Patient:organization', { kind: 'include', source: 'Patient', iterate: true }],
    ['_revinclude=*', { kind: 'revinclude', source: '*', parameter: '*' }],
    ['_revinclude=Provenance:target', { kind: 'revinclude', source: 'Provenance', parameter: 'target' }],
  ];
  test.each(includes)('%s', (query, expected) =>
    expect(request(`Observation?${query}`).includes).toEqual([expect.objectContaining(expected)]),
  );

  test('follow the references that a parameter names, cut of version and base', () => {
    const own = loadSearchIndex({ base: 'http://h/fhir' });
    const resource = {
      resourceType: 'Observation',
      subject: { reference: 'http://h/fhir/Patient/1' },
      performer: [
        { reference: 'Practitioner/2/_history/3' },
        { reference: 'http://elsewhere/Practitioner/9' },
      ],
    };
    expect(own.referencesOf(resource, 'subject', undefined)).toEqual(['Patient/1']);
    expect(own.referencesOf(resource, 'patient', 'Group')).toEqual([]);
    expect(own.referencesOf(resource, '*', undefined)).toEqual(['Patient/1', 'Practitioner/2']);
    expect(own.referencesOf(resource, '*', 'Practitioner')).toEqual(['Practitioner/2']);
    expect(own.referencesOf(resource, 'code', undefined)).toEqual([]);
  });
});

describe('the query of the self link', () => {
  const queries: readonly (readonly [string, string])[] = [
    ['Patient?name=a%2Cb&_count=900&_page=xyz', 'name=a,b&_count=100'],
    ['Observation?code=http%3A%2F%2Floinc.org|6690-2', 'code=http://loinc.org%7C6690-2'],
    ['Patient?_format=json&_pretty=true&gender=female', 'gender=female'],
    ['Patient?name=a%26b%3Dc', 'name=a%26b%3Dc'],
    ['Patient?_elements=id,name&_summary=false', '_elements=id,name'],
    ['Patient?_summary=text&gender=male', '_summary=text&gender=male'],
    [
      'Observation?_filter=code eq WBC and status eq final',
      '_filter=code%20eq%20WBC%20and%20status%20eq%20final',
    ],
  ];
  test.each(queries)('%s', (query, self) => expect(request(query).self).toBe(self));

  test.each(queries)('%s: means the same when it is asked again', (query) => {
    const { plan, self } = request(query);
    expect(request(`${plan.type}?${self}`).plan).toEqual({ ...plan, after: undefined });
  });
});

describe('what is not known', () => {
  test.each([
    ['Patient?colour=red', 'unknown-parameter'],
    ['Patient?__proto__=red', 'unknown-parameter'],
    ['Patient?constructor=red', 'unknown-parameter'],
    ['Patient?name:constructor=red', 'unknown-parameter'],
    ['Patient?phonetic=%2B', 'bad-request'],
    ['Patient?_query=mine', 'unknown-parameter'],
    ['Patient?_sort=colour', 'unknown-parameter'],
    ['Patient?_sort:asc=family', 'unknown-parameter'],
    ['Patient?_contained=true', 'unknown-parameter'],
    ['Patient?_contained=both', 'unknown-parameter'],
    ['Patient?_count:exact=2', 'unknown-parameter'],
    ['Patient?_total:none=accurate', 'unknown-parameter'],
    ['Patient?_sort=phonetic', 'unknown-parameter'],
    ['Patient?_sort=_content', 'unknown-parameter'],
    ['Location?_sort=near', 'unknown-parameter'],
    ['Observation?_sort=code-value-quantity', 'unknown-parameter'],
    ['Patient?_elements=%3C', 'bad-request'],
    ['Patient?_summary=some', 'bad-request'],
    ['Patient?_page=a&_back=b', 'bad-request'],
    ['Patient?_list=$current-wishes', 'unknown-parameter'],
    ['Patient?name:contains=a', 'bad-request'],
    ['Observation?subject:Patient.name:contains=ab', 'bad-request'],
    ['Patient?_content=a', 'bad-request'],
    ['Patient?_content=a*', 'bad-request'],
    [`Patient?_filter=${'('.repeat(30)}name eq a`, 'bad-request'],
    ['Patient?_filter=name zz a', 'unknown-parameter'],
    ['Patient?_filter=gender gt a', 'unknown-parameter'],
    ['Patient?_filter=name eq', 'bad-request'],
    ['Patient?_filter=name eq a and', 'bad-request'],
    ['Patient?_filter=name eq a extra', 'bad-request'],
    ['Patient?_filter=colour eq red', 'unknown-parameter'],
    ['Observation?code:in=http://vs', 'bad-request'],
    ['Patient?_include=Patient:name', 'unknown-parameter'],
    ['Patient?_include=Nothing:name', 'bad-request'],
    ['Patient?_count=many', 'bad-request'],
    ['Patient?_count=-1', 'bad-request'],
    ['Patient?_total=maybe', 'bad-request'],
    ['Nothing?_count=1', 'bad-request'],
    [`Patient?${'link:Patient.'.repeat(11)}name=a`, 'bad-request'],
    [`Patient?${'name=a&'.repeat(200)}`, 'bad-request'],
    [`Patient?name=${'a,'.repeat(1000)}a`, 'bad-request'],
  ])('%s is refused', (query, code) => expect(refusal(query)?.code).toBe(code));

  test('the refusal says which parameters there are', () =>
    expect(refusal('Patient?colour=red')?.message).toMatch(
      /Patient has no search parameter colour; it has: .*birthdate/,
    ));

  test('no value is repeated in a refusal', () =>
    expect(refusal('Patient?birthdate=Kamau')?.message).not.toContain('Kamau'));

  test('lenient handling leaves it out, and says so', () => {
    const understood = request('Patient?colour=red&gender=female&_sort=shade', true);
    expect(understood).toMatchObject({ ignored: ['colour', '_sort'], self: 'gender=female' });
  });

  test('lenient handling still refuses what cannot be read', () =>
    expect(() => request('Patient?birthdate=soon', true)).toThrow(Refusal));
});

describe('what is listed', () => {
  test('is exactly what can be asked', () => {
    for (const type of index.types) {
      for (const { code, type: kind } of index.parameters(type)) {
        expect(kind).toMatch(/^[a-z]+$/);
        expect(request(`${type}?${code}:missing=false`).plan.where.op).not.toBe('none');
      }
    }
  });

  test('are the resource types of R4 that can be stored', () => {
    expect(index.types).toHaveLength(146);
    expect(index.isType('Observation')).toBe(true);
    expect(index.isType('Parameters')).toBe(false);
    expect(index.isType('__proto__')).toBe(false);
  });
});

test('a chain is not decided from one resource alone', () => {
  const { where } = request('Observation?patient.name=a').plan;
  expect(() => index.matches({ resourceType: 'Observation' }, [], where)).toThrow(Refusal);
});
