// The result of a request that was answered later, in every format: written entry by entry, and the same as if it had been written whole.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseResource } from '../../../engine/fhir/exact-json.ts';
import { lazyShapes } from '../../../engine/fhir/shapes/cache.ts';
import { createFhirXml } from '../../../engine/fhir/xml/fhir-xml.ts';
import { startServer, type RunningServer } from './running-server.ts';

const xml = createFhirXml(lazyShapes());
/** Longer than what is ever held of an answer. */
const long = 14;
const note = [{ text: 'x'.repeat(5_000_000) }];

let server: RunningServer;
const put = (resource: { resourceType: string; id: string }) =>
  server.ask(`${resource.resourceType}/${resource.id}`, { method: 'PUT', body: JSON.stringify(resource) });
const observation = (id: string, of: string, more: object = {}) => ({
  ...{ resourceType: 'Observation', id, status: 'final', subject: { reference: `Patient/${of}` } },
  ...{ code: { text: 'Line\nof "text" </Bundle>' }, valueQuantity: { value: 2 }, ...more },
});
beforeAll(async () => {
  server = await startServer();
  for (const id of ['a', 'b']) await put({ resourceType: 'Patient', id });
  const text = { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">a\n  b<br/></div>' };
  for (const id of ['1', '2', '3']) await put(observation(id, 'a', { text }));
  for (let place = 0; place < long; place += 1) await put(observation(`l${place}`, 'b', { note }));
  await put({ ...{ resourceType: 'Bundle', id: 'stored', type: 'collection' }, ...nested });
}, 60_000);
afterAll(() => server.stop());

const nested = { entry: [{ resource: { resourceType: 'Bundle', type: 'collection' } }] };

interface Init {
  readonly method?: string;
  readonly body?: string;
}

/** Where to ask for the result, which is there. */
async function done(path: string, init: Init = {}): Promise<string> {
  const begun = await server.ask(path, { ...init, headers: { prefer: 'respond-async' } });
  const { pathname } = new URL(begun.headers.get('content-location') ?? '');
  while ((await server.ask(pathname, { method: 'HEAD' })).status === 202) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return pathname;
}

const batch = (...urls: readonly string[]): Init => ({
  method: 'POST',
  body: JSON.stringify({
    resourceType: 'Bundle',
    type: 'batch',
    entry: urls.map((url) => ({ request: { method: 'GET', url } })),
  }),
});

const rows: readonly (readonly [rule: string, path: string, init?: Init])[] = [
  ['a search', 'Observation?subject=Patient/a&_sort=_id'],
  ['a search that finds nothing', 'Observation?code=none'],
  ['resources that are Bundles', 'Bundle'],
  ['everything', 'Patient/a/$everything'],
  ['a batch', '', batch('Patient/a', 'Patient/none', 'Observation?subject=Patient/a')],
  ['an empty batch', '', batch()],
  ['what was refused', 'Patient?colour=blue'],
];

describe.each(rows)('%s', (_rule, path, init) => {
  test('is the same in all formats', async () => {
    const plain = await (await server.ask(await done(path, init))).text();
    const whole = parseResource(plain);
    const asked = async (query: string): Promise<string> =>
      (await server.ask(`${await done(path, init)}?${query}`)).text();
    expect(await asked('_pretty=true')).toBe(JSON.stringify(whole, undefined, 2));
    expect(await asked('_format=xml')).toBe(xml.write(whole));
    expect(await asked('_format=xml&_pretty=true')).toBe(xml.write(whole, { pretty: true }));
  });
});

describe('a result that is longer than what is held', () => {
  test.each(['_format=xml', '_pretty=true', '_format=xml&_pretty=true'])(
    'comes whole with %s',
    async (query) => {
      const response = await server.ask(`${await done('Patient/b/$everything')}?${query}`);
      expect([response.status, response.headers.get('content-length')]).toEqual([200, null]);
      const text = await response.text();
      expect(text.split('x'.repeat(5_000_000))).toHaveLength(long + 1);
      expect(text.trimEnd().endsWith(query.includes('xml') ? '</Bundle>' : '}')).toBe(true);
    },
    60_000,
  );

  test('is refused where only a part of it is wanted, and can be fetched then', async () => {
    const url = await done('Patient/b/$everything');
    const refused = await server.ask(`${url}?_elements=entry`);
    expect([refused.status, await refused.json()]).toMatchObject([413, { issue: [{ code: 'too-long' }] }]);
    expect((await (await server.ask(url)).text()).length).toBeGreaterThan(long * 5_000_000);
  }, 60_000);
});

test('looking at the headers uses up no result, in any format', async () => {
  const url = await done('Patient/a/$everything');
  for (const query of ['_format=xml', '_pretty=true', '_format=json']) {
    expect((await server.ask(`${url}?${query}`, { method: 'HEAD' })).status).toBe(200);
  }
  expect((await server.ask(url)).status).toBe(200);
  expect(server.defects).toEqual([]);
});
