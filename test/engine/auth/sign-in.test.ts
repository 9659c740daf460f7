// Tokens for programs, sessions for people, and nothing for anybody else.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { allows, narrow } from '../../../engine/auth/scopes.ts';
import { nextPath } from '../../../engine/auth/next-path.ts';
import { hashPassword, secretMatches } from '../../../engine/auth/secrets.ts';
import { createAuth } from '../../../engine/auth/create-auth.ts';
import { fixedDirectory } from '../../../engine/auth/directory.ts';
import { countingIds, steppedClock } from '../fixed-parts.ts';
import { password, secretOf, startServer, type RunningServer } from '../rest/running-server.ts';

let server: RunningServer;
beforeAll(async () => void (server = await startServer()));
// Attempts are forgotten after a quarter of an hour.
beforeEach(() => server.clock.pass(16 * 60_000));
afterAll(() => server.stop());

const form = (
  fields: Readonly<Record<string, string>>,
  headers: Record<string, string> = {},
): RequestInit => ({
  method: 'POST',
  body: new URLSearchParams(fields),
  headers,
  redirect: 'manual',
});
const basic = (pair: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(pair).toString('base64')}`,
});
const askToken = (
  fields: Readonly<Record<string, string>>,
  headers?: Record<string, string>,
): Promise<Response> => fetch(`${server.url}/oauth2/token`, form(fields, headers));

const grant = { grant_type: 'client_credentials' };
const posted = { ...grant, client_id: 'reader', client_secret: secretOf('reader') };

describe('the token endpoint', () => {
  interface Row {
    readonly rule: string;
    readonly fields: Readonly<Record<string, string>>;
    readonly headers?: Record<string, string>;
    readonly status: number;
    readonly body: object;
  }
  const rows: readonly Row[] = [
    {
      rule: 'client_secret_post gets a token of ten minutes (RFC 6749, 4.4.3)',
      fields: posted,
      status: 200,
      body: { token_type: 'Bearer', expires_in: 600, scope: 'system/Observation.rs' },
    },
    {
      rule: 'client_secret_basic too (RFC 6749, 2.3.1)',
      fields: grant,
      headers: basic(`reader:${secretOf('reader')}`),
      status: 200,
      body: { scope: 'system/Observation.rs' },
    },
    {
      rule: 'scope narrows (RFC 6749, 3.3)',
      fields: { ...posted, scope: 'system/*.r' },
      status: 200,
      body: { scope: 'system/Observation.r' },
    },
    {
      rule: 'a scope that is not granted is invalid_scope',
      fields: { ...posted, scope: 'admin' },
      status: 400,
      body: { error: 'invalid_scope' },
    },
    {
      rule: 'a wrong secret is invalid_client',
      fields: { ...posted, client_secret: 'wrong' },
      status: 401,
      body: { error: 'invalid_client' },
    },
    {
      rule: 'an unknown client is invalid_client',
      fields: { ...posted, client_id: 'nobody' },
      status: 401,
      body: { error: 'invalid_client' },
    },
    {
      rule: 'no credentials are invalid_client',
      fields: grant,
      status: 401,
      body: { error: 'invalid_client' },
    },
    {
      rule: 'another grant is unsupported_grant_type',
      fields: { ...posted, grant_type: 'password' },
      status: 400,
      body: { error: 'unsupported_grant_type' },
    },
    { rule: 'no grant is invalid_request', fields: {}, status: 400, body: { error: 'invalid_request' } },
    {
      rule: 'two ways of authentication are invalid_request (RFC 6749, 2.3)',
      fields: posted,
      headers: basic(`reader:${secretOf('reader')}`),
      status: 400,
      body: { error: 'invalid_request' },
    },
  ];
  test.each(rows)('$rule', async ({ fields, headers, status, body }) => {
    const response = await askToken(fields, headers);
    expect(response.status).toBe(status);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject(body);
  });

  test('a field that is there twice is invalid_request (RFC 6749, 3.2)', async () => {
    const response = await fetch(`${server.url}/oauth2/token`, {
      method: 'POST',
      body: `${new URLSearchParams(posted).toString()}&scope=a&scope=b`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect([response.status, await response.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  });

  test('whoever guesses is slowed down, and only they', async () => {
    const guess = (): Promise<Response> => askToken({ ...posted, client_secret: 'guess' });
    const statuses: number[] = [];
    for (let count = 0; count < 7; count++) statuses.push((await guess()).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    expect(Number((await guess()).headers.get('retry-after'))).toBeGreaterThan(0);
    expect(
      (await askToken({ ...posted, client_id: 'patients', client_secret: secretOf('patients') })).status,
    ).toBe(200);
    server.clock.pass(60_000);
    expect((await askToken(posted)).status).toBe(200);
  });
});

describe('an access token', () => {
  const read = (token: string, path = 'Patient/x'): Promise<Response> =>
    fetch(`${server.fhir}/${path}`, { headers: { authorization: `Bearer ${token}` } });

  test('opens what its scopes say, and runs out after ten minutes', async () => {
    const token = await server.tokenOf('patients');
    expect((await read(token)).status).toBe(404);
    expect((await read(token, 'Observation/x')).status).toBe(403);
    server.clock.pass(601_000);
    const late = await read(token);
    expect(late.status).toBe(401);
    expect(late.headers.get('www-authenticate')).toBe('Bearer realm="Kiungo", error="invalid_token"');
  });

  test('that was tampered with opens nothing', async () => {
    const [head = '', claims = '', signature = ''] = (await server.tokenOf('patients')).split('.');
    const forgedClaims = Buffer.from(
      Buffer.from(claims, 'base64url').toString().replace('system/Patient.cruds', 'system/*.cruds'),
    ).toString('base64url');
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    const forged = [
      [head, forgedClaims, signature],
      [none, forgedClaims, ''],
      [head, claims, `${signature.slice(0, -2)}xx`],
      ['', '', ''],
    ];
    for (const parts of forged) expect((await read(parts.join('.'))).status).toBe(401);
  });
});

describe('scopes (SMART v2)', () => {
  test.each([
    [['system/*.cruds'], 'Patient', 'c', true],
    [['system/Patient.rs'], 'Patient', 'r', true],
    [['system/Patient.rs'], 'Patient', 'u', false],
    [['system/Patient.rs'], 'Observation', 'r', false],
    [['system/Patient.rs'], '*', 'r', false],
    [['user/*.rs', 'user/Task.u'], 'Task', 'u', true],
    [['admin'], 'Patient', 'r', false],
    [['system/*.sr'], 'Patient', 'r', false],
    [['system/*.'], 'Patient', 'r', false],
  ] as const)('%j: %s.%s is %s', (scopes, type, letter, allowed) => {
    expect(allows(scopes, type, letter)).toBe(allowed);
  });

  test.each([
    [undefined, ['admin'], ['admin']],
    ['system/*.rs', ['system/Patient.cruds', 'system/Task.u'], ['system/Patient.rs']],
    ['system/Patient.cruds', ['system/*.rs'], ['system/Patient.rs']],
    ['system/Patient.r admin', ['system/*.rs'], []],
    ['user/Patient.r', ['system/*.rs'], []],
    ['nonsense', ['system/*.rs'], []],
  ])('%j of %j is %j', (asked, granted, given) => {
    expect(narrow(asked, granted)).toEqual(given);
  });
});

describe('the sign-in page', () => {
  const signIn = (
    fields: Readonly<Record<string, string>>,
    headers?: Record<string, string>,
  ): Promise<Response> => fetch(`${server.url}/sign-in`, form(fields, headers));
  const good = { name: 'amina', password };
  const cookieOf = (response: Response): string =>
    (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';

  test('is plain HTML that runs no script and is shown in no frame', async () => {
    const page = await fetch(`${server.url}/sign-in?next=/flows/%22%3E%3Cscript%3E`);
    const text = await page.text();
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; .*frame-ancestors 'none'/,
    );
    expect(text).toContain('<label for="password">');
    expect(text).not.toContain('<script');
  });

  test('lets a person in with a cookie that scripts and other sites do not get', async () => {
    const response = await signIn({ ...good, next: '/admin/messages?state=dead' });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/admin/messages?state=dead');
    expect(response.headers.get('set-cookie')).toMatch(
      /^kiungo-session=.+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=1800$/,
    );
    const inside = await fetch(`${server.fhir}/Patient`, { headers: { cookie: cookieOf(response) } });
    expect(inside.status).toBe(200);
  });

  test('over TLS the cookie is Secure and bound to the host', async () => {
    const secure = await startServer({ publicUrl: 'https://hospital.example' });
    const response = await fetch(`${secure.url}/sign-in`, form(good));
    expect(response.headers.get('set-cookie')).toMatch(/^__Host-kiungo-session=.*; Secure$/);
    await secure.stop();
  });

  test.each([
    ['a wrong password', { name: 'amina', password: 'wrong' }],
    ['an unknown name', { name: 'nobody', password }],
    ['a password that is far too long', { name: 'amina', password: 'x'.repeat(5000) }],
    ['nothing at all', {}],
  ])('%s is refused with the same words', async (_rule, fields: Readonly<Record<string, string>>) => {
    const response = await signIn(fields);
    expect(response.status).toBe(401);
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(await response.text()).toContain('Name or password is not right.');
  });

  test('whoever guesses is slowed down', async () => {
    const statuses: number[] = [];
    for (let count = 0; count < 6; count++) {
      statuses.push((await signIn({ name: 'amina', password: 'guess' })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    // The right password waits as well, or guessing would go on.
    expect((await signIn(good)).status).toBe(429);
  });

  test.each([
    ['cross-site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['another origin', { origin: 'http://evil.example' }, 403],
    ['no origin that can be read', { origin: 'null' }, 403],
    ['same-origin', { 'sec-fetch-site': 'same-origin' }, 303],
  ])('a form from %s', async (_rule, headers, status) => {
    expect((await signIn(good, headers as unknown as Record<string, string>)).status).toBe(status);
  });

  test('a session ends after half an hour of silence, and goes on while it is used', async () => {
    let cookie = cookieOf(await signIn(good));
    const ask = (): Promise<Response> => fetch(`${server.fhir}/Patient/x`, { headers: { cookie } });
    server.clock.pass(20 * 60_000);
    const used = await ask();
    expect(used.status).toBe(404);
    cookie = cookieOf(used);
    server.clock.pass(20 * 60_000);
    expect((await ask()).status).toBe(404);
    server.clock.pass(31 * 60_000);
    expect((await ask()).status).toBe(401);
  });

  test('a session ends after twelve hours whatever happens', async () => {
    let cookie = cookieOf(await signIn(good));
    let status = 404;
    let minutes = 0;
    while (status === 404 && minutes < 800) {
      server.clock.pass(10 * 60_000);
      minutes += 10;
      const response = await fetch(`${server.fhir}/Patient/x`, { headers: { cookie } });
      status = response.status;
      if (response.headers.has('set-cookie')) cookie = cookieOf(response);
    }
    expect({ status, minutes }).toEqual({ status: 401, minutes: 720 });
  });

  test('sign-out ends the session for every copy of the cookie', async () => {
    const cookie = cookieOf(await signIn(good));
    const out = await fetch(`${server.url}/sign-out`, form({}, { cookie }));
    expect(out.headers.get('set-cookie')).toContain('Max-Age=0');
    expect((await fetch(`${server.fhir}/Patient/x`, { headers: { cookie } })).status).toBe(401);
  });

  test('changes by cookie are taken from our own pages only', async () => {
    const cookie = cookieOf(await signIn(good));
    const create = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${server.fhir}/Basic`, {
        method: 'POST',
        body: '{"resourceType":"Basic"}',
        headers: { 'content-type': 'application/fhir+json', cookie, ...headers },
      });
    expect((await create({})).status).toBe(403);
    expect((await create({ origin: 'http://evil.example' })).status).toBe(403);
    expect((await create({ origin: server.url })).status).toBe(201);
  });

  test('a person has their own scopes', async () => {
    const cookie = cookieOf(await signIn({ name: 'nurse', password }));
    const ask = (path: string): Promise<Response> => fetch(`${server.url}${path}`, { headers: { cookie } });
    expect((await ask('/fhir/R4/Patient')).status).toBe(200);
    expect((await ask('/metrics')).status).toBe(403);
  });
});

describe('where sign-in leads', () => {
  test.each([
    ['/flows/#flow/1', '/flows/#flow/1'],
    ['/admin?x=/y', '/admin?x=/y'],
    ['//evil.example', '/home'],
    ['/\\evil.example', '/home'],
    ['/\t/evil.example', '/home'],
    ['https://evil.example/', '/home'],
    ['javascript:alert(1)', '/home'],
    ['flows', '/home'],
    ['/', '/home'],
    ['/..//evil.example', '/home'],
    ['', '/home'],
    [undefined, '/home'],
  ])('%j is %s', (next, path) => {
    expect(nextPath(next, '/home')).toBe(path);
  });
});

describe('secrets', () => {
  test('a password is one however its letters are composed', async () => {
    const hash = await hashPassword('caf\u00e9', 'salt');
    expect(await secretMatches('cafe\u0301', hash)).toBe(true);
    expect(await secretMatches('cafe', hash)).toBe(false);
  });

  test('a signing key that is too short is refused at start', () => {
    const directory = fixedDirectory([], []);
    const options = {
      clients: directory,
      users: directory,
      clock: steppedClock('2026-01-01'),
      ids: countingIds(),
    };
    expect(() => createAuth({ ...options, signingKey: new Uint8Array(31), publicUrl: () => '' })).toThrow(
      '32 bytes',
    );
  });
});
