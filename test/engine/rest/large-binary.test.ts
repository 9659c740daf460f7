// Binaries whose content is kept apart from them, over a real socket: https://hl7.org/fhir/R4/binary.html#rest
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

const limit = 3_000_000;
let server: RunningServer;
beforeAll(async () => void (server = await startServer({ contentLimit: limit, bodyLimit: 4_000_000 })));
afterAll(() => server.stop());

const content = (length: number, seed = 7): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, place) => (place * place * seed + place) >>> 5));
const scan = content(1_000_001);
const dicom = { 'content-type': 'application/dicom' };

const send = (path: string, method: string, body: Uint8Array, headers: Record<string, string> = dicom) =>
  server.ask(path, { method, headers, body: new Uint8Array(body) });
const bytesOf = async (path: string): Promise<Buffer> =>
  Buffer.from(await (await server.ask(path)).arrayBuffer());
const resourceOf = async (path: string): Promise<Resource> =>
  (await (await server.ask(path, { headers: { accept: 'application/fhir+json' } })).json()) as Resource;

interface Resource {
  readonly data?: string;
  readonly contentType?: string;
  readonly meta?: { readonly tag?: readonly { readonly code: string }[]; readonly versionId: string };
  readonly issue?: unknown;
}

const subsetted = { meta: { tag: [{ code: 'SUBSETTED' }] } };

describe('a large Binary', () => {
  beforeAll(async () => {
    await send('Binary/scan', 'PUT', scan);
  });

  test('is answered without its content when it is stored', async () => {
    const created = await send('Binary', 'POST', scan);
    const answered = (await created.json()) as Resource;
    expect([created.status, answered]).toMatchObject([201, subsetted]);
    expect(answered.data).toBeUndefined();
  });

  test('comes back as the bytes that were sent, with their length', async () => {
    const read = await server.ask('Binary/scan');
    expect(Object.fromEntries(read.headers)).toMatchObject({
      'content-length': String(scan.length),
      'content-type': 'application/dicom',
      etag: 'W/"1"',
    });
    expect(Buffer.from(await read.arrayBuffer()).equals(scan)).toBe(true);
  });

  test('has its headers alone for HEAD, and 304 for who has it', async () => {
    const head = await server.ask('Binary/scan', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([
      200,
      String(scan.length),
      '',
    ]);
    const known = await server.ask('Binary/scan', { headers: { 'if-none-match': 'W/"1"' } });
    expect([known.status, await known.text()]).toEqual([304, '']);
  });

  test('comes whole as JSON, plain and for the eye', async () => {
    for (const path of ['Binary/scan?_format=json', 'Binary/scan?_pretty=true&_format=json']) {
      const read = await resourceOf(path);
      expect(read).toMatchObject({ resourceType: 'Binary', id: 'scan', contentType: 'application/dicom' });
      expect(read.data === scan.toString('base64')).toBe(true);
      expect(read.meta).not.toHaveProperty('tag');
    }
  });

  test('comes whole as XML', async () => {
    const text = await (await server.ask('Binary/scan?_format=xml')).text();
    expect(text.endsWith(`<data value="${scan.toString('base64')}"/></Binary>`)).toBe(true);
    expect(text).not.toContain('SUBSETTED');
  });

  test.each([
    ['_summary=true', false],
    ['_elements=contentType', false],
    ['_elements=data', true],
  ])('with %s comes with its data: %s', async (asked, hasData) => {
    const read = await resourceOf(`Binary/scan?${asked}`);
    expect(read).toMatchObject(subsetted);
    expect(read.data === scan.toString('base64')).toBe(hasData);
  });

  test.each(['Binary?_id=scan', 'Binary/scan/_history', 'Binary/_history'])(
    'is in the answer of %s without its content, and says so',
    async (path) => {
      const { entry } = (await resourceOf(path)) as unknown as { entry: { resource: Resource }[] };
      for (const { resource } of entry) {
        expect(resource).toMatchObject(subsetted);
        expect(resource.data).toBeUndefined();
      }
    },
  );
});

describe('versions of a large Binary', () => {
  test('the same content again makes none; another does, and both are read', async () => {
    const other = content(600_000, 11);
    expect((await send('Binary/v', 'PUT', scan)).status).toBe(201);
    expect((await send('Binary/v', 'PUT', scan)).headers.get('etag')).toBe('W/"1"');
    expect((await send('Binary/v', 'PUT', other)).headers.get('etag')).toBe('W/"2"');
    expect((await send('Binary/v', 'PUT', content(10))).headers.get('etag')).toBe('W/"3"');
    expect((await bytesOf('Binary/v/_history/1')).equals(scan)).toBe(true);
    expect((await bytesOf('Binary/v/_history/2')).equals(other)).toBe(true);
    expect((await bytesOf('Binary/v')).equals(content(10))).toBe(true);
  });

  test('a deletion leaves the old ones; $expunge takes their content away', async () => {
    await send('Binary/e', 'PUT', scan);
    await server.ask('Binary/e', { method: 'DELETE' });
    expect((await server.ask('Binary/e')).status).toBe(410);
    expect((await bytesOf('Binary/e/_history/1')).equals(scan)).toBe(true);
    expect(await server.store.contents.sweep()).toBe(0);
    const body = JSON.stringify({
      resourceType: 'Parameters',
      parameter: [{ name: 'expungeDeletedResources', valueBoolean: true }],
    });
    expect((await server.ask('Binary/e/$expunge', { method: 'POST', body })).status).toBe(200);
    expect((await server.ask('Binary/e/_history/1')).status).toBe(404);
    expect(await server.store.contents.sweep()).toBe(1);
  });

  test('a patch of something else keeps the content; one of the data replaces it', async () => {
    await send('Binary/p', 'PUT', scan);
    const patch = (operations: readonly object[]) =>
      server.ask('Binary/p', {
        method: 'PATCH',
        headers: { 'content-type': 'application/json-patch+json' },
        body: JSON.stringify(operations),
      });
    await patch([{ op: 'replace', path: '/contentType', value: 'image/png' }]);
    const read = await server.ask('Binary/p');
    expect([read.headers.get('etag'), read.headers.get('content-type')]).toEqual(['W/"2"', 'image/png']);
    expect(Buffer.from(await read.arrayBuffer()).equals(scan)).toBe(true);
    await patch([{ op: 'add', path: '/data', value: 'YSxi' }]);
    expect(String(await bytesOf('Binary/p'))).toBe('a,b');
    expect((await resourceOf('Binary/p?_format=json')).meta).not.toHaveProperty('tag');
  });
});

describe('large content in a resource', () => {
  const resource = {
    resourceType: 'Binary',
    id: 'json',
    contentType: 'image/tiff',
    data: scan.toString('base64'),
  };

  test('is read as it was sent, and sent again is the same version', async () => {
    for (const status of [201, 200]) {
      const put = await server.ask('Binary/json', { method: 'PUT', body: JSON.stringify(resource) });
      expect([put.status, put.headers.get('etag')]).toEqual([status, 'W/"1"']);
    }
    expect((await bytesOf('Binary/json')).equals(scan)).toBe(true);
    expect(await resourceOf('Binary/json')).toMatchObject({ contentType: 'image/tiff', data: resource.data });
  });

  test('comes by a transaction as well', async () => {
    const body = JSON.stringify({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        { request: { method: 'PUT', url: 'Binary/t1' }, resource: { ...resource, id: 't1' } },
        { request: { method: 'POST', url: 'Binary' }, resource },
      ],
    });
    const answer = await server.ask('/fhir/R4', { method: 'POST', body });
    const { entry } = (await answer.json()) as { entry: { response: { location: string } }[] };
    for (const { response } of entry) expect((await bytesOf(response.location)).equals(scan)).toBe(true);
  });

  test('that is not written as base64 should be stays as it was sent', async () => {
    const data = resource.data.replaceAll(/.{76}/g, '$& ');
    await server.ask('Binary/spaced', {
      method: 'PUT',
      body: JSON.stringify({ ...resource, id: 'spaced', data }),
    });
    expect((await resourceOf('Binary/spaced')).data).toBe(data);
    expect((await bytesOf('Binary/spaced')).equals(scan)).toBe(true);
  });

  test('that was stored with its resource, as it was once, is read like any other', async () => {
    const body = JSON.stringify({ ...resource, id: 'old', meta: { versionId: '1' } });
    const stored = { type: 'Binary', id: 'old', version: 1, lastUpdated: 1, method: 'PUT', body } as const;
    await server.store.transact(({ resources }) => resources.write(stored, [], []));
    expect((await bytesOf('Binary/old')).equals(scan)).toBe(true);
    expect((await resourceOf('Binary/old')).data).toBe(resource.data);
  });

  test('a Binary as Bundles have it is not taken for the whole', async () => {
    const [{ resource: part } = { resource: {} }] = (
      (await resourceOf('Binary?_id=json')) as unknown as { entry: { resource: object }[] }
    ).entry;
    const put = await server.ask('Binary/json', { method: 'PUT', body: JSON.stringify(part) });
    expect([put.status, await put.json()]).toMatchObject([400, { issue: [{ expression: ['Binary.data'] }] }]);
  });
});

describe('what is not stored leaves nothing behind', () => {
  const left = async (): Promise<number> => server.store.contents.sweep();

  test('too much, said or not', async () => {
    const much = content(limit + 1);
    expect((await send('Binary', 'POST', much)).status).toBe(413);
    const streamed = await server.ask('Binary', {
      method: 'POST',
      headers: dicom,
      body: Readable.toWeb(Readable.from([much.subarray(0, limit), much.subarray(limit)])) as never,
      duplex: 'half',
    } as RequestInit);
    expect([streamed.status, await streamed.json()]).toMatchObject([413, { issue: [{ code: 'too-long' }] }]);
    expect(await left()).toBe(0);
  });

  test('a condition that fails', async () => {
    const put = await send('Binary/never', 'PUT', scan, { ...dicom, 'if-match': 'W/"7"' });
    expect([put.status, await left()]).toEqual([412, 0]);
  });

  test('a sender that goes away', async () => {
    const gone = request(`${server.fhir}/Binary`, {
      method: 'POST',
      headers: { ...dicom, authorization: `Bearer ${server.token}`, 'content-length': '2000000' },
    });
    gone.on('error', () => undefined);
    gone.write(scan);
    await new Promise((resolve) => setTimeout(resolve, 300));
    gone.destroy();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await left()).toBe(0);
    expect(server.defects).toEqual([]);
  });
});
