// Formats over HTTP: https://hl7.org/fhir/R4/http.html#mime-type, #parameters, and parts of resources, search.html#summary
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
  await server.ask('Patient/wanjiku', { method: 'PUT', body: patient });
  await server.ask('Observation/sugar', { method: 'PUT', body: observation });
});
afterAll(() => server.stop());

const patient = JSON.stringify({
  resourceType: 'Patient',
  id: 'wanjiku',
  text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Wanjiku</div>' },
  identifier: [{ system: 's', value: '1' }],
  active: true,
  name: [{ family: 'Wanjiku', given: ['Grace'] }],
  maritalStatus: { text: 'M' },
  contact: [{ name: { family: 'Otieno' } }],
});
const observation =
  '{"resourceType":"Observation","id":"sugar","status":"final","code":{"text":"glucose"},"subject":{"reference":"Patient/wanjiku"},' +
  '"valueQuantity":{"value":2.780},"method":{"text":"m"},"component":[{"code":{"text":"c"},"valueString":"v","referenceRange":[{"text":"r"}]}]}';

const json = 'application/fhir+json; charset=utf-8';
const xml = 'application/fhir+xml; charset=utf-8';
const patientXml = (inside: string): string => `<Patient xmlns="http://hl7.org/fhir">${inside}</Patient>`;

describe('which format an answer has', () => {
  const rows: readonly (readonly [query: string, accept: string | undefined, answered: string | number])[] = [
    ['', undefined, json],
    ['', '*/*', json],
    ['', 'application/fhir+json', json],
    ['', 'application/json', json],
    ['', 'application/fhir+xml', xml],
    ['', 'application/xml', xml],
    ['', 'text/xml', xml],
    ['', 'Application/FHIR+XML; charset=utf-8', xml],
    ['', 'application/fhir+json;q=0.5, application/fhir+xml', xml],
    ['', 'application/fhir+xml;q=0.5, application/fhir+json;q=0.6', json],
    ['', 'application/fhir+xml, */*;q=0.1', xml],
    ['', 'application/fhir+xml, */*', xml],
    ['', '*/*, application/fhir+json;q=0', xml],
    ['', 'application/fhir+xml, application/fhir+json', xml],
    ['', 'application/fhir+xml; fhirVersion=4.0', xml],
    ['', 'application/fhir+xml; fhirVersion=3.0, application/fhir+json; fhirVersion="4.0"', json],
    ['', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', json],
    ['', 'application/*', json],
    ['', 'text/html', 406],
    ['', 'application/fhir+turtle', 406],
    ['', 'application/fhir+json;q=0', 406],
    ['', 'application/fhir+json; fhirVersion=5.0', 406],
    ['?_format=xml', 'application/fhir+json', xml],
    ['?_format=json', 'application/fhir+xml', json],
    ['?_format=application/fhir+xml', undefined, xml],
    ['?_format=application%2Ffhir%2Bxml', undefined, xml],
    ['?_format=text/xml', undefined, xml],
    ['?_format=xml', 'text/html', xml],
    ['?_format=ttl', undefined, 406],
    ['?_format=', undefined, json],
  ];
  test.each(rows)('%s %s: %s', async (query, accept, answered) => {
    const response = await server.ask(
      `Patient/wanjiku${query}`,
      accept === undefined ? {} : { headers: { accept } },
    );
    if (typeof answered === 'number') expect(response.status).toBe(answered);
    else expect([response.status, response.headers.get('content-type')]).toEqual([200, answered]);
  });
});

describe('XML', () => {
  const asked = { headers: { accept: 'application/fhir+xml' } };

  test('decimals go in and out as they are written', async () => {
    const body = `<Observation xmlns="http://hl7.org/fhir"><id value="x"/><status value="final"/><code><text value="c"/></code><valueQuantity><value value="1.500"/></valueQuantity></Observation>`;
    const put = { method: 'PUT', body, headers: { 'content-type': 'application/fhir+xml' } };
    const written = await server.ask('Observation/x', put);
    expect([written.status, written.headers.get('content-type')]).toEqual([201, json]);
    expect(await written.text()).toContain('"value":1.500');
    expect(await (await server.ask('Observation/x', asked)).text()).toContain('<value value="1.500"/>');
  });

  test.each([
    'application/fhir+xml; charset=utf-8',
    'application/xml',
    'text/xml',
    'application/fhir+xml;fhirVersion=4.0',
  ])('a body of %s is taken', async (type) => {
    const post = {
      method: 'POST',
      body: patientXml('<active value="true"/>'),
      headers: { 'content-type': type },
    };
    const response = await server.ask('Patient', post);
    expect([response.status, await response.json()]).toMatchObject([201, { active: true }]);
  });

  test.each([
    ['application/fhir+xml; charset=utf-16'],
    ['application/fhir+xml; fhirVersion=3.0'],
    ['application/fhir+turtle'],
    ['application/json-patch+json'],
  ])('a body of %s is 415', async (type) => {
    const post = { method: 'POST', body: patientXml(''), headers: { 'content-type': type } };
    expect((await server.ask('Patient', post)).status).toBe(415);
  });

  test('a searchset, its links leading to further pages in XML', async () => {
    const text = await (await server.ask('Observation?_count=1&_format=xml')).text();
    expect(text).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<Bundle xmlns="http:\/\/hl7.org\/fhir"><type value="searchset"\/>/,
    );
    expect(text).toMatch(/<relation value="next"\/><url value="[^"]*&amp;_format=xml"\/>/);
    expect(text).toContain('<search><mode value="match"/></search>');
  });

  test('a transaction, and its answer', async () => {
    const entry = `<entry><resource>${patientXml('<active value="true"/>')}</resource><request><method value="POST"/><url value="Patient"/></request></entry>`;
    const body = `<Bundle xmlns="http://hl7.org/fhir"><type value="transaction"/>${entry}</Bundle>`;
    const headers = { 'content-type': 'application/fhir+xml', accept: 'application/fhir+xml' };
    const text = await (await server.ask('', { method: 'POST', body, headers })).text();
    expect(text).toContain('<type value="transaction-response"/>');
    expect(text).toContain('<status value="201 Created"/>');
  });

  test('the CapabilityStatement says so', async () => {
    const text = await (await server.ask('metadata', asked)).text();
    expect(text).toContain('<format value="application/fhir+xml"/>');
  });

  test('history too', async () => {
    const response = await server.ask('Patient/wanjiku/_history?_format=xml');
    expect(await response.text()).toContain('<type value="history"/>');
  });

  test.each([
    ['what is not there', 'Patient/nobody', {}, 404, 'not-found'],
    ['an unknown type', 'Patience/1', {}, 404, 'not-found'],
    ['an unknown path', 'a/b/c/d/e', {}, 404, 'not-found'],
    ['another method', 'Patient/wanjiku/_history/1', { method: 'DELETE' }, 405, 'not-supported'],
    ['nobody', 'Patient/wanjiku', { headers: { authorization: 'Bearer x' } }, 401, 'login'],
  ])('%s is refused in XML', async (_what, path, init: RequestInit, status, code) => {
    const headers = { ...(init.headers as object), accept: 'application/fhir+xml' };
    const response = await server.ask(path, { ...init, headers });
    expect([response.status, response.headers.get('content-type')]).toEqual([status, xml]);
    expect(await response.text()).toContain(`<issue><severity value="error"/><code value="${code}"/>`);
  });

  test('a body that is refused is told with line and column', async () => {
    const headers = { 'content-type': 'application/fhir+xml' };
    const post = { method: 'POST', body: patientXml('\n<colour value="red"/>'), headers };
    const response = await server.ask('Patient', post);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      issue: [
        { diagnostics: expect.stringContaining('line 2, column 21') as unknown, expression: ['Patient'] },
      ],
    });
  });

  test('what XML cannot hold is 406, and can be had as JSON', async () => {
    const body = '{"resourceType":"Basic","id":"odd","colour":"red"}';
    await server.ask('Basic/odd', { method: 'PUT', body });
    const response = await server.ask('Basic/odd', asked);
    expect([response.status, response.headers.get('content-type')]).toEqual([406, xml]);
    expect(await response.text()).toContain('<expression value="Basic.colour"/>');
  });

  test('a refusal that XML cannot hold comes as JSON', async () => {
    const response = await server.ask('Patient?%01=1', asked);
    expect([response.status, response.headers.get('content-type')]).toEqual([400, json]);
  });
});

describe('_pretty', () => {
  test.each([
    ['json', /^\{\n {2}"resourceType": "Observation",\n/, '"value": 2.780'],
    [
      'xml',
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<Observation xmlns="http:\/\/hl7.org\/fhir">\n {2}<id /,
      '    <value value="2.780"/>\n',
    ],
  ])('%s is written for the eye', async (format, start, holds) => {
    const text = await (await server.ask(`Observation/sugar?_pretty=true&_format=${format}`)).text();
    expect(text).toMatch(start);
    expect(text).toContain(holds);
  });

  test('a refusal too', async () => {
    const text = await (await server.ask('Patient/nobody?_pretty=true')).text();
    expect(text).toMatch(/^\{\n {2}"resourceType": "OperationOutcome",\n/);
  });
});

describe('_summary and _elements', () => {
  const subsetted = [
    { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' },
  ];

  const parts: readonly (readonly [path: string, keys: readonly string[]])[] = [
    ['Patient/wanjiku?_summary=true', ['identifier', 'active', 'name']],
    ['Patient/wanjiku?_summary=text', ['text', 'active']],
    ['Patient/wanjiku?_summary=data', ['identifier', 'active', 'name', 'maritalStatus', 'contact']],
    ['Patient/wanjiku?_elements=contact', ['active', 'contact']],
    ['Patient/wanjiku?_elements=name,identifier', ['identifier', 'active', 'name']],
    ['Patient/wanjiku/_history/1?_elements=name', ['active', 'name']],
    ['Patient/wanjiku?_elements=Patient.contact,Observation.name', ['active', 'contact']],
    ['Observation/sugar?_elements=value', ['status', 'code', 'valueQuantity']],
    ['Observation/sugar?_elements=valueQuantity', ['status', 'code', 'valueQuantity']],
    ['Observation/sugar?_summary=text', ['status', 'code']],
    ['Observation/sugar?_summary=true', ['status', 'code', 'subject', 'valueQuantity', 'component']],
  ];
  test.each(parts)('%s keeps %j, and says that it is a part', async (path, keys) => {
    const { resourceType, id, meta, ...others } = (await (await server.ask(path)).json()) as {
      resourceType: string;
      id: string;
      meta: object;
    };
    expect(Object.keys(others)).toEqual(keys);
    expect([resourceType, id]).toEqual(
      path.startsWith('P') ? ['Patient', 'wanjiku'] : ['Observation', 'sugar'],
    );
    expect(meta).toMatchObject({ versionId: '1', tag: subsetted });
  });

  test('_summary=true goes by the marks of inner elements too; decimals stay', async () => {
    const text = await (await server.ask('Observation/sugar?_summary=true')).text();
    expect(text).toContain('"value":2.780');
    expect(text).toContain('"valueString":"v"');
    expect(text).not.toContain('referenceRange');
  });

  test('_summary=false is all, unmarked', async () => {
    expect(await (await server.ask('Patient/wanjiku?_summary=false')).json()).toMatchObject({
      ...(JSON.parse(patient) as object),
      meta: { versionId: '1' },
    });
  });

  test.each([
    ['a search', 'Patient?_id=wanjiku&_elements=name', {}],
    ['a posted search', 'Patient/_search', { method: 'POST', body: '_id=wanjiku&_elements=name' }],
    ['a history', 'Patient/wanjiku/_history?_elements=name', {}],
  ])('%s gives each resource in part, and links that do the same', async (_what, path, init: RequestInit) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const bundle = (await (await server.ask(path, { headers, ...init })).json()) as {
      link: { url: string }[];
      entry: { resource: object }[];
    };
    expect(Object.keys(bundle.entry[0]?.resource ?? {})).toEqual([
      'resourceType',
      'id',
      'meta',
      'active',
      'name',
    ]);
    expect(bundle.entry).toHaveLength(1);
    expect(bundle.link.map(({ url }) => url.endsWith('&_elements=name'))).not.toContain(false);
  });

  test('what is included comes in part as well; the second page looks like the first', async () => {
    const first = (await (
      await server.ask(
        'Observation?_count=1&_include=Observation:subject&_elements=status&_sort=-_lastUpdated',
      )
    ).json()) as { link: { relation: string; url: string }[] };
    const next = first.link.find(({ relation }) => relation === 'next')?.url ?? '';
    const second = (await (await server.ask(new URL(next).pathname + new URL(next).search)).json()) as {
      entry: { resource: object }[];
    };
    for (const { resource } of second.entry) expect(resource).toMatchObject({ meta: { tag: subsetted } });
  });

  test('_summary=count only counts', async () => {
    const bundle = await (await server.ask('Patient?_id=wanjiku&_summary=count')).json();
    expect(bundle).toMatchObject({ total: 1 });
    expect(bundle).not.toHaveProperty('entry');
  });

  test.each([
    ['Patient/wanjiku?_summary=maybe'],
    ['Patient/wanjiku?_summary=count'],
    ['Patient/wanjiku?_elements='],
    ['Patient/wanjiku?_elements=a.b'],
    ['Patient?_summary=true&_elements=name'],
    ['Patient?_summary=text&_include=Patient:organization'],
  ])('%s is 400', async (path) => {
    expect((await server.ask(path)).status).toBe(400);
  });

  test('in XML as well', async () => {
    const text = await (await server.ask('Patient/wanjiku?_elements=name&_format=xml')).text();
    expect(text).toContain('<code value="SUBSETTED"/>');
    expect(text).not.toContain('<contact>');
  });
});
