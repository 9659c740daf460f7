// Prefer: return=…, for every write: https://hl7.org/fhir/R4/http.html#ops
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

let server: RunningServer;
beforeAll(async () => void (server = await startServer()));
afterAll(() => server.stop());

let id = '';
let count = 0;
const patient = (more: object = {}): string => JSON.stringify({ resourceType: 'Patient', id, ...more });
beforeEach(async () => {
  id = `w${++count}`;
  await server.ask(`Patient/${id}`, { method: 'PUT', body: patient({ active: false }) });
});

const headersOf = (prefer: string | undefined, more: object = {}): Record<string, string> => ({
  ...more,
  ...(prefer === undefined ? {} : { prefer }),
});
const jsonPatch = { 'content-type': 'application/json-patch+json' };
const writes: Readonly<Record<string, (prefer: string | undefined) => Promise<Response>>> = {
  create: (prefer) => server.ask('Patient', { method: 'POST', body: patient(), headers: headersOf(prefer) }),
  update: (prefer) =>
    server.ask(`Patient/${id}`, {
      method: 'PUT',
      body: patient({ active: true }),
      headers: headersOf(prefer),
    }),
  patch: (prefer) =>
    server.ask(`Patient/${id}`, {
      method: 'PATCH',
      body: '[{"op":"replace","path":"/active","value":true}]',
      headers: headersOf(prefer, jsonPatch),
    }),
  delete: (prefer) => server.ask(`Patient/${id}`, { method: 'DELETE', headers: headersOf(prefer) }),
};

const rows: readonly (readonly [write: string, prefer: string | undefined, status: number, type: string])[] =
  [
    ['create', undefined, 201, 'Patient'],
    ['create', 'return=representation', 201, 'Patient'],
    ['create', 'return=minimal', 201, ''],
    ['create', 'return=OperationOutcome', 201, 'OperationOutcome'],
    ['update', undefined, 200, 'Patient'],
    ['update', 'return=minimal', 200, ''],
    ['update', 'handling=lenient, return="OperationOutcome"', 200, 'OperationOutcome'],
    ['patch', undefined, 200, 'Patient'],
    ['patch', 'return=minimal; handling=strict', 200, ''],
    ['patch', 'return=OperationOutcome', 200, 'OperationOutcome'],
    ['delete', undefined, 204, ''],
    ['delete', 'return=minimal', 204, ''],
    ['delete', 'return=representation', 204, ''],
    ['delete', 'return=OperationOutcome', 200, 'OperationOutcome'],
    ['create', 'return=everything', 201, 'Patient'],
  ];

test.each(rows)('%s, Prefer: %s answers %d %s', async (write, prefer, status, type) => {
  const response = await writes[write]!(prefer);
  const text = await response.text();
  const { resourceType = '' } = text === '' ? {} : (JSON.parse(text) as { resourceType: string });
  expect([response.status, resourceType]).toEqual([status, type]);
  expect(response.headers.get('etag')).toBe(write === 'create' ? 'W/"1"' : 'W/"2"');
});

test.each([
  ['create', 'return=minimal', 'return=minimal'],
  ['update', 'handling=lenient, return="OperationOutcome"', 'return=OperationOutcome'],
  ['patch', 'return=everything', null],
  ['create', undefined, null],
])('%s, Prefer: %s says that it applied %s', async (write, prefer, applied) => {
  expect((await writes[write]!(prefer)).headers.get('preference-applied')).toBe(applied);
});

test('a deletion of what never was there says so', async () => {
  const headers = { prefer: 'return=OperationOutcome' };
  const response = await server.ask('Patient/nobody', { method: 'DELETE', headers });
  expect([response.status, await response.json()]).toMatchObject([
    200,
    { issue: [{ severity: 'information', diagnostics: 'nothing was there to be deleted' }] },
  ]);
});

describe('entries of a Bundle', () => {
  const ask = async (type: string, prefer: string | undefined, withRefusal = false): Promise<unknown> => {
    const entry = [
      { resource: JSON.parse(patient()) as object, request: { method: 'POST', url: 'Patient' } },
      { request: { method: 'DELETE', url: `Patient/${id}` } },
      { request: { method: 'GET', url: 'Basic?_id=x' } },
      ...(withRefusal ? [{ request: { method: 'GET', url: 'Patient/nobody' } }] : []),
    ];
    const body = JSON.stringify({ resourceType: 'Bundle', type, entry });
    return (await server.ask('', { method: 'POST', body, headers: headersOf(prefer) })).json();
  };
  const created = { status: '201 Created', etag: 'W/"1"' };
  const read = { resource: { type: 'searchset' }, response: { status: '200 OK' } };

  test.each([
    ['transaction', undefined],
    ['transaction', 'return=minimal'],
    ['batch', undefined],
  ])('%s, Prefer: %s: writes carry nothing', async (type, prefer) => {
    const answer = (await ask(type, prefer)) as { entry: object[] };
    expect(answer).toMatchObject({
      entry: [{ response: created }, { response: { status: '204 No Content' } }, read],
    });
    expect(answer.entry[0]).not.toHaveProperty('resource');
    expect(answer.entry[0]).not.toHaveProperty('response.outcome');
  });

  test.each(['transaction', 'batch'])('%s, Prefer: return=representation: what was written', async (type) => {
    const answer = (await ask(type, 'return=representation')) as { entry: object[] };
    expect(answer).toMatchObject({
      entry: [
        { resource: { resourceType: 'Patient', meta: { versionId: '1' } }, response: created },
        { response: { status: '204 No Content' } },
        read,
      ],
    });
    expect(answer.entry[1]).not.toHaveProperty('resource');
    // FHIR knows no empty lists.
    expect(answer.entry[2]).not.toHaveProperty('resource.entry');
  });

  test('return=OperationOutcome: what was done; a refusal keeps its own', async () => {
    const outcome = { resourceType: 'OperationOutcome', issue: [{ severity: 'information' }] };
    expect(await ask('batch', 'return=OperationOutcome', true)).toMatchObject({
      entry: [
        { response: { ...created, outcome } },
        { response: { status: '204 No Content', outcome } },
        read,
        { response: { status: '404', outcome: { issue: [{ severity: 'error' }] } } },
      ],
    });
  });
});
