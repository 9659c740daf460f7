// Searches in compartments and over several types, over a real socket: https://hl7.org/fhir/R4/http.html#vsearch
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

const stored: readonly (readonly [name: string, elements: object])[] = [
  ['Patient/p1', {}],
  ['Patient/p2', { link: [{ other: { reference: 'Patient/p1' }, type: 'seealso' }] }],
  ['Practitioner/d1', {}],
  ['RelatedPerson/r1', { patient: { reference: 'Patient/p1' } }],
  ['Device/x1', { patient: { reference: 'Patient/p1' } }],
  ['Encounter/e1', { status: 'finished', subject: { reference: 'Patient/p1' } }],
  [
    'Observation/o1',
    {
      status: 'final',
      code: { coding: [{ code: 'a' }] },
      subject: { reference: 'Patient/p1' },
      encounter: { reference: 'Encounter/e1' },
      performer: [{ reference: 'Practitioner/d1' }],
      device: { reference: 'Device/x1' },
    },
  ],
  [
    'Observation/o2',
    { status: 'final', code: { coding: [{ code: 'b' }] }, subject: { reference: 'Patient/p1' } },
  ],
  [
    'Observation/o3',
    { status: 'final', code: { coding: [{ code: 'a' }] }, subject: { reference: 'Patient/p2' } },
  ],
  [
    'Observation/o4',
    { status: 'final', subject: { reference: 'Patient/p2' }, performer: [{ reference: 'RelatedPerson/r1' }] },
  ],
  ['Medication/m1', {}],
];

interface Found {
  readonly total?: number;
  readonly link: readonly { readonly relation: string; readonly url: string }[];
  readonly entry?: readonly { readonly fullUrl: string; readonly search: { readonly mode: string } }[];
}

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
  for (const [name, elements] of stored) {
    const [resourceType = '', id = ''] = name.split('/');
    await server.ask(name, { method: 'PUT', body: JSON.stringify({ resourceType, id, ...elements }) });
    server.clock.pass(1000);
  }
});
afterAll(() => server.stop());

async function walk(path: string, init: RequestInit = {}): Promise<readonly string[]> {
  const names: string[] = [];
  let url: string | undefined = `/fhir/R4${path}`;
  while (url !== undefined) {
    const response = await server.ask(url, init);
    expect([url, response.status]).toEqual([url, 200]);
    const { entry = [], link } = (await response.json()) as Found;
    names.push(...entry.map(({ fullUrl }) => fullUrl.slice(server.fhir.length + 1)));
    url = link.find(({ relation }) => relation === 'next')?.url.slice(server.url.length);
  }
  return names;
}

describe('one type in a compartment', () => {
  const rows: readonly (readonly [path: string, found: readonly string[]])[] = [
    ['/Patient/p1/Observation', ['Observation/o1', 'Observation/o2']],
    ['/Patient/p1/Observation?code=a', ['Observation/o1']],
    ['/Patient/p1/Observation?_count=1', ['Observation/o1', 'Observation/o2']],
    [
      '/Patient/p1/Observation?_include=Observation:performer',
      ['Observation/o1', 'Observation/o2', 'Practitioner/d1'],
    ],
    ['/Patient/p1/Patient', ['Patient/p1', 'Patient/p2']],
    ['/Patient/nobody/Observation', []],
    ['/Encounter/e1/Observation', ['Observation/o1']],
    ['/Encounter/e1/Encounter', ['Encounter/e1']],
    ['/Practitioner/d1/Observation', ['Observation/o1']],
    ['/RelatedPerson/r1/Observation', ['Observation/o4']],
    ['/Device/x1/Observation', ['Observation/o1']],
  ];
  test.each(rows)('%s', async (path, found) => {
    expect(await walk(path)).toEqual(found);
  });

  test('is searched by POST too', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const init = { method: 'POST', body: 'code=a', headers };
    const { entry, link } = (await (
      await server.ask('Patient/p1/Observation/_search', init)
    ).json()) as Found;
    expect(entry?.map(({ fullUrl }) => fullUrl)).toEqual([`${server.fhir}/Observation/o1`]);
    expect(link[0]?.url).toBe(`${server.fhir}/Patient/p1/Observation?code=a`);
  });

  test.each([
    ['/Patient/p1/Medication', 400],
    ['/Medication/m1/Observation', 404],
    ['/Patient/p1/Thing', 404],
    ['/Patient/p1/Observation?colour=blue', 400],
    ['/Patient/%25/Observation', 400],
  ])('%s is %i', async (path, status) => {
    const response = await server.ask(`/fhir/R4${path}`);
    expect([response.status, await response.json()]).toMatchObject([
      status,
      { resourceType: 'OperationOutcome' },
    ]);
  });
});

describe('all of a compartment', () => {
  const everything = [
    'Observation/o2',
    'Observation/o1',
    'Encounter/e1',
    'RelatedPerson/r1',
    'Patient/p2',
    'Patient/p1',
  ];
  test('comes newest first', async () => {
    expect(await walk('/Patient/p1/*')).toEqual(everything);
  });
  test('comes in pages', async () => {
    expect(await walk('/Patient/p1/*?_count=1')).toEqual(everything);
  });
  test('is limited by _type and by what all types have', async () => {
    expect(await walk('/Patient/p1/*?_type=Encounter,Observation&_id=o1,e1')).toEqual([
      'Observation/o1',
      'Encounter/e1',
    ]);
  });
  test('is only what the scopes let be searched', async () => {
    const authorization = `Bearer ${await server.tokenOf('reader')}`;
    expect(await walk('/Patient/p1/*', { headers: { authorization } })).toEqual([
      'Observation/o2',
      'Observation/o1',
    ]);
    const asked = await server.ask('Patient/p1/*?_type=Encounter', { headers: { authorization } });
    expect(asked.status).toBe(403);
  });
  test('is asked by POST too', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const init = { method: 'POST', body: '_type=Encounter', headers };
    const { entry } = (await (await server.ask('Patient/p1/*/_search', init)).json()) as Found;
    expect(entry?.map(({ fullUrl }) => fullUrl)).toEqual([`${server.fhir}/Encounter/e1`]);
  });
  test('does not hold what never is in it', async () => {
    expect((await server.ask('Patient/p1/*?_type=Medication')).status).toBe(400);
  });
});

describe('a search over the system', () => {
  test('finds several types, newest first, page by page', async () => {
    const found = ['Medication/m1', 'Encounter/e1', 'Patient/p2', 'Patient/p1'];
    expect(await walk('?_type=Patient,Encounter,Medication')).toEqual(found);
    expect(await walk('?_type=Patient,Encounter,Medication&_count=1')).toEqual(found);
    expect(await walk('/?_type=Patient&_type=Encounter,Medication')).toEqual(found);
  });
  test('counts, and says what it did', async () => {
    const { total, link } = (await (
      await server.ask('?_type=Patient,Encounter&_summary=count')
    ).json()) as Found;
    expect(total).toBe(3);
    expect(link[0]?.url).toBe(`${server.fhir}?_type=Patient,Encounter&_summary=count`);
  });
  test('without _type looks into all', async () => {
    expect(await walk('?_id=o1,p1,m1')).toEqual(['Medication/m1', 'Observation/o1', 'Patient/p1']);
  });
  test.each([
    ['_sort=_lastUpdated', ['Patient/p1', 'Patient/p2', 'Encounter/e1', 'Observation/o1']],
    ['_sort=_id', ['Encounter/e1', 'Observation/o1', 'Patient/p1', 'Patient/p2']],
    ['_sort=-_id', ['Patient/p2', 'Patient/p1', 'Observation/o1', 'Encounter/e1']],
    ['_sort=_tag,-_lastUpdated', ['Observation/o1', 'Encounter/e1', 'Patient/p2', 'Patient/p1']],
  ])('in another order: %s, page by page', async (sort, found) => {
    const query = `?_type=Patient,Encounter,Observation&_id=p1,p2,e1,o1&${sort}`;
    expect(await walk(query)).toEqual(found);
    expect(await walk(`${query}&_count=1`)).toEqual(found);
  });
  test('sorts by what the types have in common, missing values last', async () => {
    const query = '?_type=Encounter,Observation&_id=e1,o1,o3,o4&_sort=-subject,_id';
    const found = ['Observation/o3', 'Observation/o4', 'Encounter/e1', 'Observation/o1'];
    expect(await walk(query)).toEqual(found);
    expect(await walk(`${query}&_count=2`)).toEqual(found);
  });
  test('has pages that lead back', async () => {
    const ask = async (url: string): Promise<Found> => (await (await server.ask(url)).json()) as Found;
    const first = await ask('?_type=Patient,Encounter,Medication&_count=2');
    const to = ({ link }: Found, relation: string): string =>
      link.find((one) => one.relation === relation)?.url.slice(server.url.length) ?? '';
    const second = await ask(to(first, 'next'));
    expect((await ask(to(second, 'previous'))).entry).toEqual(first.entry);
  });
  test('takes includes', async () => {
    expect(await walk('?_type=Observation,Encounter&_id=o1,e1&_include=Observation:performer')).toEqual([
      'Observation/o1',
      'Encounter/e1',
      'Practitioner/d1',
    ]);
  });
  test('is asked by POST too', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const init = { method: 'POST', body: '_type=Patient&_id=p1', headers };
    expect(((await (await server.ask('_search', init)).json()) as Found).entry).toHaveLength(1);
  });
  test.each([
    ['a parameter that not all types have', '?_type=Patient,Observation&birthdate=2000', 400],
    ['a type that is none', '?_type=Thing', 400],
    ['a place that nobody gave', '?_type=Patient&_page=xyz', 400],
    ['an order that not all types have', '?_type=Patient,Observation&_sort=birthdate', 400],
    ['an order by values of several kinds', '?_type=MedicationRequest,RiskAssessment&_sort=probability', 400],
  ])('refuses %s', async (_rule, path, status) => {
    expect((await server.ask(path)).status).toBe(status);
  });
  test('leaves a parameter out for the lenient', async () => {
    const headers = { prefer: 'handling=lenient' };
    const response = await server.ask('?_type=Patient&_id=p1&colour=blue', { headers });
    const { entry } = (await response.json()) as Found;
    expect(entry?.map(({ search }) => search.mode)).toEqual(['match', 'outcome']);
  });
});
