// Every path with every method: what is offered is answered, what is not is 405 with Allow, and each refusal is an OperationOutcome.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
  await server.ask('Patient/1', { method: 'PUT', body: '{"resourceType":"Patient","id":"1"}' });
});
afterAll(() => server.stop());

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const concrete = (path: string): string =>
  path
    .replaceAll(/:(?:type|compartment)/g, 'Patient')
    .replace(':version', '1')
    .replaceAll(/:[a-z]+/gi, '1');

test('every path answers the methods that it offers, and names them to the others', async () => {
  const offered = Map.groupBy(server.http.endpoints, ({ path }) => path);
  for (const [path, endpoints] of offered) {
    const known = endpoints.map(({ method }) => method as string);
    const allow = [...known, ...(known.includes('GET') ? ['HEAD'] : [])];
    for (const method of methods.filter((one) => !allow.includes(one))) {
      const response = await server.ask(concrete(path), { method });
      const text = await response.text();
      expect([method, path, response.status]).toEqual([method, path, 405]);
      expect(response.headers.get('allow')?.split(', ').toSorted()).toEqual(allow.toSorted());
      if (method === 'HEAD') continue;
      expect(JSON.parse(text)).toMatchObject({
        issue: [{ details: { coding: [{ code: 'method-not-allowed' }] } }],
      });
    }
  }
  expect(offered.size).toBeGreaterThan(20);
});

test('HEAD answers as GET does, without the body', async () => {
  const pages = server.http.endpoints.filter(
    ({ method, path }) => method === 'GET' && path.startsWith('/fhir/R4'),
  );
  for (const { path } of pages) {
    const url = concrete(path);
    const head = await server.ask(url, { method: 'HEAD' });
    const get = await server.ask(url);
    expect([url, head.status, await head.text()]).toEqual([url, get.status, '']);
    for (const name of ['content-type', 'etag', 'last-modified']) {
      expect([url, name, head.headers.get(name)]).toEqual([url, name, get.headers.get(name)]);
    }
    await get.text();
  }
});

interface Row {
  readonly rule: string;
  readonly path: string;
  readonly init?: RequestInit;
  readonly status: number;
}

const json = '{"resourceType":"Patient"}';
const rows: readonly Row[] = [
  { rule: 'a type that is none', path: 'Thing', status: 404 },
  { rule: 'a type in another case', path: 'patient/1', status: 404 },
  { rule: 'a resource of a type that is none', path: 'Thing/1', status: 404 },
  { rule: 'a path that nothing answers', path: 'Patient/1/2/3/4/5', status: 404 },
  { rule: 'an operation that there is not', path: 'Patient/1/$nothing', status: 404 },
  { rule: 'an operation of the system that there is not', path: '$nothing', status: 404 },
  { rule: 'an empty part of a path', path: 'Patient//_history', status: 404 },
  { rule: 'a path beside the base', path: '/fhir/R4x/Patient', status: 404 },
  { rule: 'another version of FHIR', path: '/fhir/R5/Patient', status: 404 },
  { rule: 'a PUT at the place of searches', path: 'Patient/_search', init: { method: 'PUT' }, status: 405 },
  { rule: 'what is not percent-encoded', path: 'Patient/%E0%A4%A', status: 400 },
  {
    rule: 'a format that there is not',
    path: 'Patient/1',
    init: { headers: { accept: 'text/turtle' } },
    status: 406,
  },
  { rule: 'a format that there is not, by name', path: 'Patient/1?_format=ttl', status: 406 },
  {
    rule: 'a body of another kind',
    path: 'Patient',
    init: { method: 'POST', body: json, headers: { 'content-type': 'text/turtle' } },
    status: 415,
  },
  {
    rule: 'a body that is compressed',
    path: 'Patient',
    init: { method: 'POST', body: json, headers: { 'content-encoding': 'gzip' } },
    status: 415,
  },
  {
    rule: 'another version than the current one',
    path: 'Patient/1',
    init: { method: 'DELETE', headers: { 'if-match': 'W/"9"' } },
    status: 412,
  },
];

describe('what is refused', () => {
  test.each(rows)('$rule: $status', async ({ path, init, status }) => {
    const response = await server.ask(path, init);
    const body = await response.text();
    expect([response.status, response.headers.get('content-type')]).toEqual([
      status,
      'application/fhir+json; charset=utf-8',
    ]);
    expect(JSON.parse(body)).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'error' }],
    });
  });

  test('a slash at the end means nothing, and a dollar may be encoded', async () => {
    expect((await server.ask('Patient/1/')).status).toBe(200);
    expect((await server.ask('metadata/')).status).toBe(200);
    expect((await server.ask('Patient/1/%24everything')).status).toBe(200);
  });
});

describe('a version that the client knows (http.html#cread)', () => {
  beforeAll(async () => {
    for (const active of [true, false]) {
      const body = JSON.stringify({ resourceType: 'Patient', id: 'known', active });
      await server.ask('Patient/known', { method: 'PUT', body });
      server.clock.pass(60_000);
    }
    await server.ask('Patient/gone', { method: 'PUT', body: '{"resourceType":"Patient","id":"gone"}' });
    await server.ask('Patient/gone', { method: 'DELETE' });
  });
  const made = 'Sun, 01 Mar 2026 08:01:00 GMT';

  test.each([
    ['Patient/known', { 'if-none-match': 'W/"2"' }, 304],
    ['Patient/known', { 'if-none-match': '"2"' }, 304],
    ['Patient/known', { 'if-none-match': 'W/"1", W/"2"' }, 304],
    ['Patient/known', { 'if-none-match': '*' }, 304],
    ['Patient/known', { 'if-none-match': 'W/"1"' }, 200],
    ['Patient/known', { 'if-modified-since': made }, 304],
    ['Patient/known', { 'if-modified-since': 'Sun, 01 Mar 2026 08:00:59 GMT' }, 200],
    ['Patient/known', { 'if-modified-since': 'the day before yesterday' }, 200],
    // RFC 9110 13.1.3: where If-None-Match is given, the date is not heeded.
    ['Patient/known', { 'if-none-match': 'W/"1"', 'if-modified-since': made }, 200],
    ['Patient/known/_history/1', { 'if-none-match': 'W/"1"' }, 304],
    ['Patient/known/_history/1', { 'if-none-match': 'W/"2"' }, 200],
    ['Patient/gone', { 'if-none-match': '*' }, 410],
    ['Patient/gone/_history/2', {}, 410],
    ['Patient/gone/_history/1', {}, 200],
    ['Patient/gone/_history/3', {}, 404],
  ])('%s with %j is %i', async (path, headers, status) => {
    for (const method of ['GET', 'HEAD']) {
      const response = await server.ask(path, { method, headers: headers as Record<string, string> });
      await response.text();
      expect([method, response.status]).toEqual([method, status]);
    }
  });

  test('is named by ETag and Last-Modified', async () => {
    const { headers } = await server.ask('Patient/known');
    expect([headers.get('etag'), headers.get('last-modified')]).toEqual(['W/"2"', made]);
  });
});
