// What users of other FHIR servers complain of, asked of this one: each row was lost, cut, duplicated or refused somewhere.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

let server: RunningServer;
beforeAll(async () => void (server = await startServer({ referentialIntegrity: true })));
afterAll(() => server.stop());

const put = (type: string, id: string, more: object): Promise<Response> =>
  server.ask(`${type}/${id}`, { method: 'PUT', body: JSON.stringify({ resourceType: type, id, ...more }) });
const get = async (path: string): Promise<unknown> => (await server.ask(path)).json();

interface Searchset {
  readonly total?: number;
  readonly link: readonly { readonly relation: string; readonly url: string }[];
  readonly entry?: readonly {
    readonly resource: { readonly id: string };
    readonly search: { mode: string };
  }[];
}
const search = async (path: string): Promise<Searchset> => (await get(path)) as Searchset;

/** All pages, by the links `next`. */
async function pages(path: string): Promise<readonly Searchset[]> {
  const found = [await search(path)];
  for (;;) {
    const next = found.at(-1)?.link.find(({ relation }) => relation === 'next');
    if (next === undefined) return found;
    found.push(await search(next.url.slice(server.fhir.length + 1)));
  }
}

describe('what is stored comes back whole', () => {
  test.each([
    [
      'an element that is an extension alone',
      'Patient',
      { _gender: { extension: [{ url: 'http://hospital.example/asked', valueBoolean: false }] } },
    ],
    [
      'nulls that hold a place in a list',
      'Patient',
      {
        name: [{ given: ['Amina', null], _given: [null, { extension: [{ url: 'urn:x', valueCode: 'a' }] }] }],
      },
    ],
    [
      'ids and meta inside a Bundle',
      'Bundle',
      {
        type: 'collection',
        entry: [
          {
            fullUrl: 'http://elsewhere.example/Patient/7',
            resource: { resourceType: 'Patient', id: '7', meta: { versionId: '4', tag: [{ code: 'a' }] } },
          },
        ],
      },
    ],
    [
      'the version in a reference',
      'Patient',
      { managingOrganization: { reference: 'Organization/kept/_history/1' } },
    ],
  ])('%s', async (_name, type, content) => {
    await put('Organization', 'kept', { name: 'Kept' });
    expect((await put(type, 'whole', content)).status).toBeLessThan(300);
    const { resourceType, id, meta, ...others } = (await get(`${type}/whole`)) as Record<string, unknown>;
    expect([resourceType, id, meta]).toEqual([type, 'whole', expect.anything()]);
    expect(others).toEqual(content);
  });
});

describe('a search finds all that there is', () => {
  const years = ['2009-12-31', '2010', '2010-06', '2010-12-31', '2011-01-01'];
  beforeAll(async () => {
    for (const [place, birthDate] of years.entries()) await put('Patient', `born${place}`, { birthDate });
    for (let place = 0; place < 30; place += 1) {
      await put('Observation', `o${place}`, {
        status: 'final',
        code: { coding: [{ system: 'http://loinc.org', code: `c${place}` }] },
        subject: { reference: `Patient/born${place % 2}` },
      });
    }
  });

  test.each([
    ['ge2010', 4],
    ['le2010', 4],
    ['gt2010', 1],
    ['lt2010', 1],
    ['2010', 3],
    ['ne2010', 2],
  ])('birthdate=%s takes the year for what it is', async (value, total) => {
    expect((await search(`Patient?birthdate=${value}&_id:missing=false&_summary=count`)).total).toBe(total);
  });

  test('the size of a page cuts neither the total nor the result', async () => {
    const all = await pages('Observation?_count=7&_total=accurate&code:missing=false');
    expect(all.map(({ total }) => total)).toEqual([30, 30, 30, 30, 30]);
    expect(new Set(all.flatMap(({ entry = [] }) => entry.map(({ resource }) => resource.id))).size).toBe(30);
  });

  test('_revinclude costs no match, and brings all', async () => {
    const { entry = [] } = await search('Patient?_id=born0,born1&_count=2&_revinclude=Observation:subject');
    const modes = Map.groupBy(entry, ({ search: { mode } }) => mode);
    expect([modes.get('match')?.length, modes.get('include')?.length]).toEqual([2, 30]);
  });

  test('lists of hundreds of values, also behind a chain', async () => {
    const codes = Array.from({ length: 400 }, (_, place) => `http://loinc.org|c${place}`).join(',');
    expect((await search(`Observation?code=${codes}&_summary=count`)).total).toBe(30);
    const born = Array.from({ length: 200 }, (_, place) => `born${place}`).join(',');
    expect((await search(`Observation?subject:Patient._id=${born}&_summary=count`)).total).toBe(30);
  });

  test('Cache-Control of a client changes nothing of a page', async () => {
    const asked = (header: string): Promise<Response> =>
      server.ask('Observation?_count=7&_total=accurate', { headers: { 'cache-control': header } });
    const [plain, ...others] = await Promise.all(
      ['max-age=0', 'no-cache', 'no-store'].map(async (header) => (await asked(header)).text()),
    );
    expect(others).toEqual([plain, plain]);
  });
});

describe('one identity is one resource', () => {
  const named = (value: string, more: object = {}): object => ({
    resourceType: 'Patient',
    identifier: [{ system: 'http://hospital.example/mrn', value }],
    ...more,
  });
  const criteria = (value: string): string => `identifier=http://hospital.example/mrn|${value}`;
  const total = async (value: string): Promise<number | undefined> =>
    (await search(`Patient?${criteria(value)}&_summary=count`)).total;

  test('twenty conditional updates at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, place) =>
        server.ask(`Patient?${criteria('m1')}`, {
          method: 'PUT',
          body: JSON.stringify(named('m1', { birthDate: `19${String(50 + place)}` })),
        }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array<number>(19).fill(200), 201]);
    expect(await total('m1')).toBe(1);
  });

  test('two conditional updates of one identity in a transaction are refused, none is dropped', async () => {
    const entry = { resource: named('m2'), request: { method: 'PUT', url: `Patient?${criteria('m2')}` } };
    const bundle = { resourceType: 'Bundle', type: 'transaction', entry: [entry, entry] };
    expect((await server.ask('', { method: 'POST', body: JSON.stringify(bundle) })).status).toBe(400);
    expect(await total('m2')).toBe(0);
  });

  test('a transaction of conditional creates has no limit of its own', async () => {
    const values = Array.from({ length: 300 }, (_, place) => `t${place}`);
    const entry = values.map((value) => ({
      resource: named(value),
      request: { method: 'POST', url: 'Patient', ifNoneExist: criteria(value) },
    }));
    const bundle = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
    for (const expected of ['201 Created', '200 OK']) {
      const { entry: answers } = (await (await server.ask('', { method: 'POST', body: bundle })).json()) as {
        entry: readonly { readonly response: { readonly status: string } }[];
      };
      expect(new Set(answers.map(({ response }) => response.status))).toEqual(new Set([expected]));
    }
  });
});

test('a cascade can be asked for by header too', async () => {
  await put('Organization', 'gone', { name: 'Gone' });
  await put('Patient', 'with', { managingOrganization: { reference: 'Organization/gone' } });
  const asked = (headers: Record<string, string>): Promise<Response> =>
    server.ask('Organization/gone', { method: 'DELETE', headers });
  expect((await asked({})).status).toBe(409);
  expect((await asked({ 'x-cascade': 'none' })).status).toBe(409);
  expect((await asked({ 'x-cascade': 'delete' })).status).toBe(200);
  expect((await server.ask('Patient/with')).status).toBe(410);
});
