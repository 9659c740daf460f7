// Answers that are too long to be held are written entry by entry, in every form the same as if they had been written whole.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseResource } from '../../../engine/fhir/exact-json.ts';
import { lazyShapes } from '../../../engine/fhir/shapes/cache.ts';
import { createFhirXml } from '../../../engine/fhir/xml/fhir-xml.ts';
import { startServer, type RunningServer } from './running-server.ts';

const count = 300;
const xml = createFhirXml(lazyShapes());
let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
  const entry = Array.from({ length: count }, (_, place) => ({
    resource: {
      resourceType: 'Observation',
      id: `o${place}`,
      status: 'final',
      code: { text: `Line\nof "text" ${place}` },
      note: [{ text: 'x'.repeat(5_000) }],
    },
    request: { method: 'PUT', url: `Observation/o${place}` },
  }));
  const body = JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
  await server.ask('', { method: 'POST', body });
});
afterAll(() => server.stop());

interface Answer {
  readonly entry: readonly unknown[];
  readonly link: readonly { readonly url: string }[];
}

/** The text, and whether it came as a stream. */
async function asked(query: string): Promise<readonly [string, boolean]> {
  const response = await server.ask(query);
  return [await response.text(), response.headers.get('content-length') === null];
}

const plain = `Observation?_count=${count}&_sort=_id`;

test.each(['json', 'xml'])('%s for the eye', async (format) => {
  const [text, streamed] = await asked(`${plain}&_pretty=true&_format=${format}`);
  const resource = format === 'xml' ? xml.read(text) : parseResource(text);
  const { entry, link } = resource as unknown as Answer;
  expect(streamed).toBe(true);
  expect(entry).toEqual((JSON.parse((await asked(plain))[0]) as Answer).entry);
  expect(link[0]?.url).toContain(`_pretty=true&_format=${format}`);
  expect(text).toBe(
    format === 'xml' ? xml.write(resource, { pretty: true }) : JSON.stringify(resource, undefined, 2),
  );
});

test.each([plain, `Observation/_history?_count=${count}`])('XML of %s', async (query) => {
  const [text, streamed] = await asked(`${query}&_format=xml`);
  const resource = xml.read(text);
  expect(streamed).toBe(true);
  expect((resource as unknown as Answer).entry).toEqual(
    (JSON.parse((await asked(query))[0]) as Answer).entry,
  );
  expect(text).toBe(xml.write(resource));
});

test('a part of each', async () => {
  const [text, streamed] = await asked(`${plain}&_elements=code`);
  const [few] = await asked('Observation?_id=o0&_elements=code');
  expect(streamed).toBe(true);
  expect((JSON.parse(text) as Answer).entry).toHaveLength(count);
  expect((JSON.parse(text) as Answer).entry[0]).toEqual((JSON.parse(few) as Answer).entry[0]);
  expect(text).not.toContain('xxx');
});
