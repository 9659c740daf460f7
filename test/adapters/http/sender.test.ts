// The HTTP sender against a real server: what each answer, silence and loss mean for another try.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHttpSender } from '../../../adapters/http/sender.ts';

type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

const seen: { method: string; headers: IncomingMessage['headers']; body: string }[] = [];
let behaviour: Behaviour = (_request, response) => void response.end();
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    seen.push({ method: request.method ?? '', headers: request.headers, body });
    behaviour(request, response);
  });
});
let url = '';
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => void seen.splice(0));

const delivery = { id: 'd-1', contentType: 'application/fhir+json', payload: Buffer.from('{"a":1.0}') };

test('hands over the body as it is, named by the delivery, with headers that are asked at each request', async () => {
  behaviour = (_request, response) =>
    void response.writeHead(201, { 'content-type': 'text/plain' }).end('made');
  let secret = 'one';
  const sender = createHttpSender({ url, method: 'PUT', headers: () => ({ authorization: secret }) });
  const result = await sender.send(delivery);
  secret = 'two';
  await sender.send(delivery);
  expect(result).toMatchObject({ state: 'done', code: '201', response: { contentType: 'text/plain' } });
  expect(Buffer.from(result.response!.bytes).toString()).toBe('made');
  expect(seen[0]).toMatchObject({
    method: 'PUT',
    body: '{"a":1.0}',
    headers: { 'content-type': 'application/fhir+json', 'idempotency-key': 'd-1', authorization: 'one' },
  });
  expect(seen[1]?.headers.authorization).toBe('two');
});

describe('what an answer says about another try', () => {
  test.each([
    [400, 'permanent', 'http-refused'],
    [401, 'permanent', 'http-refused'],
    [409, 'transient', 'http-refused'],
    [429, 'transient', 'http-refused'],
    [500, 'transient', 'http-refused'],
    [503, 'transient', 'http-refused'],
    [302, 'permanent', 'http-redirected'],
  ])('%i', async (status, retry, code) => {
    behaviour = (_request, response) =>
      void response.writeHead(status, { location: '/elsewhere' }).end('why');
    const result = await createHttpSender({ url }).send(delivery);
    expect(result).toMatchObject({ state: 'failed', retry, code: String(status), reason: { code } });
    expect(seen).toHaveLength(1);
  });

  test('Retry-After is told on', async () => {
    behaviour = (_request, response) => void response.writeHead(503, { 'retry-after': '120' }).end();
    expect(await createHttpSender({ url }).send(delivery)).toMatchObject({ notBeforeMs: 120_000 });
  });
});

describe('no answer', () => {
  test.each([
    ['POST', 'ambiguous'],
    ['PUT', 'transient'],
  ])('%s, lost after it was sent: %s', async (method, retry) => {
    behaviour = (request) => void request.socket.destroy();
    const result = await createHttpSender({ url, method }).send(delivery);
    expect(result).toMatchObject({ state: 'failed', retry, reason: { code: 'http-connection-lost' } });
  });

  test('in time', async () => {
    behaviour = () => undefined;
    const result = await createHttpSender({ url, answerTimeoutMs: 50 }).send(delivery);
    expect(result).toMatchObject({
      state: 'failed',
      retry: 'ambiguous',
      reason: { code: 'http-answer-timeout' },
    });
  });

  test('nobody listens: it was never sent', async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const { port } = other.address() as AddressInfo;
    await new Promise((done) => other.close(done));
    const result = await createHttpSender({ url: `http://127.0.0.1:${port}/` }).send(delivery);
    expect(result).toMatchObject({
      state: 'failed',
      retry: 'transient',
      reason: { code: 'http-no-connection' },
    });
  });
});

test('of an endless answer only the beginning is kept', async () => {
  behaviour = (_request, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  };
  const result = await createHttpSender({ url }).send(delivery);
  expect(result.response?.bytes.byteLength).toBe(65_536);
});
