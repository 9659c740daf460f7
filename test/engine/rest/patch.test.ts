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

describe('in a Bundle', () => {
  const binary = (contentType: string, content: unknown): object => ({
    resourceType: 'Binary',
    contentType,
    data: Buffer.from(JSON.stringify(content)).toString('base64'),
  });
  const bundle = (type: string, ...entry: readonly object[]): RequestInit => ({
    method: 'POST',
    body: JSON.stringify({ resourceType: 'Bundle', type, entry }),
  });
  const entryOf = (resource: object, url: string, more: object = {}): object => ({
    resource,
    request: { method: 'PATCH', url, ...more },
  });
  const read = async (path: string): Promise<unknown> => (await server.ask(path)).json();

  test.each([
    ['transaction', 'a JSON Patch', binary(jsonPatch, activate)],
    ['transaction', 'a merge patch', binary(mergePatch, { active: true })],
    ['transaction', 'a FHIRPath Patch', parameters],
    ['batch', 'a JSON Patch', binary(jsonPatch, activate)],
  ])('%s: %s', async (type, _what, resource) => {
    const response = await server.ask('', bundle(type, entryOf(resource, `Patient/${id}`)));
    expect(await response.json()).toMatchObject({
      type: `${type}-response`,
      entry: [{ response: { status: '200 OK', etag: 'W/"2"', location: `Patient/${id}/_history/2` } }],
    });
    expect(await read(`Patient/${id}`)).toMatchObject({ active: true, extension: [{ url: 'u' }] });
  });

  test('by criteria, together with what it refers to', async () => {
    const organization = {
      fullUrl: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0',
      resource: { resourceType: 'Organization', identifier: [{ system: 'o', value: id }] },
      request: { method: 'POST', url: 'Organization' },
    };
    const reference = organization.fullUrl;
    const managed = binary(jsonPatch, [{ op: 'add', path: '/managingOrganization', value: { reference } }]);
    const text = binary(jsonPatch, [
      { op: 'add', path: '/managingOrganization', value: { display: 'o' } },
      { op: 'add', path: '/managingOrganization/reference', value: reference },
    ]);
    const condition = { reference: `Organization?identifier=o|${id}` };
    const asked = binary(mergePatch, { managingOrganization: condition });
    for (const patched of [managed, text, asked]) {
      const url = `Patient?identifier=s|${id}`;
      const sent = {
        ...organization,
        request: { ...organization.request, ifNoneExist: `identifier=o|${id}` },
      };
      const response = await server.ask('', bundle('transaction', entryOf(patched, url), sent));
      expect(response.status).toBe(200);
      expect(await read(`Patient/${id}`)).toMatchObject({
        managingOrganization: { reference: expect.stringMatching(/^Organization\/id-\d+$/) as unknown },
      });
      await server.ask(`Patient/${id}`, patch(mergePatch, { managingOrganization: null }));
    }
  });

  test('in a batch a patch that does not fit is refused by itself', async () => {
    const unfit = entryOf(binary(jsonPatch, [{ op: 'remove', path: '/name' }]), `Patient/${id}`);
    const fitting = entryOf(binary(jsonPatch, activate), `Patient/${id}`);
    const response = await server.ask('', bundle('batch', unfit, fitting));
    expect(await response.json()).toMatchObject({
      entry: [
        { response: { status: '422', outcome: { resourceType: 'OperationOutcome' } } },
        { response: { status: '200 OK', etag: 'W/"2"' } },
      ],
    });
  });

  test.each([
    ['what is not there', binary(jsonPatch, activate), 'Patient/nobody', {}, 404],
    ['no match', binary(jsonPatch, activate), 'Patient?identifier=s|nobody', {}, 404],
    ['another version', binary(jsonPatch, activate), 'Patient/:id', { ifMatch: 'W/"9"' }, 412],
    ['what does not fit', binary(jsonPatch, [{ op: 'remove', path: '/name' }]), 'Patient/:id', {}, 422],
    ['no patch', { resourceType: 'Patient' }, 'Patient/:id', {}, 400],
    ['a type', binary(jsonPatch, activate), 'Patient', {}, 400],
    [
      'a conditional reference put together',
      binary(jsonPatch, [
        { op: 'add', path: '/managingOrganization', value: {} },
        { op: 'add', path: '/managingOrganization/reference', value: 'Organization?identifier=o|x' },
      ]),
      'Patient/:id',
      {},
      400,
    ],
  ])(
    '%s: all of the transaction is refused, naming the entry',
    async (_what, resource, url, more, status) => {
      const staying = { resourceType: 'Basic', identifier: [{ system: 'must', value: 'not-stay' }] };
      const create = { resource: staying, request: { method: 'POST', url: 'Basic' } };
      const entry = entryOf(resource, url.replace(':id', id), more);
      const response = await server.ask('', bundle('transaction', create, entry));
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ issue: [{ expression: ['Bundle.entry[1]'] }] });
      expect(await read('Basic?identifier=must|not-stay&_summary=count')).toMatchObject({ total: 0 });
      expect(await read(`Patient/${id}`)).toMatchObject({ active: false, meta: { versionId: '1' } });
    },
  );
});
