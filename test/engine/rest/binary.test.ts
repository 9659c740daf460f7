// Binary over a real socket, as bytes and as a resource: https://hl7.org/fhir/R4/binary.html#rest
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

let server: RunningServer;
beforeAll(async () => void (server = await startServer()));
afterAll(() => server.stop());

const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ', 'base64');
const send = (path: string, method: string, headers: Record<string, string>, body: Uint8Array) =>
  server.ask(path, { method, headers, body: new Uint8Array(body) });
const bytesOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

describe('what is sent as content of its own type', () => {
  test('becomes a Binary, and is read back as it was sent', async () => {
    const created = await send('Binary', 'POST', { 'content-type': 'image/png' }, png);
    expect(created.status).toBe(201);
    expect(await created.json()).toMatchObject({
      resourceType: 'Binary',
      contentType: 'image/png',
      data: png.toString('base64'),
    });
    const location = new URL(created.headers.get('location') ?? '').pathname;
    for (const path of [location, location.replace('/_history/1', '')]) {
      const read = await server.ask(path);
      expect([read.status, read.headers.get('content-type'), read.headers.get('etag')]).toEqual([
        200,
        'image/png',
        'W/"1"',
      ]);
      expect(await bytesOf(read)).toEqual(png);
    }
  });

  test('can be sent under an id, with the resource whose rules of access it shares', async () => {
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-security-context': 'Patient/p1' };
    const put = await send('Binary/note', 'PUT', headers, Buffer.from('Wanjikũ'));
    expect([put.status, await put.json()]).toMatchObject([
      201,
      { id: 'note', contentType: headers['content-type'], securityContext: { reference: 'Patient/p1' } },
    ]);
    const read = await server.ask('Binary/note', { headers: { accept: 'text/plain' } });
    expect([read.headers.get('x-security-context'), await read.text()]).toEqual(['Patient/p1', 'Wanjikũ']);
  });

  test('cannot run as a page of this server', async () => {
    await send('Binary/page', 'PUT', { 'content-type': 'text/html' }, Buffer.from('<script>1</script>'));
    const { headers } = await server.ask('Binary/page');
    expect(headers.get('content-security-policy')).toContain('sandbox');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test.each([
    ['a content type that is none', { 'content-type': 'a content type' }],
    ['a security context that is no reference', { 'content-type': 'image/png', 'x-security-context': 'x y' }],
  ])('%s is refused', async (_rule, headers) => {
    const response = await send('Binary', 'POST', headers, png);
    expect([response.status, await response.json()]).toMatchObject([400, { issue: [{ code: 'invalid' }] }]);
  });

  test('to another type is refused', async () => {
    expect((await send('Patient', 'POST', { 'content-type': 'image/png' }, png)).status).toBe(415);
  });
});

describe('a Binary', () => {
  const resource = { resourceType: 'Binary', id: 'json', contentType: 'text/csv', data: 'YSxi' };
  beforeAll(() => server.ask('Binary/json', { method: 'PUT', body: JSON.stringify(resource) }));

  test.each([
    ['application/fhir+json', 'application/fhir+json; charset=utf-8'],
    ['application/json', 'application/fhir+json; charset=utf-8'],
    ['application/fhir+json, */*;q=0.1', 'application/fhir+json; charset=utf-8'],
    ['*/*', 'text/csv'],
    ['text/csv', 'text/csv'],
    ['text/html,image/webp,*/*;q=0.8', 'text/csv'],
  ])('read with Accept %s comes as %s', async (accept, contentType) => {
    const read = await server.ask('Binary/json', { headers: { accept } });
    const text = await read.text();
    expect([read.status, read.headers.get('content-type')]).toEqual([200, contentType]);
    if (contentType === 'text/csv') expect(text).toBe('a,b');
    else expect(JSON.parse(text)).toMatchObject(resource);
  });

  test('read with _format comes as a resource', async () => {
    expect(await (await server.ask('Binary/json?_format=json')).json()).toMatchObject(resource);
  });

  test('is asked for by HEAD and conditionally like any other', async () => {
    const head = await server.ask('Binary/json', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([200, 'text/csv', '']);
    const known = await server.ask('Binary/json', { headers: { 'if-none-match': 'W/"1"' } });
    expect(known.status).toBe(304);
  });

  test('without a content type, or what is refused, comes as FHIR', async () => {
    await server.ask('Binary/bare', { method: 'PUT', body: '{"resourceType":"Binary","id":"bare"}' });
    expect(await (await server.ask('Binary/bare')).json()).toMatchObject({ id: 'bare' });
    expect(await (await server.ask('Binary/nobody')).json()).toMatchObject({
      resourceType: 'OperationOutcome',
    });
  });

  test.each([
    ['escaped', '{"resourceType":"Binary","id":"x","contentType":"text/plain","data":"YS\\u0078i"}', 'a,b'],
    ['with spaces', '{"resourceType":"Binary","id":"x","contentType":"text/plain","data":"YS xi"}', 'a,b'],
    [
      'with another data before it',
      '{"resourceType":"Binary","id":"x","meta":{"extension":[{"url":"urn:x","valueAttachment":{"data":"AAAA"}}]},"contentType":"text/plain","data":"YSxi"}',
      'a,b',
    ],
    [
      'with the data of something else alone',
      '{"resourceType":"Binary","id":"x","meta":{"extension":[{"url":"urn:x","valueAttachment":{"data":"AAAA"}}]},"contentType":"text/plain"}',
      '',
    ],
    ['empty', '{"resourceType":"Binary","id":"x","contentType":"text/plain"}', ''],
  ])('%s is read as the content that it stands for', async (_what, body, content) => {
    await server.ask('Binary/x', { method: 'PUT', body });
    const read = await server.ask('Binary/x');
    expect([read.headers.get('content-type'), await read.text()]).toEqual(['text/plain', content]);
  });

  test('of many megabytes comes back whole', async () => {
    const content = Buffer.alloc(20_000_001, 'not so random bytes');
    await send('Binary/large', 'PUT', { 'content-type': 'application/dicom' }, content);
    const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    expect(digest(await bytesOf(await server.ask('Binary/large')))).toBe(digest(content));
  });
});

describe('a large answer', () => {
  beforeAll(async () => {
    for (let place = 0; place < 30; place += 1) {
      const text = { status: 'generated', div: `<div>${'x'.repeat(1_000_000)}</div>` };
      const body = JSON.stringify({ resourceType: 'Basic', id: `big${place}`, text, code: {} });
      await server.ask(`Basic/big${place}`, { method: 'PUT', body });
    }
  });

  interface Page {
    readonly link: readonly { readonly relation: string; readonly url: string }[];
    readonly entry: readonly { readonly resource: { readonly id: string } }[];
  }

  test.each(['Basic?_count=100', 'Basic/_history?_count=100'])(
    '%s comes in pages, each whole',
    async (path) => {
      const found = new Set<string>();
      let url: string | undefined = `/fhir/R4/${path}`;
      let pages = 0;
      for (; url !== undefined; pages += 1) {
        const response = await server.ask(url);
        expect(response.headers.get('content-length')).toBeNull();
        const page = (await response.json()) as Page;
        for (const { resource } of page.entry) found.add(resource.id);
        url = page.link.find(({ relation }) => relation === 'next')?.url.slice(server.url.length);
      }
      expect([found.size, pages]).toEqual([30, 2]);
    },
  );

  test('has headers alone for HEAD', async () => {
    const head = await server.ask('Basic?_count=100', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  test('to a client that goes away is no defect', async () => {
    const leaving = new AbortController();
    const response = await server.ask('Basic?_count=100', { signal: leaving.signal });
    leaving.abort();
    await expect(response.text()).rejects.toThrow();
    expect((await server.ask('Basic/big1')).status).toBe(200);
    expect(server.defects).toEqual([]);
  });
});
