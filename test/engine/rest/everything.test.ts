// $everything and $lastn over a real socket: what belongs to a patient or an encounter, and what that refers to, each once.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { careDate } from '../../../engine/fhir/care-dates.ts';
import { loadSearchIndex } from '../../../engine/search/load-index.ts';
import { startServer, type RunningServer } from './running-server.ts';

const to = (reference: string): object => ({ reference });
const code = (value: string, system = 'http://loinc.org'): object => ({ coding: [{ system, code: value }] });

const stored: readonly (readonly [name: string, elements: object])[] = [
  ['Organization/county', {}],
  ['Organization/hospital', { partOf: to('Organization/county') }],
  ['Practitioner/d1', {}],
  ['Practitioner/d2', {}],
  [
    'PractitionerRole/role',
    { practitioner: to('Practitioner/d2'), organization: to('Organization/hospital') },
  ],
  ['Location/ward', { managingOrganization: to('Organization/hospital') }],
  ['Medication/m1', {}],
  ['Patient/p1', { managingOrganization: to('Organization/hospital') }],
  ['Patient/p2', {}],
  [
    'Encounter/e1',
    {
      status: 'finished',
      subject: to('Patient/p1'),
      period: { start: '2026-01-10', end: '2026-01-12' },
      location: [{ location: to('Location/ward') }],
    },
  ],
  [
    'Observation/o1',
    {
      status: 'final',
      code: code('glucose'),
      subject: to('Patient/p1'),
      encounter: to('Encounter/e1'),
      effectiveDateTime: '2026-01-11',
      performer: [to('Practitioner/d1'), to('PractitionerRole/role'), to('Practitioner/nobody')],
      focus: [to('Patient/p2')],
    },
  ],
  [
    'Observation/o2',
    { status: 'final', code: code('glucose'), subject: to('Patient/p1'), effectiveDateTime: '2026-02-01' },
  ],
  [
    'Observation/other',
    { status: 'final', code: code('glucose'), subject: to('Patient/p2'), effectiveDateTime: '2026-02-01' },
  ],
  [
    'MedicationRequest/mr',
    {
      status: 'active',
      intent: 'order',
      subject: to('Patient/p1'),
      authoredOn: '2026-02-02',
      medicationReference: to('Medication/m1'),
      requester: to('Practitioner/d1'),
    },
  ],
];

interface Bundle {
  readonly link: readonly { readonly relation: string; readonly url: string }[];
  readonly entry?: readonly {
    readonly fullUrl: string;
    readonly search: { readonly mode: string };
    readonly resource: { readonly id: string };
  }[];
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
  let url: string | undefined = `/fhir/R4/${path}`;
  while (url !== undefined) {
    const response = await server.ask(url, init);
    expect([url, response.status]).toEqual([url, 200]);
    const { entry = [], link } = (await response.json()) as Bundle;
    for (const { fullUrl, search } of entry) {
      names.push(`${search.mode === 'match' ? '' : '+'}${fullUrl.slice(server.fhir.length + 1)}`);
    }
    url = link.find(({ relation }) => relation === 'next')?.url.slice(server.url.length);
  }
  return names;
}

const members = ['Encounter/e1', 'MedicationRequest/mr', 'Observation/o1', 'Observation/o2', 'Patient/p1'];
const shared = [
  '+Location/ward',
  '+Medication/m1',
  '+Organization/county',
  '+Organization/hospital',
  '+Practitioner/d1',
  '+Practitioner/d2',
  '+PractitionerRole/role',
];

const rows: readonly (readonly [rule: string, path: string, found: readonly string[]])[] = [
  ['all of a patient, and what it refers to', 'Patient/p1/$everything', [...shared, ...members]],
  ['page by page', 'Patient/p1/$everything?_count=1', [...shared, ...members]],
  ['in pages that end with the members', 'Patient/p1/$everything?_count=5', [...shared, ...members]],
  ['in pages that have both', 'Patient/p1/$everything?_count=7', [...shared, ...members]],
  [
    'of types',
    'Patient/p1/$everything?_type=Observation,Practitioner',
    ['+Practitioner/d1', '+Practitioner/d2', 'Observation/o1', 'Observation/o2'],
  ],
  [
    'of types, page by page',
    'Patient/p1/$everything?_type=Observation,Practitioner&_count=2',
    ['+Practitioner/d1', '+Practitioner/d2', 'Observation/o1', 'Observation/o2'],
  ],
  [
    'of care from a day on',
    'Patient/p1/$everything?start=2026-02-02',
    [
      '+Medication/m1',
      '+Organization/county',
      '+Organization/hospital',
      '+Practitioner/d1',
      'MedicationRequest/mr',
      'Patient/p1',
    ],
  ],
  [
    'of care within days',
    'Patient/p1/$everything?start=2026-01-01&end=2026-01-31&_type=Observation,Encounter',
    ['Encounter/e1', 'Observation/o1'],
  ],
  [
    'changed since',
    'Patient/p1/$everything?_since=2026-03-01T08:00:11Z',
    ['MedicationRequest/mr', 'Observation/o2'],
  ],
  [
    'of an encounter, with its patient',
    'Encounter/e1/$everything',
    [
      '+Location/ward',
      '+Organization/county',
      '+Organization/hospital',
      '+Patient/p1',
      '+Patient/p2',
      '+Practitioner/d1',
      '+Practitioner/d2',
      '+PractitionerRole/role',
      'Encounter/e1',
      'Observation/o1',
    ],
  ],
  ['of all patients', 'Patient/$everything', [...shared, ...members, 'Observation/other', 'Patient/p2']],
  [
    'of all patients, page by page',
    'Patient/$everything?_count=3',
    [...shared, ...members, 'Observation/other', 'Patient/p2'],
  ],
];

describe('$everything', () => {
  test.each(rows)('%s', async (_rule, path, found) => {
    const names = await walk(path);
    expect(names.toSorted()).toEqual(found.toSorted());
  });

  test('takes its parameters from a Parameters resource too', async () => {
    const body = JSON.stringify({
      resourceType: 'Parameters',
      parameter: [
        { name: '_type', valueString: 'Encounter' },
        { name: 'start', valueDate: '2026-01-01' },
        { name: '_count', valueInteger: 5 },
      ],
    });
    const response = await server.ask('Patient/p1/$everything', { method: 'POST', body });
    const { entry, link } = (await response.json()) as Bundle;
    expect(entry?.map(({ resource }) => resource.id)).toEqual(['e1']);
    expect(link[0]?.url).toBe(
      `${server.fhir}/Patient/p1/$everything?_type=Encounter&start=2026-01-01&_count=5`,
    );
  });

  test('shows only what the scopes let be read', async () => {
    const authorization = `Bearer ${await server.tokenOf('patients')}`;
    expect(await walk('Patient/p1/$everything', { headers: { authorization } })).toEqual(['Patient/p1']);
    const reader = { authorization: `Bearer ${await server.tokenOf('reader')}` };
    expect((await server.ask('Patient/p1/$everything', { headers: reader })).status).toBe(403);
  });

  test.each([
    ['Patient/nobody/$everything', 404],
    ['Patient/nobody/$everything?_count=3', 404],
    ['Observation/o1/$everything', 404],
    ['Encounter/$everything', 404],
    ['Patient/p1/$everything?start=monday', 400],
    ['Patient/p1/$everything?_count=0', 400],
    ['Patient/p1/$everything?_type=Thing', 400],
    ['Patient/p1/$everything?_count=1&_page=xyz', 400],
    ['Patient/p1/$everything?colour=blue', 400],
  ])('%s is %i', async (path, status) => {
    const response = await server.ask(path);
    expect([response.status, await response.json()]).toMatchObject([
      status,
      { resourceType: 'OperationOutcome' },
    ]);
  });

  test('of a deleted patient is gone', async () => {
    await server.ask('Patient/gone', { method: 'PUT', body: '{"resourceType":"Patient","id":"gone"}' });
    await server.ask('Patient/gone', { method: 'DELETE' });
    expect((await server.ask('Patient/gone/$everything')).status).toBe(410);
  });
});

test('the dates of care are date parameters that there are', () => {
  const index = loadSearchIndex();
  const dated = index.types.filter((type) => careDate(type) !== undefined);
  expect(dated.length).toBeGreaterThan(40);
  for (const type of dated) {
    const kind = index.parameters(type).find(({ code: name }) => name === careDate(type))?.type;
    expect([type, kind]).toEqual([type, 'date']);
  }
});

describe('$lastn', () => {
  const lab = { coding: [{ code: 'laboratory' }] };
  const results: readonly (readonly [id: string, date: string | undefined, codes: readonly string[]])[] = [
    ['n1', '2026-01-01', ['hb']],
    ['n2', '2026-01-03', ['hb', 'haemoglobin']],
    ['n3', '2026-01-02', ['haemoglobin']],
    ['n4', '2026-01-01', ['k']],
    ['n5', undefined, ['k']],
  ];
  beforeAll(async () => {
    for (const [id, effectiveDateTime, codes] of results) {
      const coding = codes.map((one) => ({ system: 's', code: one }));
      const body = {
        resourceType: 'Observation',
        id,
        status: 'final',
        category: [lab],
        code: { coding },
        subject: to('Patient/last'),
        ...(effectiveDateTime !== undefined && { effectiveDateTime }),
      };
      await server.ask(`Observation/${id}`, { method: 'PUT', body: JSON.stringify(body) });
    }
  });

  test.each([
    ['patient=last&category=laboratory', ['n2', 'n4']],
    ['max=2&patient=Patient/last&category=laboratory', ['n2', 'n3', 'n4', 'n5']],
    ['max=9&subject=Patient/last&category=laboratory', ['n2', 'n3', 'n1', 'n4', 'n5']],
    ['max=9&patient=last&code=s%7Ck', ['n4', 'n5']],
    ['patient=nobody&category=laboratory', []],
  ])('%s', async (query, found) => {
    const { entry = [] } = (await (await server.ask(`Observation/$lastn?${query}`)).json()) as Bundle;
    expect(entry.map(({ resource }) => resource.id)).toEqual(found);
  });

  test('takes its parameters from a Parameters resource too', async () => {
    const parameter = [
      { name: 'max', valuePositiveInt: 1 },
      { name: 'patient', valueReference: to('Patient/last') },
      { name: 'code', valueString: 's|k' },
    ];
    const body = JSON.stringify({ resourceType: 'Parameters', parameter });
    const response = await server.ask('Observation/$lastn', { method: 'POST', body });
    expect(((await response.json()) as Bundle).entry?.map(({ resource }) => resource.id)).toEqual(['n4']);
  });

  test.each([
    ['Observation/$lastn?category=laboratory', 400],
    ['Observation/$lastn?patient=last', 400],
    ['Observation/$lastn?patient=last&code=k&max=0', 400],
    ['Observation/$lastn?patient=last&code=k&_sort=date', 400],
    ['Observation/$lastn?patient=last&code=k&colour=blue', 400],
    ['Patient/$lastn?patient=last&code=k', 404],
  ])('%s is %i', async (path, status) => {
    expect((await server.ask(path)).status).toBe(status);
  });
});
