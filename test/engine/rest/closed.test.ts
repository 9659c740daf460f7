// Everything is closed but what must be open; what is closed is closed for those without the scope as well.
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { HttpRoute } from '../../../engine/kernel/http-route.ts';
import type { ExternalHandler } from '../../../engine/rest/mount-external.ts';
import { password, startServer, type RunningServer } from './running-server.ts';

const routes: readonly HttpRoute[] = [
  {
    method: 'POST',
    path: '/admin/things/:id/try',
    access: 'admin',
    handle: async ({ params, query, body, actor }) => ({
      status: 200,
      body: { id: params['id'], q: query.get('q'), body: Buffer.from(body).toString(), actor: actor.id },
    }),
  },
  { method: 'GET', path: '/mine', access: 'signed-in', handle: async () => ({ status: 200, body: 'mine' }) },
];
const editor: ExternalHandler = {
  prefix: '/flows',
  access: 'admin',
  handle: (request, response) => void response.end(`editor ${request.url ?? ''}`),
  upgrade: (_request, socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\nhello'),
};

let server: RunningServer;
beforeAll(async () => void (server = await startServer({ routes, mounts: [editor] })));
afterAll(() => server.stop());

const concrete = (path: string): string =>
  path
    .replace('\\*', '*')
    .replaceAll(/:(?:type|compartment)/g, 'Patient')
    .replaceAll(/:[a-z]+/gi, 'x');

describe('without a token', () => {
  const open = [
    'GET /fhir/R4/.well-known/smart-configuration',
    'GET /fhir/R4/$versions',
    'GET /fhir/R4/metadata',
    'GET /health/live',
    'GET /health/ready',
    'GET /sign-in',
    'POST /fhir/R4/$versions',
    'POST /oauth2/token',
    'POST /sign-in',
    'POST /sign-out',
  ];

  test('only these are open', () => {
    const found = server.http.endpoints.filter(({ access }) => access === 'public');
    expect(found.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(open.toSorted());
  });

  test('every endpoint that is mounted answers 401 with a challenge, or leads a browser to sign-in', async () => {
    const closed = server.http.endpoints.filter(({ method, path }) => !open.includes(`${method} ${path}`));
    expect(closed.length).toBeGreaterThan(12);
    for (const { method, path } of closed) {
      const url = `${server.url}${concrete(path)}`;
      const response = await fetch(url, { method, redirect: 'manual' });
      expect([method, path, response.status]).toEqual([method, path, 401]);
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="Kiungo"');
      expect(await response.json()).toMatchObject({
        resourceType: 'OperationOutcome',
        issue: [{ code: 'login' }],
      });
      if (method !== 'GET') continue;
      const page = await fetch(url, { redirect: 'manual', headers: { accept: 'text/html,*/*;q=0.8' } });
      expect([page.status, page.headers.get('location')]).toEqual([
        302,
        `/sign-in?next=${encodeURIComponent(concrete(path))}`,
      ]);
    }
  });

  test.each([
    '/',
    '/nothing',
    '/fhir',
    '/fhir/R4/Patient/1/$everything',
    '/flows',
    '/flows/x',
    '/flowsx',
    '/FHIR/r4/Patient',
  ])('%s is closed too', async (path) => {
    for (const method of ['GET', 'POST', 'OPTIONS', 'PATCH']) {
      expect([method, (await fetch(`${server.url}${path}`, { method })).status]).toEqual([method, 401]);
    }
  });
});

describe('with a token that has not the scope', () => {
  test.each(['/metrics', '/flows/', '/admin/things/1/try'])('%s is forbidden', async (path) => {
    const authorization = `Bearer ${await server.tokenOf('patients')}`;
    const method = path.startsWith('/admin') ? 'POST' : 'GET';
    expect((await server.ask(path, { method, headers: { authorization } })).status).toBe(403);
  });

  interface Row {
    readonly rule: string;
    readonly path: string;
    readonly init?: RequestInit;
    readonly status: number;
  }
  const bundle = (request: object, type = 'transaction'): string =>
    JSON.stringify({
      resourceType: 'Bundle',
      type,
      entry: [{ request, resource: { resourceType: 'Patient' } }],
    });
  const rows: readonly Row[] = [
    { rule: 'search of another type', path: 'Patient', status: 403 },
    {
      rule: 'create',
      path: 'Observation',
      init: { method: 'POST', body: '{"resourceType":"Observation"}' },
      status: 403,
    },
    { rule: 'delete', path: 'Observation/1', init: { method: 'DELETE' }, status: 403 },
    { rule: 'history of another type', path: 'Patient/1/_history', status: 403 },
    { rule: 'vread of another type', path: 'Patient/1/_history/1', status: 403 },
    { rule: 'a chain through another type', path: 'Observation?subject:Patient.name=x', status: 403 },
    {
      rule: 'what another type points at',
      path: 'Observation?_has:DiagnosticReport:result:status=final',
      status: 403,
    },
    { rule: 'including another type', path: 'Observation?_include=Observation:subject', status: 403 },
    {
      rule: 'an entry of a transaction',
      path: '',
      init: { method: 'POST', body: bundle({ method: 'POST', url: 'Patient' }) },
      status: 403,
    },
    { rule: 'its own type', path: 'Observation?code=x', status: 200 },
  ];
  beforeAll(async () => {
    const body =
      '{"resourceType":"Observation","id":"o","status":"final","subject":{"reference":"Patient/p"}}';
    await server.ask('Patient/p', { method: 'PUT', body: '{"resourceType":"Patient","id":"p"}' });
    await server.ask('Observation/o', { method: 'PUT', body });
  });
  const conditional: readonly Row[] = [
    { rule: 'a condition of a create', path: 'Patient', init: { method: 'POST', body: '{"resourceType":"Patient"}', headers: { 'if-none-exist': 'name=x' } }, status: 403 },
    { rule: 'a create', path: 'Patient', init: { method: 'POST', body: '{"resourceType":"Patient"}' }, status: 201 },
    { rule: 'an update by criteria', path: 'Patient?name=x', init: { method: 'PUT', body: '{"resourceType":"Patient"}' }, status: 403 },
    { rule: 'a patch by criteria', path: 'Patient?name=x', init: { method: 'PATCH', body: '{}', headers: { 'content-type': 'application/merge-patch+json' } }, status: 403 },
    { rule: 'a delete by criteria', path: 'Patient?name=x', init: { method: 'DELETE' }, status: 403 },
    { rule: 'a condition in a transaction', path: '', init: { method: 'POST', body: bundle({ method: 'POST', url: 'Patient', ifNoneExist: 'name=x' }) }, status: 403 },
    { rule: 'a reference written as a search', path: '', init: { method: 'POST', body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: [{ request: { method: 'POST', url: 'Observation' }, resource: { resourceType: 'Observation', subject: { reference: 'Patient?name=x' } } }] }) }, status: 403 },
    { rule: 'no condition in a transaction', path: '', init: { method: 'POST', body: bundle({ method: 'POST', url: 'Patient' }) }, status: 200 },
  ]; // prettier-ignore
  const inBatch: readonly (readonly [
    client: string,
    request: { method: string; url: string },
    status: string,
  ])[] = [
    ['reader', { method: 'GET', url: 'Patient/1' }, '403'],
    ['reader', { method: 'GET', url: 'Patient' }, '403'],
    ['reader', { method: 'GET', url: 'Observation?_include=*' }, '403'],
    ['reader', { method: 'GET', url: 'Observation?subject:Patient.name=x' }, '403'],
    ['reader', { method: 'GET', url: 'Observation?code=x' }, '200 OK'],
    ['writer', { method: 'PUT', url: 'Patient?name=x' }, '403'],
    ['writer', { method: 'PUT', url: 'Observation/1' }, '403'],
  ];
  test.each(inBatch)(
    'within a batch the %s asks %j: %s, and the others stand',
    async (client, request, status) => {
      const authorization = `Bearer ${await server.tokenOf(client)}`;
      const own = { method: 'GET', url: client === 'reader' ? 'Observation/o' : 'Patient/p' };
      const body = JSON.stringify({
        resourceType: 'Bundle',
        type: 'batch',
        entry: [{ request, resource: { resourceType: 'Patient' } }, { request: own }],
      });
      const response = await server.ask('', { method: 'POST', body, headers: { authorization } });
      const { entry } = (await response.json()) as { entry: { response: { status: string } }[] };
      expect(entry.map((one) => one.response.status)).toEqual([status, '200 OK']);
    },
  );

  test.each(conditional)(
    'without the right to search, $rule: $status',
    async ({ path, init = {}, status }) => {
      const authorization = `Bearer ${await server.tokenOf('writer')}`;
      const headers = new Headers(init.headers);
      headers.set('authorization', authorization);
      const response = await server.ask(path, { ...init, headers });
      expect(response.status).toBe(status);
    },
  );

  test.each(rows)('$rule: $status', async ({ path, init = {}, status }) => {
    const authorization = `Bearer ${await server.tokenOf('reader')}`;
    const response = await server.ask(path, { ...init, headers: { authorization } });
    expect(response.status).toBe(status);
  });
});

describe('routes as data', () => {
  test('get their parameters, query, bytes and actor', async () => {
    const response = await server.ask('/admin/things/a%2Fb/try?q=1', { method: 'POST', body: 'raw bytes' });
    expect(await response.json()).toEqual({ id: 'a/b', q: '1', body: 'raw bytes', actor: 'everything' });
  });

  test('another method is 405 for those who are in', async () => {
    const response = await server.ask('/mine', { method: 'DELETE' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('a handler under a prefix', () => {
  test('gets the url as it came', async () => {
    expect(await (await server.ask('/flows/a?b=c')).text()).toBe('editor /flows/a?b=c');
  });

  const upgrade = (headers: readonly string[], path = '/flows/comms'): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      socket.on('close', () => resolve(text));
      const lines = [
        `GET ${path} HTTP/1.1`,
        'Host: x',
        'Connection: Upgrade',
        'Upgrade: websocket',
        ...headers,
      ];
      socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    });

  test('takes a cookie for a WebSocket from our own pages only', async () => {
    const fields = new URLSearchParams({ name: 'amina', password });
    const signedIn = await fetch(`${server.url}/sign-in`, {
      method: 'POST',
      body: fields,
      redirect: 'manual',
    });
    const cookie = `Cookie: ${(signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? ''}`;
    expect(await upgrade([cookie, 'Origin: http://evil.example'])).toMatch(/^HTTP\/1\.1 403 /);
    expect(await upgrade([cookie])).toMatch(/^HTTP\/1\.1 403 /);
    expect(await upgrade([cookie, `Origin: ${server.url}`])).toMatch(/hello$/);
  });

  test('takes WebSockets of those who are in, and of nobody else', async () => {
    expect(await upgrade([])).toMatch(/^HTTP\/1\.1 401 /);
    expect(await upgrade([`Authorization: Bearer ${await server.tokenOf('reader')}`])).toMatch(
      /^HTTP\/1\.1 403 /,
    );
    expect(await upgrade([`Authorization: Bearer ${server.token}`])).toMatch(/hello$/);
    expect(await upgrade([`Authorization: Bearer ${server.token}`], '/elsewhere')).toMatch(
      /^HTTP\/1\.1 404 /,
    );
  });
});

describe('health and metrics', () => {
  test('health says which parts are up', async () => {
    expect(await (await fetch(`${server.url}/health/live`)).json()).toEqual({ status: 'up', checks: {} });
    expect(await (await fetch(`${server.url}/health/ready`)).json()).toEqual({
      status: 'up',
      checks: { store: 'up' },
    });
  });

  test('metrics count by interaction and state, never by url', async () => {
    await server.ask('Patient/SECRET-ID');
    const text = await (await server.ask('/metrics')).text();
    expect(text).toContain('kiungo_http_request_duration_seconds_count{interaction="read",status="404"}');
    expect(text).toContain('kiungo_messages{state="dead"} 0');
    expect(text).toMatch(/^kiungo_store_commits_total \d+$/m);
    expect(text).toMatch(/^kiungo_store_transactions_total \d+$/m);
    expect(text).not.toContain('SECRET-ID');
  });
});
