// $document: https://hl7.org/fhir/R4/composition-operation-document.html
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

let server: RunningServer;
const put = (name: string, more: object): Promise<Response> => {
  const [resourceType, id] = name.split('/');
  return server.ask(name, { method: 'PUT', body: JSON.stringify({ resourceType, id, ...more }) });
};
const ref = (reference: string): object => ({ reference });
beforeAll(async () => {
  server = await startServer();
  await put('Organization/ward', { name: 'Ward' });
  await put('Practitioner/amina', { name: [{ family: 'Amina' }] });
  await put('PractitionerRole/amina', {
    practitioner: ref('Practitioner/amina'),
    organization: ref('Organization/ward'),
  });
  await put('Patient/p', { managingOrganization: ref('Organization/ward') });
  await put('Observation/hb', {
    status: 'final',
    code: { text: 'Hb' },
    valueQuantity: { value: 2.78 },
    subject: ref('Patient/p'),
    hasMember: [ref('Observation/not-in-it')],
  });
  await put('Composition/whole', {
    status: 'final',
    title: 'Discharge',
    subject: ref(`${server.fhir}/Patient/p`),
    author: [ref('PractitionerRole/amina'), ref('https://elsewhere.example/fhir/Practitioner/7'), ref('#in')],
    contained: [{ resourceType: 'Practitioner', id: 'in' }],
    section: [{ entry: [ref('Observation/hb'), ref('Patient/p')], section: [{ focus: ref('Patient/p') }] }],
  });
  await put('Composition/holes', { status: 'final', subject: ref('Patient/nobody') });
});
afterAll(() => server.stop());

interface Document {
  readonly resourceType: string;
  readonly type: string;
  readonly id?: string;
  readonly identifier: { readonly system: string; readonly value: string };
  readonly timestamp: string;
  readonly entry: readonly { readonly fullUrl: string; readonly resource: object }[];
}
const named = ({ entry }: Document): readonly string[] =>
  entry.map(({ fullUrl }) => fullUrl.slice(server.fhir.length + 1));

const members = [
  'Composition/whole',
  'Patient/p',
  'PractitionerRole/amina',
  'Observation/hb',
  'Organization/ward',
  'Practitioner/amina',
];

describe('the document', () => {
  const asked: readonly (readonly [path: string, init: RequestInit])[] = [
    ['Composition/whole/$document', {}],
    ['Composition/whole/$document', { method: 'POST', body: '{"resourceType":"Parameters"}' }],
    ['Composition/$document?id=whole', {}],
    [
      'Composition/$document',
      {
        method: 'POST',
        body: '{"resourceType":"Parameters","parameter":[{"name":"id","valueUri":"whole"},{"name":"persist","valueBoolean":false}]}',
      },
    ],
  ];
  test.each(asked)(
    '%s begins with the Composition and has what it refers to, each once',
    async (path, init) => {
      const response = await server.ask(path, init);
      expect(response.status).toBe(200);
      const document = (await response.json()) as Document;
      expect(document).toMatchObject({ resourceType: 'Bundle', type: 'document' });
      expect(document.identifier.value).toMatch(/^urn:uuid:/);
      expect(document.timestamp).toMatch(/^2026-03-01T/);
      expect(named(document)[0]).toBe('Composition/whole');
      expect(named(document).toSorted()).toEqual(members.toSorted());
    },
  );

  test('is stored when it is to be, and then has an id', async () => {
    const made = (await (
      await server.ask('Composition/whole/$document', {
        method: 'POST',
        body: '{"resourceType":"Parameters","parameter":[{"name":"persist","valueBoolean":true}]}',
      })
    ).json()) as Document;
    const kept = (await (await server.ask(`Bundle/${made.id ?? ''}`)).json()) as Document;
    expect(kept).toEqual(made);
    expect(named(kept)).toHaveLength(members.length);
  });

  test('comes as XML too', async () => {
    const text = await (await server.ask('Composition/whole/$document?_format=xml')).text();
    expect(text).toContain('<type value="document"/>');
    expect(text).toContain('<title value="Discharge"/>');
  });
});

test.each([
  ['a Composition that is not there', 'Composition/nobody/$document', 404, 'everything'],
  ['what it refers to is not there', 'Composition/holes/$document', 422, 'everything'],
  ['another type', 'Patient/p/$document', 404, 'everything'],
  ['a type that the scopes leave out', 'Composition/whole/$document', 403, 'patients'],
  ['no id', 'Composition/$document', 400, 'everything'],
  ['persist that is neither', 'Composition/whole/$document?persist=maybe', 400, 'everything'],
  ['to store it by GET', 'Composition/whole/$document?persist=true', 400, 'everything'],
  ['a parameter that is not known', 'Composition/whole/$document?graph=urn:x', 400, 'everything'],
])('refused: %s', async (_what, path, status, client) => {
  const authorization = `Bearer ${await server.tokenOf(client)}`;
  expect((await server.ask(path, { headers: { authorization } })).status).toBe(status);
});

test('who may not read all of it gets none of it', async () => {
  const token = await server.tokenOf('everything', 'system/Composition.r system/Patient.r');
  const response = await server.ask('Composition/whole/$document', {
    headers: { authorization: `Bearer ${token}` },
  });
  expect([response.status, (await response.text()).includes('Discharge')]).toEqual([403, false]);
});

test('in a Bundle it sees what the Bundle has done, and stores nothing', async () => {
  const put = {
    resource: { resourceType: 'Composition', id: 'new', status: 'final', subject: ref('Patient/p') },
    request: { method: 'PUT', url: 'Composition/new' },
  };
  const asked = (persist: string): object => ({
    request: { method: 'GET', url: `Composition/new/$document${persist}` },
  });
  const send = (...entry: readonly object[]): Promise<Response> =>
    server.ask('', {
      method: 'POST',
      body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }),
    });
  expect((await send(put, asked('?persist=true'))).status).toBe(400);
  const { entry } = (await (await send(put, asked(''))).json()) as {
    entry: readonly { resource: Document }[];
  };
  expect(entry[1] && named(entry[1].resource)).toContain('Composition/new');
});
