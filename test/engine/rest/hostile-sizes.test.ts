// Requests whose cost grows faster than their size, were they read in the plain way: each is answered before anybody else notices.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

let server: RunningServer;
beforeAll(async () => void (server = await startServer()));
afterAll(() => server.stop());

const form = 'application/x-www-form-urlencoded';
const distinct = (count: number, write: (place: number) => string, between: string): string =>
  Array.from({ length: count }, (_, place) => write(place)).join(between);
const deletion = (query: string): string =>
  JSON.stringify({
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [{ request: { method: 'DELETE', url: `Patient?${query}` } }],
  });

interface Row {
  readonly rule: string;
  readonly path: string;
  readonly body: string;
  readonly type: string;
  readonly status: number;
}

const rows: readonly Row[] = [
  {
    rule: 'a sign-in of half a million fields, from anybody',
    path: '/sign-in',
    body: 'a&'.repeat(500_000),
    type: form,
    status: 413,
  },
  {
    rule: 'a sign-in of thirty fields',
    path: '/sign-in',
    body: distinct(30, (place) => `f${place}=1`, '&'),
    type: form,
    status: 400,
  },
  {
    rule: 'a request for a token of half a million fields, from anybody',
    path: '/oauth2/token',
    body: 'a&'.repeat(500_000),
    type: form,
    status: 413,
  },
  {
    rule: 'a search of half a million parameters',
    path: 'Patient/_search',
    body: 'a&'.repeat(500_000),
    type: form,
    status: 400,
  },
  {
    rule: 'a search with a hundred thousand wishes about its format',
    path: 'Patient/_search',
    body: '_format=json&'.repeat(80_000),
    type: form,
    status: 400,
  },
  {
    rule: 'a search that names a type a hundred thousand times',
    path: '_search',
    body: '_type=Patient&'.repeat(70_000),
    type: form,
    status: 400,
  },
  {
    rule: 'a search of more than a megabyte',
    path: 'Patient/_search',
    body: `name=${'a'.repeat(2_000_000)}`,
    type: form,
    status: 413,
  },
  {
    rule: 'a search sorted by ten thousand parameters',
    path: 'Patient/_search',
    body: `_sort=${distinct(10_000, () => 'birthdate', ',')}`,
    type: form,
    status: 400,
  },
  {
    rule: 'a deletion by forty thousand criteria in a Bundle',
    path: '',
    body: deletion(distinct(40_000, (place) => `identifier=${place + 100_000}`, '&')),
    type: 'application/fhir+json',
    status: 400,
  },
];

describe('hostile sizes', () => {
  test.each(rows)('$rule: $status, soon', async ({ path, body, type, status }) => {
    const began = performance.now();
    const response = await server.ask(path, { method: 'POST', body, headers: { 'content-type': type } });
    await response.text();
    expect(response.status).toBe(status);
    expect(server.defects).toEqual([]);
    expect(performance.now() - began).toBeLessThan(1500);
  });
});

describe('what a search brings along', () => {
  beforeAll(async () => {
    await server.ask('Patient/p', { method: 'PUT', body: '{"resourceType":"Patient","id":"p"}' });
    const observation = JSON.stringify({
      resource: {
        resourceType: 'Observation',
        status: 'final',
        code: { text: 'x' },
        subject: { reference: 'Patient/p' },
      },
      request: { method: 'POST', url: 'Observation' },
    });
    const body = `{"resourceType":"Bundle","type":"batch","entry":[${distinct(1000, () => observation, ',')}]}`;
    await (await server.ask('', { method: 'POST', body })).text();
  });

  test.each([
    ['Patient?_id=p', '_revinclude:iterate=Observation:*', 1001],
    ['Observation?_count=1000', '_include=*', 1001],
  ])('%s with the same %s ninety times: as if it were there once', async (search, include, found) => {
    const began = performance.now();
    const response = await server.ask(`${search}&${distinct(90, () => include, '&')}`);
    const { entry } = (await response.json()) as { entry: unknown[] };
    expect(entry).toHaveLength(found);
    expect(performance.now() - began).toBeLessThan(1500);
  });

  test.each(['batch', 'transaction'])('by a short %s, many times over, is refused', async (type) => {
    const search = '{"request":{"method":"GET","url":"Observation?_count=1000"}}';
    const bundle = (searches: number): string =>
      `{"resourceType":"Bundle","type":"${type}","entry":[${distinct(searches, () => search, ',')}]}`;
    expect((await server.ask('', { method: 'POST', body: bundle(2) })).status).toBe(200);
    const refused = await server.ask('', { method: 'POST', body: bundle(60) });
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({ issue: [{ code: 'too-long' }] });
  });

  test('is asked for in 30 ways at most', async () => {
    const { types } = server.index;
    const ways = (count: number): string =>
      distinct(count, (place) => `_revinclude=${types[place] ?? ''}:*`, '&');
    expect((await server.ask(`Patient?_id=p&${ways(30)}`)).status).toBe(200);
    expect((await server.ask(`Patient?_id=p&${ways(31)}`)).status).toBe(400);
  });
});

describe('a long list as XML', () => {
  test('takes no longer for texts with very many spaces in them', async () => {
    const text = `a${' '.repeat(100_000)}b`;
    for (let place = 0; place < 12; place += 1) {
      const body = JSON.stringify({ resourceType: 'Basic', id: `b${place}`, code: { text } });
      await (await server.ask(`Basic/b${place}`, { method: 'PUT', body })).text();
    }
    const began = performance.now();
    const response = await server.ask('Basic?_format=xml');
    expect((await response.text()).match(/<entry>/g)).toHaveLength(12);
    expect(performance.now() - began).toBeLessThan(1500);
  });
});
