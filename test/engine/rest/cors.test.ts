// Pages from elsewhere that ask out of a browser: https://fetch.spec.whatwg.org/#http-cors-protocol
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

const app = 'https://app.example';
const running: RunningServer[] = [];
const start = async (...corsOrigins: string[]): Promise<RunningServer> => {
  const server = await startServer(corsOrigins.length === 0 ? {} : { corsOrigins });
  running.push(server);
  return server;
};
let server: RunningServer;
beforeAll(async () => void (server = await start(app, 'http://localhost:3000')));
afterAll(() => Promise.all(running.map((one) => one.stop())));

const preflight = (to: RunningServer, url: string, origin: string): Promise<Response> =>
  fetch(url, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'if-match' },
  });
const allowedOf = (response: Response): string | null => response.headers.get('access-control-allow-origin');

describe('a page of an origin that is let in', () => {
  test.each([['/fhir/R4'], ['/fhir/R4/Patient/1'], ['/fhir/R4?_type=Patient'], ['/oauth2/token']])(
    'asks beforehand without a token: %s',
    async (path) => {
      const response = await preflight(server, `${server.url}${path}`, app);
      expect([response.status, allowedOf(response)]).toEqual([204, app]);
      expect(response.headers.get('access-control-allow-methods')).toContain('PUT');
      expect(response.headers.get('access-control-allow-headers')).toContain('if-match');
    },
  );

  test('reads answers and the headers that FHIR needs, never with cookies', async () => {
    const body = '{"resourceType":"Patient","id":"1"}';
    const response = await server.ask('Patient/1', { method: 'PUT', body, headers: { origin: app } });
    expect([response.status, allowedOf(response)]).toEqual([201, app]);
    expect(response.headers.get('access-control-expose-headers')).toContain('etag');
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('reads refusals too', async () => {
    const response = await fetch(`${server.fhir}/Patient/1`, { headers: { origin: app } });
    expect([response.status, allowedOf(response)]).toEqual([401, app]);
  });
});

test.each([
  ['another origin', '/fhir/R4/Patient/1', 'https://app.example.attacker.example'],
  ['no origin that there is', '/fhir/R4/Patient/1', 'null'],
  ['a path that is not FHIR', '/sign-in', app],
  ['a path that begins like FHIR', '/fhir/R40', app],
  ['the administration', '/admin/messages', app],
])('is not said to %s', async (_what, path, origin) => {
  const response = await preflight(server, `${server.url}${path}`, origin);
  expect([response.status === 204, allowedOf(response)]).toEqual([false, null]);
});

test('* lets in pages from anywhere', async () => {
  const open = await start('*');
  expect(allowedOf(await preflight(open, open.fhir, 'https://anywhere.example'))).toBe(
    'https://anywhere.example',
  );
});

test('without the setting nobody is let in, and the capabilities say which it is', async () => {
  const closed = await start();
  expect(allowedOf(await preflight(closed, closed.fhir, app))).toBeNull();
  const cors = async (of: RunningServer): Promise<unknown> =>
    ((await (await of.ask('metadata')).json()) as { rest: { security: { cors: boolean } }[] }).rest[0]
      ?.security.cors;
  expect([await cors(closed), await cors(server)]).toEqual([false, true]);
});
