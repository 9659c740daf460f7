// X-Provenance: what a client says about its write is written with it, whole or not at all: https://hl7.org/fhir/R4/provenance.html#header
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

let server: RunningServer;
beforeAll(async () => void (server = await startServer({ referentialIntegrity: true })));
afterAll(() => server.stop());

let id = '';
let count = 0;
beforeEach(() => void (id = `p${++count}`));

const provenance = (more: object = {}): string =>
  JSON.stringify({
    resourceType: 'Provenance',
    recorded: '2026-03-01T08:00:00Z',
    agent: [{ who: { display: id } }],
    ...more,
  });
const patient = (more: object = {}): string => JSON.stringify({ resourceType: 'Patient', id, ...more });
const withHeader = (header: string, more: object = {}): Record<string, string> => ({
  'x-provenance': Buffer.from(header, 'utf8').toString('latin1'),
  ...more,
});
const put = (header: string, body = patient()): Promise<Response> =>
  server.ask(`Patient/${id}`, { method: 'PUT', body, headers: withHeader(header) });

interface Kept {
  readonly agent: readonly { readonly who: { readonly display: string } }[];
  readonly target: readonly { readonly reference: string }[];
}
/** The Provenances of this test, as they are stored. */
async function kept(): Promise<readonly Kept[]> {
  const { entry = [] } = (await (await server.ask('Provenance?_count=1000')).json()) as {
    entry?: readonly { readonly resource: Kept }[];
  };
  return entry.map(({ resource }) => resource).filter(({ agent }) => agent[0]?.who.display.startsWith(id));
}
const targets = async (): Promise<readonly (readonly string[])[]> =>
  (await kept()).map(({ target }) => target.map(({ reference }) => reference));

describe('each write has its Provenance, which names the version that was made', () => {
  const jsonPatch = { 'content-type': 'application/json-patch+json' };
  const writes: readonly (readonly [
    name: string,
    version: number,
    init: () => RequestInit,
    path?: string,
  ])[] = [
    ['an update', 2, () => ({ method: 'PUT', body: patient({ active: true }) })],
    ['a conditional update', 2, () => ({ method: 'PUT', body: patient({ active: true }) }), 'Patient?_id='],
    [
      'a patch',
      2,
      () => ({
        method: 'PATCH',
        body: '[{"op":"add","path":"/active","value":true}]',
        headers: jsonPatch,
      }),
    ],
    ['a deletion', 2, () => ({ method: 'DELETE' })],
    ['a deletion by criteria', 2, () => ({ method: 'DELETE' }), 'Patient?_id='],
  ];
  test.each(writes)('%s', async (_name, version, init, path = 'Patient/') => {
    await server.ask(`Patient/${id}`, { method: 'PUT', body: patient() });

    const { headers, ...asked } = init();
    const response = await server.ask(`${path}${id}`, {
      ...asked,
      headers: withHeader(provenance(), headers ?? {}),
    });

    expect(response.status).toBeLessThan(300);
    expect(await targets()).toEqual([[`Patient/${id}/_history/${version}`]]);
  });

  test('a create, under the id that the server gave', async () => {
    const response = await server.ask('Patient', {
      method: 'POST',
      body: patient(),
      headers: withHeader(provenance()),
    });

    const location = (response.headers.get('location') ?? '').split('/fhir/R4/')[1];
    expect(await targets()).toEqual([[location]]);
  });

  test('a transaction, all of it in one; a batch, one for each entry', async () => {
    const entry = (name: string): object => ({
      resource: { resourceType: 'Patient', id: name },
      request: { method: 'PUT', url: `Patient/${name}` },
    });
    const post = (type: string, names: readonly string[]): Promise<Response> =>
      server.ask('', {
        method: 'POST',
        body: JSON.stringify({ resourceType: 'Bundle', type, entry: names.map(entry) }),
        headers: withHeader(provenance()),
      });

    await post('transaction', [`${id}a`, `${id}b`]);
    await post('batch', [`${id}c`, `${id}d`]);

    expect((await targets()).map((one) => one.length).sort()).toEqual([1, 1, 2]);
  });

  test('what it names itself stays; letters beyond ASCII arrive', async () => {
    const own = {
      target: [{ reference: 'Patient/elsewhere' }],
      agent: [{ who: { display: `${id} Wanjikũ` } }],
    };

    await put(provenance(own));

    const [one] = await kept();
    expect(one?.agent[0]?.who.display).toBe(`${id} Wanjikũ`);
    expect(await targets()).toEqual([['Patient/elsewhere', `Patient/${id}/_history/1`]]);
  });
});

describe('nothing is recorded', () => {
  test('where nothing changed', async () => {
    await server.ask(`Patient/${id}`, { method: 'PUT', body: patient() });
    expect((await put(provenance())).status).toBe(200);
    expect(await kept()).toEqual([]);
  });

  test('where the write is refused', async () => {
    const dangling = patient({ managingOrganization: { reference: 'Organization/nowhere' } });
    expect((await put(provenance(), dangling)).status).toBe(422);
    expect(await kept()).toEqual([]);
  });
});

test.each([
  ['not JSON', '{'],
  ['another resource', '{"resourceType":"Patient"}'],
  ['targets that are no list', '{"resourceType":"Provenance","target":{}}'],
])('%s in the header refuses the write', async (_name, header) => {
  expect((await put(header)).status).toBe(400);
  expect((await server.ask(`Patient/${id}`)).status).toBe(404);
});

test('who may not create a Provenance sends none', async () => {
  const authorization = `Bearer ${await server.tokenOf('patients')}`;
  const response = await server.ask(`Patient/${id}`, {
    method: 'PUT',
    body: patient(),
    headers: withHeader(provenance(), { authorization }),
  });
  expect(response.status).toBe(403);
  expect((await server.ask(`Patient/${id}`)).status).toBe(404);
});
