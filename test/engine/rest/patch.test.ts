// PATCH over HTTP, of one resource and of the one that matches: https://hl7.org/fhir/R4/http.html#patch
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

let server: RunningServer;
beforeAll(async () => void (server = await startServer()));
afterAll(() => server.stop());

const jsonPatch = 'application/json-patch+json';
const mergePatch = 'application/merge-patch+json';
const patch = (type: string, body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'PATCH',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'content-type': type, ...headers },
});
const activate = [{ op: 'replace', path: '/active', value: true }];

const parametersXml = `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/>
  <part><name value="type"/><valueCode value="replace"/></part>
  <part><name value="path"/><valueString value="Patient.active"/></part>
  <part><name value="value"/><valueBoolean value="true"/></part></parameter></Parameters>`;
const parameters = {
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'operation',
      part: [
        { name: 'type', valueCode: 'replace' },
        { name: 'path', valueString: 'Patient.active' },
        { name: 'value', valueBoolean: true },
      ],
    },
  ],
};

let id = '';
let count = 0;
beforeEach(async () => {
  id = `p${++count}`;
  const body = `{"resourceType":"Patient","id":"${id}","identifier":[{"system":"s","value":"${id}"}],"active":false,"extension":[{"url":"u","valueDecimal":2.780}]}`;
  await server.ask(`Patient/${id}`, { method: 'PUT', body });
  server.events.length = 0;
});

describe('of one resource', () => {
  test.each([
    ['JSON Patch', jsonPatch, activate],
    ['JSON Patch, charset said', `${jsonPatch}; charset=utf-8`, activate],
    ['merge patch', mergePatch, { active: true }],
    ['FHIRPath Patch', 'application/fhir+json', parameters],
    ['FHIRPath Patch in XML', 'application/fhir+xml', parametersXml],
  ])('%s makes the next version, by the method PATCH, decimals untouched', async (_kind, type, body) => {
    const response = await server.ask(`Patient/${id}`, patch(type, body));
    const text = await response.text();
    expect([response.status, response.headers.get('etag')]).toEqual([200, 'W/"2"']);
    expect(response.headers.get('location')).toBe(`${server.fhir}/Patient/${id}/_history/2`);
    expect(text).toContain('"valueDecimal":2.780');
    expect(JSON.parse(text)).toMatchObject({ id, active: true, meta: { versionId: '2' } });
    expect(server.events).toEqual([`updated Patient/${id}/_history/2`]);
    const history = await (await server.ask(`Patient/${id}/_history`)).json();
    expect(history).toMatchObject({ entry: [{ request: { method: 'PATCH', url: `Patient/${id}` } }, {}] });
    expect(await (await server.ask(`Patient?identifier=s|${id}&active=true`)).json()).toMatchObject({
      entry: [{ resource: { id } }],
    });
  });

  test('what changes nothing makes no version and tells nobody', async () => {
    const nothing = [
      { op: 'test', path: '/active', value: false },
      { op: 'replace', path: '/active', value: false },
    ];
    const response = await server.ask(`Patient/${id}`, patch(jsonPatch, nothing));
    expect([response.status, response.headers.get('etag'), server.events]).toEqual([200, 'W/"1"', []]);
  });

  test('meta.versionId and meta.lastUpdated are the server’s, whatever the patch says', async () => {
    const response = await server.ask(
      `Patient/${id}`,
      patch(mergePatch, { meta: { versionId: '9' }, active: true }),
    );
    expect(await response.json()).toMatchObject({ meta: { versionId: '2' } });
  });

  test('If-Match: the version that is meant', async () => {
    const wrong = await server.ask(`Patient/${id}`, patch(jsonPatch, activate, { 'if-match': 'W/"7"' }));
    expect([wrong.status, server.events]).toEqual([412, []]);
    const right = await server.ask(`Patient/${id}`, patch(jsonPatch, activate, { 'if-match': 'W/"1"' }));
    expect(right.status).toBe(200);
  });

  test.each([
    ['return=minimal', ''],
    ['return=OperationOutcome', expect.stringContaining('"resourceType":"OperationOutcome"')],
  ])('Prefer: %s', async (prefer, body) => {
    const response = await server.ask(`Patient/${id}`, patch(jsonPatch, activate, { prefer }));
    expect([response.status, await response.text()]).toEqual([200, body]);
  });

  test.each([
    ['what never was there', 'Patient/nobody', jsonPatch, activate, 404],
    ['an unknown type', 'Patience/1', jsonPatch, activate, 404],
    ['another format', 'Patient/:id', 'text/plain', activate, 415],
    ['a patch that is none', 'Patient/:id', jsonPatch, { op: 'remove' }, 400],
    ['text that is no JSON', 'Patient/:id', jsonPatch, '[', 400],
    ['nothing', 'Patient/:id', jsonPatch, '', 400],
    ['a resource that is no patch', 'Patient/:id', 'application/fhir+json', { resourceType: 'Patient' }, 400],
    ['a failed test', 'Patient/:id', jsonPatch, [{ op: 'test', path: '/active', value: true }], 422],
    ['a place that is not there', 'Patient/:id', jsonPatch, [{ op: 'remove', path: '/name' }], 422],
    ['another id', 'Patient/:id', mergePatch, { id: 'other' }, 422],
  ])('%s is refused, and nothing changes', async (_what, path, type, body, status) => {
    const response = await server.ask(path.replace(':id', id), patch(type, body));
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ resourceType: 'OperationOutcome' });
    expect([server.events, server.defects]).toEqual([[], []]);
  });

  test('what is deleted is 410', async () => {
    await server.ask(`Patient/${id}`, { method: 'DELETE' });
    expect((await server.ask(`Patient/${id}`, patch(jsonPatch, activate))).status).toBe(410);
  });

  test('needs the scope letter u', async () => {
    const authorization = `Bearer ${await server.tokenOf('reader')}`;
    const response = await server.ask('Observation/x', patch(jsonPatch, activate, { authorization }));
    expect(response.status).toBe(403);
  });

  test('patches at once: each sees the one before', async () => {
    const add = (value: string) => [{ op: 'add', path: '/identifier/-', value: { system: 'n', value } }];
    const all = Array.from({ length: 32 }, (_none, at) =>
      server.ask(`Patient/${id}`, patch(jsonPatch, add(String(at)))),
    );
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual(all.map(() => 200));
    const { identifier } = (await (await server.ask(`Patient/${id}`)).json()) as { identifier: unknown[] };
    expect(identifier).toHaveLength(33);
  });
});

describe('of the one that matches', () => {
  test('one match is patched', async () => {
    const response = await server.ask(`Patient?identifier=s|${id}`, patch(jsonPatch, activate));
    expect([response.status, await response.json()]).toMatchObject([200, { id, active: true }]);
  });

  test.each([
    ['no match', 'Patient?identifier=s|nobody', 404],
    ['several', 'Patient?identifier=s|', 412],
    ['everything', 'Patient', 412],
    ['an unknown parameter', 'Patient?colour=red', 400],
  ])('%s is refused', async (_what, path, status) => {
    const response = await server.ask(path, patch(jsonPatch, activate));
    expect([response.status, server.events]).toEqual([status, []]);
  });

  test('If-Match counts here too', async () => {
    const wrong = patch(jsonPatch, activate, { 'if-match': 'W/"2"' });
    expect((await server.ask(`Patient?identifier=s|${id}`, wrong)).status).toBe(412);
  });
});

test('the CapabilityStatement says so', async () => {
  const statement = (await (await server.ask('metadata')).json()) as {
    rest: { resource: { interaction: { code: string }[] }[] }[];
  };
  expect(statement).toMatchObject({
    patchFormat: [jsonPatch, mergePatch, 'application/fhir+json', 'application/fhir+xml'],
  });
  for (const { interaction } of statement.rest[0]?.resource ?? []) {
    expect(interaction.map(({ code }) => code)).toContain('patch');
  }
});
