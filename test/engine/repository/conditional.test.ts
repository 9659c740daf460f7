// Conditional writes over the real server: https://hl7.org/fhir/R4/http.html#ccreate, #cond-update, #3.1.0.7.1, #concurrency.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from '../rest/running-server.ts';

let server: RunningServer;
beforeAll(async () => void (server = await startServer({ referentialIntegrity: true })));
beforeEach(() => void (server.events.length = 0));
afterAll(() => server.stop());

type Fields = Readonly<Record<string, unknown>>;
interface Answer {
  readonly entry?: readonly { readonly resource?: Fields; readonly response: Fields }[];
  readonly issue?: readonly { readonly diagnostics: string }[];
}

const identified = (value: string, more: Fields = {}): Fields => ({
  resourceType: 'Patient',
  identifier: [{ system: 's', value }],
  ...more,
});
const send = (
  method: string,
  path: string,
  resource?: Fields,
  headers: Record<string, string> = {},
): Promise<Response> =>
  server.ask(path, {
    method,
    headers,
    ...(resource === undefined ? {} : { body: JSON.stringify(resource) }),
  });
const put = (id: string, more: Fields = {}, headers: Record<string, string> = {}): Promise<Response> =>
  send('PUT', `Patient/${id}`, { resourceType: 'Patient', id, ...more }, headers);
const transact = async (...entry: readonly Fields[]): Promise<Answer & { status: number }> => {
  const response = await send('POST', '', { resourceType: 'Bundle', type: 'transaction', entry });
  return { status: response.status, ...((await response.json()) as Answer) };
};
const countOf = async (query: string): Promise<number> =>
  ((await (await server.ask(`${query}&_summary=count`)).json()) as { total: number }).total;

describe('at the same moment', () => {
  const clients = Array.from({ length: 32 }, (_, place) => place);

  test('32 conditional creates make one resource', async () => {
    const answers = await Promise.all(
      clients.map(() =>
        send('POST', 'Patient', identified('once'), { 'if-none-exist': 'identifier=s|once' }),
      ),
    );
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([...Array<number>(31).fill(200), 201]);
    expect(new Set(answers.map(({ headers }) => headers.get('location'))).size).toBe(1);
    expect(await countOf('Patient?identifier=s|once')).toBe(1);
  });

  test('32 conditional updates make one resource', async () => {
    await Promise.all(
      clients.map((place) => send('PUT', 'Patient?identifier=s|upsert', identified('upsert', { gender: genders[place % 2] }))),
    ); // prettier-ignore
    expect(await countOf('Patient?identifier=s|upsert')).toBe(1);
  });

  test('32 transactions with ifNoneExist make one resource, and all refer to it', async () => {
    const answers = await Promise.all(
      clients.map((place) =>
        transact(
          {
            fullUrl: 'urn:uuid:p',
            resource: identified('tx'),
            request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=s|tx' },
          },
          {
            resource: {
              resourceType: 'Observation',
              id: `tx-${place}`,
              subject: { reference: 'urn:uuid:p' },
            },
            request: { method: 'PUT', url: `Observation/tx-${place}` },
          },
        ),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(clients.map(() => 200));
    expect(await countOf('Patient?identifier=s|tx')).toBe(1);
    expect(await countOf('Observation?subject.identifier=s|tx')).toBe(32);
  });

  test('32 updates with If-Match of one version: one goes through', async () => {
    await put('race');
    const answers = await Promise.all(
      clients.map((place) =>
        put('race', { name: [{ text: `${place}` }] }, { 'if-match': 'W/"1"' }),
      ),
    ); // prettier-ignore
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(31);
  });
});

const genders = ['male', 'female'];

interface Precondition {
  readonly rule: string;
  readonly given: 'nothing' | 'version 1' | 'version 2' | 'deleted';
  readonly header: Readonly<Record<string, string>>;
  readonly status: number;
}

const preconditions: readonly Precondition[] = [
  { rule: 'nothing is there', given: 'nothing', header: { 'if-none-match': '*' }, status: 201 },
  { rule: 'it was deleted', given: 'deleted', header: { 'if-none-match': '*' }, status: 201 },
  { rule: 'something is there', given: 'version 1', header: { 'if-none-match': '*' }, status: 412 },
  {
    rule: 'this version is there',
    given: 'version 2',
    header: { 'if-none-match': 'W/"1", W/"2"' },
    status: 412,
  },
  { rule: 'another version is there', given: 'version 2', header: { 'if-none-match': '"1"' }, status: 200 },
  { rule: 'this version is there', given: 'version 2', header: { 'if-match': 'W/"2"' }, status: 200 },
  { rule: 'one of these is there', given: 'version 2', header: { 'if-match': '"1", "2"' }, status: 200 },
  { rule: 'any is there', given: 'version 1', header: { 'if-match': '*' }, status: 200 },
  { rule: 'none is there', given: 'nothing', header: { 'if-match': '*' }, status: 412 },
  { rule: 'it was deleted', given: 'deleted', header: { 'if-match': 'W/"2"' }, status: 412 },
  { rule: 'this is no ETag', given: 'version 1', header: { 'if-match': 'one' }, status: 400 },
  { rule: 'this is no ETag', given: 'nothing', header: { 'if-none-match': 'one' }, status: 400 },
];

const make: Readonly<Record<Precondition['given'], (id: string) => Promise<unknown>>> = {
  nothing: () => Promise.resolve(),
  'version 1': (id) => put(id),
  'version 2': async (id) => {
    await put(id);
    await put(id, { active: false });
  },
  deleted: async (id) => {
    await put(id);
    await send('DELETE', `Patient/${id}`);
  },
};

describe('an update with a precondition', () => {
  test.each(preconditions.map((one, place) => ({ ...one, id: `pre-${place}` })))(
    '$header where $rule ($given) is $status, alone and in a Bundle',
    async ({ given, header, status, id }) => {
      await make[given](id);
      const resource = { resourceType: 'Patient', id, active: true };
      const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = header;
      const request = { method: 'PUT', url: `Patient/${id}`, ifMatch, ifNoneMatch };
      if (status >= 400) expect((await transact({ resource, request })).status).toBe(status);
      expect((await send('PUT', `Patient/${id}`, resource, header)).status).toBe(status);
    },
  );

  test('that matches nothing does not take the place of something else', async () => {
    await put('taken', identified('other'));
    const resource = { ...identified('none'), id: 'taken' };
    const refused = await send('PUT', 'Patient?identifier=s|none', resource);
    const inBundle = await transact({
      resource,
      request: { method: 'PUT', url: 'Patient?identifier=s|none' },
    });
    expect([refused.status, inBundle.status]).toEqual([409, 409]);
    await send('DELETE', 'Patient/taken');
    expect((await send('PUT', 'Patient?identifier=s|none', resource)).status).toBe(201);
  });

  test('If-None-Match: * makes a conditional update a create only', async () => {
    const only = { 'if-none-match': '*' };
    const made = await send('PUT', 'Patient?identifier=s|only', identified('only'), only);
    const again = await send('PUT', 'Patient?identifier=s|only', identified('only', { active: true }), only);
    expect([made.status, again.status]).toEqual([201, 412]);
  });
});

describe('a conditional delete', () => {
  test('takes all that match', async () => {
    for (const id of ['d1', 'd2', 'd3']) await put(id, identified('many'));
    const response = await send('DELETE', 'Patient?identifier=s|many');
    expect(response.status).toBe(200);
    expect(((await response.json()) as Answer).issue?.[0]?.diagnostics).toBe('3 resources were deleted');
    expect(await countOf('Patient?identifier=s|many')).toBe(0);
  });

  test('of one match answers as a delete does, of none too', async () => {
    await put('single', identified('single'));
    expect((await send('DELETE', 'Patient?identifier=s|single')).headers.get('etag')).toBe('W/"2"');
    expect((await send('DELETE', 'Patient?identifier=s|single')).status).toBe(204);
  });

  test('in a transaction takes all that match, and counts them in its answer', async () => {
    for (const id of ['t1', 't2']) await put(id, identified('twice'));
    const answer = await transact({ request: { method: 'DELETE', url: 'Patient?identifier=s|twice' } });
    expect(answer.entry?.[0]?.response).toMatchObject({
      status: '200 OK',
      outcome: { issue: [{ diagnostics: '2 resources were deleted' }] },
    });
    expect(await countOf('Patient?identifier=s|twice')).toBe(0);
  });

  test('is bounded: more than a thousand are refused and stay', async () => {
    const entry = Array.from({ length: 1001 }, (_, place) => ({
      resource: {
        resourceType: 'Basic',
        id: `b${place}`,
        code: { coding: [{ system: 's', code: 'bound' }] },
      },
      request: { method: 'PUT', url: `Basic/b${place}` },
    }));
    await transact(...entry);
    expect((await send('DELETE', 'Basic?code=s|bound')).status).toBe(412);
    expect(await countOf('Basic?code=s|bound')).toBe(1001);
  });

  test('and another entry about one of its matches are refused', async () => {
    await put('both', identified('both'));
    const answer = await transact(
      { request: { method: 'DELETE', url: 'Patient?identifier=s|both' } },
      { resource: { resourceType: 'Patient', id: 'both' }, request: { method: 'PUT', url: 'Patient/both' } },
    );
    expect(answer.status).toBe(400);
  });
});

describe('reads within a Bundle', () => {
  const read = async (request: Fields): Promise<Fields> =>
    (await transact({ request: { method: 'GET', ...request } })).entry?.[0] ?? {};

  beforeAll(() => put('read', { active: true }));

  test('HEAD answers without the resource', async () => {
    const answer = await read({ method: 'HEAD', url: 'Patient/read' });
    expect(answer).toEqual({ response: expect.objectContaining({ status: '200 OK', etag: 'W/"1"' }) });
  });

  test.each([
    ['ifNoneMatch with this version', { ifNoneMatch: 'W/"1"' }, '304 Not Modified'],
    ['ifNoneMatch with another version', { ifNoneMatch: 'W/"7"' }, '200 OK'],
    ['ifModifiedSince a later time', { ifModifiedSince: '2026-03-01T08:00:00Z' }, '304 Not Modified'],
    ['ifModifiedSince an earlier time', { ifModifiedSince: '2026-02-01T08:00:00Z' }, '200 OK'],
  ])('%s', async (_rule, condition, status) => {
    const answer = await read({ url: 'Patient/read', ...condition });
    expect(answer['response']).toMatchObject({ status, etag: 'W/"1"' });
    expect('resource' in answer).toBe(status === '200 OK');
  });
});
