// What nobody should send and somebody will: each is refused with a reason, nothing is kept, and the server goes on.
import { gzipSync } from 'node:zlib';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

const bodyLimit = 256 * 1024;
let server: RunningServer;
beforeAll(async () => void (server = await startServer({ bodyLimit })));
afterAll(() => server.stop());

const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)));

interface Row {
  readonly rule: string;
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly status: number;
}

const nested = (depth: number): string => `${'{"extension":['.repeat(depth)}${']}'.repeat(depth)}`;

const rows: readonly Row[] = [
  { rule: 'no body', path: 'Patient', body: '', status: 400 },
  { rule: 'no JSON', path: 'Patient', body: '{"resourceType":"Patient",', status: 400 },
  { rule: 'null', path: 'Patient', body: 'null', status: 400 },
  { rule: 'a list', path: 'Patient', body: '[{"resourceType":"Patient"}]', status: 400 },
  { rule: 'a number', path: 'Patient', body: '1.50', status: 400 },
  { rule: 'a type that is no string', path: 'Patient', body: '{"resourceType":["Patient"]}', status: 400 },
  { rule: 'meta that is a list', path: 'Patient', body: '{"resourceType":"Patient","meta":[]}', status: 400 },
  { rule: 'meta that is null', path: 'Patient', body: '{"resourceType":"Patient","meta":null}', status: 400 },
  {
    rule: 'tags that are no list',
    path: 'Patient',
    body: '{"resourceType":"Patient","meta":{"tag":{}}}',
    status: 400,
  },
  { rule: 'an id that is a number', path: 'Patient', body: '{"resourceType":"Patient","id":7}', status: 400 },
  {
    rule: 'an id that is a number, in an update',
    path: 'Patient/7',
    method: 'PUT',
    body: '{"resourceType":"Patient","id":7}',
    status: 400,
  },
  { rule: 'an id with a slash', path: 'Patient', body: '{"resourceType":"Patient","id":"a/b"}', status: 400 },
  {
    rule: 'an id of 65 characters',
    path: `Patient/${'a'.repeat(65)}`,
    method: 'PUT',
    body: `{"resourceType":"Patient","id":"${'a'.repeat(65)}"}`,
    status: 400,
  },
  {
    rule: 'a name that stands twice, so that one value would be lost',
    path: 'Patient',
    body: '{"resourceType":"Patient","gender":"male","gender":"female"}',
    status: 400,
  },
  {
    rule: 'a key __proto__',
    path: 'Patient',
    body: '{"resourceType":"Patient","__proto__":{"polluted":true}}',
    status: 400,
  },
  {
    rule: 'a key __proto__ in disguise',
    path: 'Patient',
    body: '{"resourceType":"Patient","a":{"\\u005f_proto__":{"polluted":true}}}',
    status: 400,
  },
  {
    rule: 'nesting of 100,000 levels',
    path: 'Patient',
    body: `{"resourceType":"Patient","a":${'['.repeat(100_000)}`,
    status: 400,
  },
  {
    rule: 'nesting of 5,000 levels that closes',
    path: 'Patient',
    body: `{"resourceType":"Patient","extension":[${nested(5000)}]}`,
    status: 400,
  },
  {
    rule: 'more than the limit',
    path: 'Patient',
    body: `{"resourceType":"Patient","language":"${'x'.repeat(bodyLimit)}"}`,
    status: 413,
  },
  {
    rule: 'bytes that are no UTF-8',
    path: 'Patient',
    body: bytes('{"resourceType":"Patient","language":"', [0xff, 0xfe], '"}'),
    status: 400,
  },
  {
    rule: 'UTF-16',
    path: 'Patient',
    body: Buffer.from('{"resourceType":"Patient"}', 'utf16le'),
    headers: { 'content-type': 'application/fhir+json; charset=utf-16' },
    status: 415,
  },
  {
    rule: 'a body by gzip that breaks off',
    path: 'Patient',
    body: bytes([31, 139, 8]),
    headers: { 'content-encoding': 'gzip' },
    status: 400,
  },
  {
    rule: 'a body that says that it is by gzip',
    path: 'Patient',
    body: bytes('{"resourceType":"Patient"}'),
    headers: { 'content-encoding': 'gzip' },
    status: 400,
  },
  {
    rule: 'much out of little, by gzip',
    path: 'Patient',
    body: gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20)),
    headers: { 'content-encoding': 'gzip' },
    status: 413,
  },
  {
    rule: 'a type with a body and no media type',
    path: 'Patient',
    body: bytes('{}'),
    headers: { 'content-type': '' },
    status: 415,
  },
  { rule: 'percent-encoding that is none, in the path', path: 'Patient/%E0%A4%A', status: 400 },
  { rule: 'percent-encoding that is none, in the query', path: 'Patient?name=%E0%A4%A', status: 200 },
  { rule: 'a path that climbs', path: 'Patient/..%2f..%2fetc%2fpasswd', status: 404 },
  { rule: 'a type that is a property of every object', path: 'constructor/1', status: 404 },
  { rule: 'a type named __proto__', path: '__proto__', status: 404 },
  { rule: 'a parameter named __proto__', path: 'Patient?__proto__=1', status: 400 },
  { rule: 'an id of zero bytes', path: 'Patient/%00', status: 404 },
  { rule: 'a header that would be two', path: 'Patient/a%0d%0aSet-Cookie:x=y', status: 404 },
  { rule: 'a _format with a line break', path: 'Patient/x?_format=%0d%0ajson', status: 406 },
  {
    rule: 'an If-Match that names no version',
    path: 'Patient/im',
    method: 'PUT',
    body: '{"resourceType":"Patient","id":"im"}',
    headers: { 'if-match': '"*"' },
    status: 400,
  },
  { rule: 'a _count that is no number', path: 'Patient?_count=many', status: 400 },
  { rule: 'a page that nobody gave', path: 'Patient?_page=nonsense', status: 400 },
  { rule: 'a page of a history that nobody gave', path: 'Patient/here/_history?_page=nonsense', status: 400 },
  { rule: 'a history parameter that is not known', path: 'Patient/here/_history?_listed=2020', status: 400 },
  { rule: 'a history since no time', path: 'Patient/_history?_since=yesterday', status: 400 },
  { rule: 'a history at two times', path: '_history?_at=2020&_at=2021', status: 400 },
  { rule: 'a history in another order', path: '_history?_sort=_lastUpdated', status: 400 },
  { rule: 'ten thousand parameters', path: `Patient?${'_id=a&'.repeat(2000)}`, status: 400 },
  {
    rule: 'entries that are no list',
    path: '',
    body: '{"resourceType":"Bundle","type":"transaction","entry":{}}',
    status: 400,
  },
  {
    rule: 'entries that are nothing',
    path: '',
    body: '{"resourceType":"Bundle","type":"transaction","entry":[null,1,"x"]}',
    status: 400,
  },
  { rule: 'a Bundle of no type', path: '', body: '{"resourceType":"Bundle"}', status: 400 },
  {
    rule: 'an If-None-Exist that is no search',
    path: 'Patient',
    body: '{"resourceType":"Patient"}',
    headers: { 'if-none-exist': 'colour=blue' },
    status: 400,
  },
];

describe('hostile requests', () => {
  beforeAll(() =>
    server.ask('Patient/here', { method: 'PUT', body: '{"resourceType":"Patient","id":"here"}' }),
  );

  test.each(rows)('$rule: $status', async ({ path, body, method, headers, status }) => {
    server.events.length = 0;
    const init: RequestInit = { method: method ?? (body === undefined ? 'GET' : 'POST') };
    if (body !== undefined) init.body = body as string;
    if (headers) init.headers = headers;
    const response = await server.ask(path, init);
    const text = await response.text();
    expect({ status: response.status, text }).toMatchObject({ status });
    if (status >= 400) expect(JSON.parse(text)).toMatchObject({ resourceType: 'OperationOutcome' });
    expect(response.headers.get('set-cookie')).toBeNull();
    expect({ events: server.events, defects: server.defects }).toEqual({ events: [], defects: [] });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('a body that never says how long it is stops at the limit', async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.on('error', () => undefined);
    const head = [
      'POST /fhir/R4/Patient HTTP/1.1',
      'Host: x',
      `Authorization: Bearer ${server.token}`,
      'Content-Type: application/fhir+json',
      'Transfer-Encoding: chunked',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    for (let count = 0; count < 8; count++) socket.write(chunk);
    await new Promise((resolve) => socket.once('close', resolve));
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
  });

  test.each([
    [
      'a url that is too long',
      `GET /fhir/R4/Patient?name=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      431,
    ],
    [
      'headers that are too long',
      `GET /fhir/R4/metadata HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
    ],
    ['what is no HTTP', 'MSH|^~\\&|LAB\r\r\n\r\n', 400],
    [
      'two lengths',
      'POST /fhir/R4/Patient HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
  ])('%s: an outcome too', async (_rule, sent, status) => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.on('error', () => undefined);
    socket.write(sent);
    await new Promise((resolve) => socket.once('close', resolve));
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(JSON.parse(body)).toMatchObject({ resourceType: 'OperationOutcome' });
    expect(server.defects).toEqual([]);
  });

  test("a client that goes away in the middle is nobody's defect", async () => {
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write(
      `POST /fhir/R4/Patient HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.token}\r\n` +
        'Content-Type: application/fhir+json\r\nContent-Length: 1000\r\n\r\n{"resource',
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.defects).toEqual([]);
    expect((await server.ask('Patient/here')).status).toBe(200);
  });
});
