// Every line of the CapabilityStatement is asked: what it says is there answers, for each type, interaction, parameter and operation.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

interface Operation {
  readonly name: string;
  readonly definition: string;
}
interface Resource {
  readonly type: string;
  readonly interaction: readonly { readonly code: string }[];
  readonly searchParam?: readonly { readonly name: string; readonly type: string }[];
  readonly searchInclude?: readonly string[];
  readonly searchRevInclude?: readonly string[];
  readonly operation?: readonly Operation[];
  readonly [fact: string]: unknown;
}
interface Rest {
  readonly resource: readonly Resource[];
  readonly interaction: readonly { readonly code: string }[];
  readonly operation?: readonly Operation[];
  readonly compartment: readonly string[];
}
interface Statement {
  readonly format: readonly string[];
  readonly patchFormat: readonly string[];
  readonly rest: readonly [Rest];
}

// Some ten thousand requests.
jest.setTimeout(180_000);

let server: RunningServer;
let statement: Statement;
let rest: Rest;
beforeAll(async () => {
  server = await startServer();
  statement = (await (await server.ask('metadata')).json()) as Statement;
  [rest] = statement.rest;
});
afterAll(() => server.stop());

interface Ask {
  readonly path: string;
  readonly init?: RequestInit;
  readonly statuses: readonly number[];
}

/** Asks one after another; answers what was answered otherwise than it should be. */
async function unexpected(asked: readonly Ask[]): Promise<readonly unknown[]> {
  const wrong: unknown[] = [];
  for (const { path, init, statuses } of asked) {
    const response = await server.ask(path, init);
    const text = await response.text();
    if (!statuses.includes(response.status)) {
      wrong.push([init?.method ?? 'GET', path, response.status, text.slice(0, 300)]);
    }
  }
  return wrong;
}

const body = (type: string, more: object = {}): string => JSON.stringify({ resourceType: type, ...more });
const patch = (type: string): RequestInit => ({
  method: 'PATCH',
  body: `[{"op":"test","path":"/resourceType","value":"${type}"}]`,
  headers: { 'content-type': 'application/json-patch+json' },
});
const asJson = { accept: 'application/fhir+json' };

const typeInteractions: Readonly<Record<string, (type: string) => Ask>> = {
  create: (type) => ({ path: type, init: { method: 'POST', body: body(type) }, statuses: [201] }),
  update: (type) => ({
    path: `${type}/x`,
    init: { method: 'PUT', body: body(type, { id: 'x' }) },
    statuses: [200, 201],
  }),
  read: (type) => ({ path: `${type}/x`, init: { headers: asJson }, statuses: [200] }),
  vread: (type) => ({ path: `${type}/x/_history/1`, init: { headers: asJson }, statuses: [200] }),
  patch: (type) => ({ path: `${type}/x`, init: patch(type), statuses: [200] }),
  'history-instance': (type) => ({ path: `${type}/x/_history`, statuses: [200] }),
  'history-type': (type) => ({ path: `${type}/_history?_count=1`, statuses: [200] }),
  'search-type': (type) => ({ path: `${type}?_count=1`, statuses: [200] }),
  delete: (type) => ({ path: `${type}/x`, init: { method: 'DELETE' }, statuses: [200, 204] }),
};
/** What has to be there is made first and removed last. */
const order = Object.keys(typeInteractions);

const bundle = (type: string): RequestInit => ({ method: 'POST', body: body('Bundle', { type }) });
const systemInteractions: Readonly<Record<string, Ask>> = {
  transaction: { path: '', init: bundle('transaction'), statuses: [200] },
  batch: { path: '', init: bundle('batch'), statuses: [200] },
  'history-system': { path: '_history?_count=1', statuses: [200] },
  'search-system': { path: '?_type=Patient&_count=1', statuses: [200] },
};

describe('what the statement says of every type', () => {
  test('each interaction answers', async () => {
    const asked = rest.resource.flatMap(({ type, interaction }) => {
      const codes = interaction.map(({ code }) => code);
      expect(codes.filter((code) => !order.includes(code))).toEqual([]);
      return order
        .filter((code) => codes.includes(code))
        .flatMap((code) => typeInteractions[code]?.(type) ?? []);
    });
    expect(asked.length).toBeGreaterThan(1200);
    expect(await unexpected(asked)).toEqual([]);
  });

  const values: Readonly<Record<string, string>> = {
    date: '2026-01-01',
    number: '1',
    quantity: '1',
    string: 'a',
    token: 'a',
    reference: 'x',
    uri: 'urn:x',
  };

  test('each search parameter is known', async () => {
    const found: unknown[] = [];
    for (const { type, searchParam = [] } of rest.resource) {
      for (const { name, type: kind } of searchParam) {
        const value = values[kind] ?? 'a';
        const response = await server.ask(`${type}?${name}=${value}&_count=1`);
        const text = await response.text();
        // What a composite or special value must look like is the parameter's own matter: it must be known.
        const isFine =
          kind in values && !name.startsWith('_') ? response.status === 200 : response.status <= 400;
        if (!isFine || text.includes('unknown-parameter')) {
          found.push([type, name, response.status, text.slice(0, 300)]);
        }
      }
    }
    expect(found).toEqual([]);
  });

  test('each include is taken', async () => {
    const asked = rest.resource.flatMap(({ type, searchInclude = [], searchRevInclude = [] }) => [
      ...searchInclude.map((one): Ask => ({ path: `${type}?_count=1&_include=${one}`, statuses: [200] })),
      ...searchRevInclude.map((one): Ask => ({
        path: `${type}?_count=1&_revinclude=${one}`,
        statuses: [200],
      })),
    ]);
    expect(await unexpected(asked)).toEqual([]);
  });

  test('what may refer to a type is listed by name', () => {
    const ofPatient = rest.resource.find(({ type }) => type === 'Patient')?.searchRevInclude ?? [];
    expect(ofPatient).toEqual(
      expect.arrayContaining(['*', 'Observation:subject', 'Observation:patient', 'Provenance:target']),
    );
    expect(ofPatient).not.toContain('Observation:encounter');
    expect(ofPatient).not.toContain('Library:depends-on');
    const ofQuestionnaire =
      rest.resource.find(({ type }) => type === 'Questionnaire')?.searchRevInclude ?? [];
    expect(ofQuestionnaire).toEqual(
      expect.arrayContaining(['QuestionnaireResponse:questionnaire', 'Library:depends-on']),
    );
  });

  test('each operation is there', async () => {
    const found: unknown[] = [];
    for (const { type, operation = [] } of rest.resource) {
      for (const { name } of operation) {
        const paths = [`${type}/nobody/$${name}`, `${type}/$${name}`];
        const statuses: number[] = [];
        for (const path of paths) {
          for (const method of ['GET', 'POST']) {
            const init = method === 'POST' ? { method, body: body('Parameters') } : { method };
            const response = await server.ask(path, init);
            const text = await response.text();
            const isThere = response.status !== 405 && !text.includes('there is no such operation');
            if (isThere) statuses.push(response.status);
          }
        }
        if (statuses.length === 0 || statuses.some((status) => status >= 500)) {
          found.push([type, name, statuses]);
        }
      }
    }
    expect(found).toEqual([]);
  });
});

test('what it says of conditions and versions is so', async () => {
  const json = (headers: Record<string, string>, method: string, content: string): RequestInit => ({
    method,
    body: content,
    headers,
  });
  for (const { type, ...facts } of rest.resource.filter((one) =>
    ['Patient', 'Basic', 'Observation'].includes(one.type),
  )) {
    expect(facts).toMatchObject({
      versioning: 'versioned-update',
      readHistory: true,
      updateCreate: true,
      conditionalCreate: true,
      conditionalRead: 'full-support',
      conditionalUpdate: true,
      conditionalDelete: 'multiple',
    });
    const tagged = body(type, { id: 'flags', meta: { tag: [{ system: 's', code: type }] } });
    const condition = `_tag=s%7C${type}`;
    expect(
      await unexpected([
        { path: `${type}/flags`, init: json({}, 'PUT', tagged), statuses: [201] },
        { path: type, init: json({ 'if-none-exist': condition }, 'POST', tagged), statuses: [200] },
        { path: `${type}/flags`, init: { headers: { 'if-none-match': 'W/"1"' } }, statuses: [304] },
        { path: `${type}/flags`, init: json({ 'if-match': 'W/"7"' }, 'PUT', tagged), statuses: [412] },
        { path: `${type}?${condition}`, init: json({}, 'PUT', tagged), statuses: [200] },
        { path: `${type}?${condition}`, init: { method: 'DELETE' }, statuses: [200, 204] },
        { path: `${type}/flags`, statuses: [410] },
      ]),
    ).toEqual([]);
  }
});

describe('what the statement says of the whole', () => {
  test('each interaction answers', async () => {
    const codes = rest.interaction.map(({ code }) => code);
    expect(codes.filter((code) => !(code in systemInteractions))).toEqual([]);
    expect(await unexpected(codes.flatMap((code) => systemInteractions[code] ?? []))).toEqual([]);
  });

  test('each compartment is there', async () => {
    expect(rest.compartment).toHaveLength(5);
    const names = rest.compartment.map((url) =>
      url.replace('http://hl7.org/fhir/CompartmentDefinition/', ''),
    );
    const asked = names.map((name): Ask => ({
      path: `${name[0]?.toUpperCase() ?? ''}${name.slice(1)}/1/*`,
      statuses: [200],
    }));
    expect(await unexpected(asked)).toEqual([]);
  });

  test('each operation is there', async () => {
    for (const { name } of rest.operation ?? []) {
      const text = await (await server.ask(`$${name}`)).text();
      expect([name, text.includes('there is no such operation')]).toEqual([name, false]);
    }
  });

  test('each format is written', async () => {
    for (const format of statement.format) {
      const response = await server.ask(`metadata?_format=${encodeURIComponent(format)}`);
      const kind = format.includes('xml') ? 'application/fhir+xml' : 'application/fhir+json';
      expect([format, response.status, response.headers.get('content-type')]).toEqual([
        format,
        200,
        `${kind}; charset=utf-8`,
      ]);
      await response.text();
    }
  });

  test('each format of a patch is taken', async () => {
    await server.ask('Patient/patched', { method: 'PUT', body: body('Patient', { id: 'patched' }) });
    for (const format of statement.patchFormat) {
      const init = { method: 'PATCH', body: '?', headers: { 'content-type': format } };
      expect([format, (await server.ask('Patient/patched', init)).status]).toEqual([format, 400]);
    }
  });
});

test('a SearchParameter that is taken in use, and one that is not any more, shows at once', async () => {
  const listed = async (): Promise<boolean> =>
    (await (await server.ask('metadata')).text()).includes('"name":"ward"');
  const url = 'http://example.org/fhir/SearchParameter/ward';
  const found = [await listed()];
  await server.index.define({
    resourceType: 'SearchParameter',
    url,
    status: 'active',
    code: 'ward',
    base: ['Patient'],
    type: 'string',
    expression: 'Patient.name.given',
  });
  found.push(await listed());
  server.index.forget(url);
  expect([...found, await listed()]).toEqual([false, true, false]);
});
