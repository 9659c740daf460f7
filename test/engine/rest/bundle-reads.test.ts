// What can be read by an entry of a Bundle: everything that can be read alone. https://hl7.org/fhir/R4/http.html#transaction
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

type Fields = Readonly<Record<string, unknown>>;
interface Entry {
  readonly resource?: Fields & { readonly entry?: readonly unknown[] };
  readonly response: { readonly status: string; readonly etag?: string; readonly outcome?: Fields };
}

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ referentialIntegrity: true });
  for (const resource of [
    { resourceType: 'Patient', id: 'p', active: true, gender: 'female', name: [{ family: 'Achieng' }] },
    { resourceType: 'Observation', id: 'o', status: 'final', subject: { reference: 'Patient/p' } },
  ]) {
    const path = `${resource.resourceType}/${resource.id}`;
    await server.ask(path, { method: 'PUT', body: JSON.stringify(resource) });
  }
});
afterAll(() => server.stop());

async function apply(
  type: string,
  entry: readonly Fields[],
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly entry: readonly Entry[]; readonly text: string }> {
  const body = JSON.stringify({ resourceType: 'Bundle', type, entry });
  const response = await server.ask('', { method: 'POST', body, headers });
  const text = await response.text();
  const { entry: answered = [] } = JSON.parse(text) as { entry?: Entry[] };
  return { status: response.status, entry: answered, text };
}
const get = (url: string, more: Fields = {}): Fields => ({ request: { method: 'GET', url, ...more } });

const sameAsAlone: readonly (readonly [url: string])[] = [
  ['Patient/p'],
  ['Patient/p/'],
  ['/Patient/p'],
  ['Patient/p/_history/1'],
  ['Patient/p?_summary=true'],
  ['Patient/p?_elements=gender'],
  ['Patient/p/_history/1?_elements=gender'],
  ['Patient/p/_history'],
  ['Patient/_history?_count=1'],
  ['_history?_count=2'],
  ['metadata'],
  ['?_type=Patient,Observation&_count=1'],
  ['_search?_type=Patient'],
  ['Patient/_search?gender=female'],
  ['Patient?gender=female&_elements=gender'],
  ['Patient?_summary=count'],
  ['Patient/p/Observation?status=final'],
  ['Patient/p/*'],
  ['Patient/p/$everything'],
  ['Patient/p/$meta'],
];

describe.each(['batch', 'transaction'])('a read within a %s', (type) => {
  test.each(sameAsAlone)('%s is what it is alone', async (url) => {
    const alone = (await (await server.ask(`/fhir/R4/${url.replace(/^\//, '')}`)).json()) as Fields;
    const { status, entry } = await apply(type, [get(url)]);
    expect([status, entry[0]?.response.status]).toEqual([200, '200 OK']);
    expect(entry[0]?.resource).toEqual(alone);
  });

  test('by an absolute url under the base', async () => {
    const { entry } = await apply(type, [get(`${server.fhir}/Patient/p/_history`)]);
    expect(entry[0]?.resource?.entry).toHaveLength(1);
  });

  test('heeds its conditions, whatever else its url says', async () => {
    const { entry } = await apply(type, [get('Patient/p?_summary=true', { ifNoneMatch: 'W/"1"' })]);
    expect(entry).toEqual([{ response: { status: '304 Not Modified', etag: 'W/"1"' } }]);
  });

  test('by HEAD has no resource', async () => {
    const { entry } = await apply(type, [{ request: { method: 'HEAD', url: 'Patient/p/_history' } }]);
    expect(entry).toEqual([{ response: { status: '200 OK' } }]);
  });

  test('sees what the Bundle has done, wherever it stands', async () => {
    const resource = { resourceType: 'Patient', id: `made-by-${type}` };
    const url = `Patient/${resource.id}`;
    const { entry } = await apply(type, [
      get(`${url}/_history`),
      { resource, request: { method: 'PUT', url } },
    ]);
    expect(entry[0]?.resource?.entry).toHaveLength(1);
  });

  test('keeps decimals as they are written', async () => {
    const body =
      '{"resourceType":"Observation","id":"exact","status":"final","valueQuantity":{"value":1.0E+2,"code":"x"}}';
    await server.ask('Observation/exact', { method: 'PUT', body });
    expect((await apply(type, [get('Observation/exact/_history')])).text).toContain('"value":1.0E+2');
  });
});

const refused: readonly (readonly [rule: string, url: string, status: string])[] = [
  ['nothing is there', 'Patient/nobody/_history', '404'],
  ['the operation is none', 'Patient/p/$nothing', '404'],
  ['the type is none', 'Nobody/1?_summary=true', '404'],
  ['the parameter is none', 'Patient/p/Observation?colour=red', '400'],
  ['the parameter cannot be', 'Patient/p?_summary=odd', '400'],
  ['it is on another server', 'http://elsewhere.example/fhir/Patient/p', '400'],
  ['it leaves the base', '../../admin/messages', '404'],
  ['it says nothing', '', '400'],
  ['it only can be posted', 'Patient/p/$meta-add', '404'],
];

describe('a read that is refused because', () => {
  test.each(refused)('%s stands alone in a batch', async (_rule, url, status) => {
    const { entry } = await apply('batch', [get(url), get('Patient/p/_history')]);
    expect(entry.map(({ response }) => response.status)).toEqual([status, '200 OK']);
    expect(entry[0]?.response.outcome).toMatchObject({ resourceType: 'OperationOutcome' });
  });

  test.each(refused)('%s undoes a transaction, and names its entry', async (_rule, url, status) => {
    const resource = { resourceType: 'Patient', id: 'never' };
    const answer = await apply('transaction', [
      { resource, request: { method: 'PUT', url: 'Patient/never' } },
      get(url),
    ]);
    expect(answer.status).toBe(Number(status));
    expect(answer.text).toContain('"Bundle.entry[1]"');
    expect((await server.ask('Patient/never')).status).toBe(404);
  });

  test('the scopes leave it out', async () => {
    const authorization = `Bearer ${await server.tokenOf('patients')}`;
    const { entry } = await apply(
      'batch',
      [get('Patient/p/_history'), get('Observation/o/_history'), get('Patient/p/Observation')],
      { authorization },
    );
    expect(entry.map(({ response }) => response.status)).toEqual(['200 OK', '403', '403']);
  });
});
