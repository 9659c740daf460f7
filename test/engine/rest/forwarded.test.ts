// Links behind reverse proxies: whose word counts, and what it makes of the links.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { password, startServer, type RunningServer } from './running-server.ts';

const opened: RunningServer[] = [];
const start = async (choice: Parameters<typeof startServer>[0]): Promise<RunningServer> => {
  const server = await startServer(choice);
  opened.push(server);
  return server;
};
afterAll(async () => {
  for (const server of opened) await server.stop();
});

async function selfLink(server: RunningServer, headers: Record<string, string>): Promise<string> {
  const bundle = (await (await server.ask('Patient?_id=a', { headers })).json()) as {
    readonly link: readonly { readonly url: string }[];
  };
  return bundle.link[0]?.url.replace('/fhir/R4/Patient?_id=a', '') ?? '';
}

describe('a proxy that is trusted', () => {
  let server: RunningServer;
  beforeAll(async () => void (server = await start({ trustedProxies: ['127.0.0.0/8', '10.0.0.1'] })));

  test('has people sent to the sign-in page, and back, under its prefix', async () => {
    const prefix = { 'x-forwarded-prefix': '/kiungo' };
    const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
      fetch(`${server.url}${path}`, {
        redirect: 'manual',
        ...init,
        headers: { ...prefix, accept: 'text/html' },
      });
    const sent = await ask('/fhir/R4/Patient?_id=a');
    const next = '/fhir/R4/Patient?_id=a';
    expect([sent.status, sent.headers.get('location')]).toEqual([
      302,
      `/kiungo/sign-in?next=${encodeURIComponent(next)}`,
    ]);
    const page = await (await ask(`/sign-in?next=${encodeURIComponent(next)}`)).text();
    expect(page).toContain('action="/kiungo/sign-in"');
    expect(page).toContain(`name="next" value="${next}"`);
    const body = new URLSearchParams({ name: 'amina', password, next });
    const signedIn = await ask('/sign-in', { method: 'POST', body });
    expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, `/kiungo${next}`]);
    const signedOut = await ask('/sign-out', { method: 'POST', body: '' });
    expect(signedOut.headers.get('location')).toBe('/kiungo/sign-in');
  });

  const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'fhir.example.org' };
  test.each<[rule: string, origin: string, headers: Record<string, string>, status: number]>([
    ['of the host that was asked of the proxy', 'https://fhir.example.org', forwarded, 303],
    ['of that host without TLS', 'http://fhir.example.org', forwarded, 403],
    ['of another one', 'https://evil.example', forwarded, 403],
    [
      'of a host that the client wrote before',
      'https://evil.example',
      { ...forwarded, 'x-forwarded-host': 'evil.example, fhir.example.org' },
      403,
    ],
    ['that no proxy knows', 'https://fhir.example.org', {}, 403],
  ])('lets people sign in, and change things, from pages %s', async (_rule, origin, told, status) => {
    const post = (path: string, body: BodyInit, more: Record<string, string> = {}): Promise<Response> =>
      fetch(`${server.url}${path}`, {
        method: 'POST',
        redirect: 'manual',
        body,
        headers: { ...told, ...more, origin },
      });
    const signedIn = await post('/sign-in', new URLSearchParams({ name: 'amina', password }));
    expect(signedIn.status).toBe(status);
    const body = new URLSearchParams({ name: 'amina', password });
    const atHome = await fetch(`${server.url}/sign-in`, { method: 'POST', redirect: 'manual', body });
    const cookie = atHome.headers.get('set-cookie')?.split(';')[0] ?? '';
    const json = { cookie, 'content-type': 'application/fhir+json' };
    const created = await post('/fhir/R4/Patient', '{"resourceType":"Patient"}', json);
    expect(created.status).toBe(status === 303 ? 201 : 403);
  });

  const rows: readonly (readonly [rule: string, headers: Record<string, string>, url: string | undefined])[] =
    [
      ['says nothing', {}, undefined],
      [
        'Forwarded',
        { forwarded: 'for=192.0.2.60;proto=https;host=fhir.example.org' },
        'https://fhir.example.org',
      ],
      [
        'Forwarded with a port',
        { forwarded: 'proto=https;host="fhir.example.org:8443"' },
        'https://fhir.example.org:8443',
      ],
      [
        'Forwarded by two trusted proxies',
        {
          forwarded: 'for=192.0.2.60;proto=https;host=outer.example.org, for=10.0.0.1;proto=http;host=inner',
        },
        'https://outer.example.org',
      ],
      [
        'Forwarded, with something that the client wrote before',
        { forwarded: 'host=evil.example, for=192.0.2.60;proto=https;host=fhir.example.org' },
        'https://fhir.example.org',
      ],
      [
        'X-Forwarded',
        {
          'x-forwarded-proto': 'https',
          'x-forwarded-host': 'fhir.example.org',
          'x-forwarded-prefix': '/kiungo/',
        },
        'https://fhir.example.org/kiungo',
      ],
      [
        'X-Forwarded with a port',
        { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'fhir.example.org', 'x-forwarded-port': '8443' },
        'https://fhir.example.org:8443',
      ],
      [
        'X-Forwarded with the usual port',
        { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'fhir.example.org', 'x-forwarded-port': '443' },
        'https://fhir.example.org',
      ],
      [
        'X-Forwarded, with something that the client wrote before',
        {
          'x-forwarded-for': '198.51.100.7, 192.0.2.60',
          'x-forwarded-proto': 'http, https',
          'x-forwarded-host': 'evil.example, fhir.example.org',
        },
        'https://fhir.example.org',
      ],
      [
        'X-Forwarded by two trusted proxies',
        {
          'x-forwarded-for': '192.0.2.60, 10.0.0.1',
          'x-forwarded-proto': 'https, http',
          'x-forwarded-host': 'outer.example.org, inner',
        },
        'https://outer.example.org',
      ],
      [
        'a protocol that is none',
        { 'x-forwarded-proto': 'javascript', 'x-forwarded-host': 'a.example' },
        undefined,
      ],
      ['a host that is none', { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'a"><script>' }, undefined],
      [
        'a prefix that is none',
        { 'x-forwarded-proto': 'https', 'x-forwarded-prefix': '//evil.example' },
        undefined,
      ],
    ];
  test.each(rows)('%s', async (_rule, headers, url) => {
    expect(await selfLink(server, headers)).toBe(url ?? server.url);
  });

  test('decides about Location, fullUrl and the capabilities as well', async () => {
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'fhir.example.org' };
    const body = '{"resourceType":"Patient"}';
    const created = await server.ask('Patient', { method: 'POST', body, headers });
    expect(created.headers.get('location')).toMatch(/^https:\/\/fhir\.example\.org\/fhir\/R4\/Patient\//);
    const statement = await (await fetch(`${server.fhir}/metadata`, { headers })).json();
    expect(statement).toMatchObject({ implementation: { url: 'https://fhir.example.org/fhir/R4' } });
    const smart = await (await fetch(`${server.fhir}/.well-known/smart-configuration`, { headers })).json();
    expect(smart).toMatchObject({ token_endpoint: 'https://fhir.example.org/oauth2/token' });
  });
});

const headers = { forwarded: 'proto=https;host=evil.example', 'x-forwarded-host': 'evil.example' };

test('a peer that is not trusted is not heeded, nor believed about whose page a form is of', async () => {
  const nobody = await start({});
  expect(await selfLink(nobody, headers)).toBe(nobody.url);
  const form = { ...headers, origin: 'https://evil.example' };
  const body = new URLSearchParams({ name: 'amina', password });
  expect((await fetch(`${nobody.url}/sign-in`, { method: 'POST', body, headers: form })).status).toBe(403);
  const others = await start({ trustedProxies: ['192.0.2.0/24', '2001:db8::/32'] });
  expect(await selfLink(others, headers)).toBe(others.url);
});

test('a public URL that was set counts more', async () => {
  const server = await start({ publicUrl: 'https://set.example/engine', trustedProxies: ['127.0.0.1'] });
  expect(await selfLink(server, headers)).toBe('https://set.example/engine');
});

test('a proxy that is no address is refused at the start', async () => {
  await expect(startServer({ trustedProxies: ['proxy.example'] })).rejects.toThrow('proxy.example');
});
