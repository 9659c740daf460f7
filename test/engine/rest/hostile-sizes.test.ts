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
    status: 400,
  },
  {
    rule: 'a request for a token of half a million fields, from anybody',
    path: '/oauth2/token',
    body: 'a&'.repeat(500_000),
    type: form,
    status: 400,
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
