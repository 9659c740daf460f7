// Clients that stand still, over real sockets: their connections are ended, and what stood behind them is free; who is slow and goes on is
// left alone.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { BodyStream, HttpRoute } from '../../../engine/kernel/http-route.ts';
import type { ExternalHandler } from '../../../engine/rest/mount-external.ts';
import { startServer, type RunningServer } from './running-server.ts';

const stallMs = 250;
const mebibyte = 2 ** 20;
/** More than the system holds of an answer on both sides. */
const much = 96 * mebibyte;

/** Streams that were left, by whichever way. */
let left = 0;

async function* lines(): BodyStream {
  try {
    for (let length = 0; length < much; length += mebibyte) yield 'x'.repeat(mebibyte);
  } finally {
    left += 1;
  }
}

async function* bytes(): BodyStream {
  try {
    for (let length = 0; length < much; length += mebibyte) yield Buffer.alloc(mebibyte, 'x');
  } finally {
    left += 1;
  }
}

/** As events are sent. */
async function* events(): AsyncGenerator<string, void, undefined> {
  yield* lines() as AsyncGenerator<string, void, undefined>;
}

const compressible = { 'content-type': 'application/fhir+json' };
/** What gzip makes no smaller. */
async function* noise(): BodyStream {
  try {
    for (let length = 0; length < much; length += mebibyte) {
      yield Buffer.from(Array.from({ length: 1024 }, () => Math.random()).join())
        .toString('base64')
        .repeat(40);
    }
  } finally {
    left += 1;
  }
}

const get = (path: string, handle: HttpRoute['handle']): HttpRoute => ({
  method: 'GET',
  path,
  access: 'signed-in',
  handle,
});
const routes: readonly HttpRoute[] = [
  get('/lines', async () => ({ status: 200, body: lines() })),
  get('/bytes', async () => ({ status: 200, body: bytes() })),
  get('/zipped', async () => ({ status: 200, body: noise(), headers: compressible })),
  get('/whole', async () => ({ status: 200, body: 'x'.repeat(much) })),
  get('/events', async () => ({ status: 200, stream: events() })),
  get('/long-work', async () => {
    await pause(4 * stallMs);
    return { status: 200, body: 'done' };
  }),
];
const editor: ExternalHandler = {
  prefix: '/flows',
  access: 'admin',
  handle: (_request, response) => void response.end('x'.repeat(much)),
};

let server: RunningServer;
/** Of the server's connections, the clients' ports. */
const held = new Set<number>();
beforeAll(async () => {
  server = await startServer({ stallMs, routes, mounts: [editor] });
  server.http.server.on('connection', (socket) => {
    const { remotePort = 0 } = socket;
    held.add(remotePort);
    socket.once('close', () => held.delete(remotePort));
  });
});
afterAll(() => server.stop());
beforeEach(() => {
  left = 0;
  server.warnings.splice(0);
});

interface Client {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  /** As the server sees it. */
  readonly port: number;
  received: number;
  text: string;
}

/** A request by hand; what comes is counted, and its beginning kept. */
async function open(head: string, headers = ''): Promise<Client> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  await once(socket, 'connect');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const client = { socket, closed, port: socket.localPort ?? 0, received: 0, text: '' };
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    client.received += chunk.length;
    if (client.text.length < 2_000) client.text += chunk.toString('latin1');
  });
  socket.write(`${head} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.token}\r\n${headers}\r\n`);
  return client;
}

/** Whether the server still has its end of it. */
const isHeld = ({ port }: Client): boolean => held.has(port);

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 8_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('it did not come to this in time');
    await pause(10);
  }
}

describe('who takes nothing more of its answer', () => {
  const rows = [
    { path: '/lines', headers: '', streams: 1 },
    { path: '/bytes', headers: '', streams: 1 },
    { path: '/zipped', headers: 'accept-encoding: gzip\r\n', streams: 1 },
    { path: '/events', headers: '', streams: 1 },
    { path: '/whole', headers: '', streams: 0 },
    { path: '/flows/', headers: '', streams: 0 },
  ];
  test.each(rows)(
    '$path: the connection is ended, what is behind it left',
    async ({ path, headers, streams }) => {
      const client = await open(`GET ${path}`, headers);
      const { socket, closed } = client;
      await once(socket, 'data');
      socket.pause();
      await until(() => !isHeld(client));
      await until(() => left === streams);
      const interaction = path === '/flows/' ? '/flows' : `GET ${path}`;
      expect(server.warnings).toEqual([{ correlationId: expect.any(String), interaction, stallMs }]);
      socket.resume();
      await closed;
      expect(server.defects).toEqual([]);
    },
  );
});

test('who takes its answer slowly gets all of it', async () => {
  const client = await open('GET /bytes');
  let taken = 0;
  client.socket.on('data', (chunk: Buffer) => {
    taken += chunk.length;
    if (taken < 4 * mebibyte) return;
    taken = 0;
    client.socket.pause();
    setTimeout(() => client.socket.resume(), stallMs / 5);
  });
  const begun = performance.now();
  await until(() => client.received >= much);
  client.socket.destroy();
  expect([server.warnings, performance.now() - begun > 2 * stallMs]).toEqual([[], true]);
});

test('what takes long to be worked on is waited for, and the connection is used again', async () => {
  const client = await open('GET /long-work');
  await until(() => client.text.includes('done'));
  client.socket.write(`GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n`);
  await until(() => client.text.includes('"status":"up"'));
  client.socket.destroy();
  expect(server.warnings).toEqual([]);
});

describe('who sends nothing more of its request', () => {
  const rows = [
    { head: 'PUT /fhir/R4/Patient/p', type: 'application/fhir+json' },
    { head: 'PUT /fhir/R4/Binary/b', type: 'application/dicom' },
    { head: 'POST /sign-in', type: 'application/x-www-form-urlencoded' },
  ];
  test.each(rows)('$head: hears so, and the connection is ended', async ({ head, type }) => {
    const client = await open(head, `content-type: ${type}\r\ncontent-length: 5000\r\n`);
    client.socket.write('{"resourceType":');
    await client.closed;
    expect(client.text).toMatch(/^HTTP\/1\.1 408 [^]*"resourceType":"OperationOutcome"[^]*nothing more came/);
    expect(server.warnings).toHaveLength(1);
    await until(() => !isHeld(client));
    expect(server.defects).toEqual([]);
  });

  test.each(rows.slice(0, 2))('$head: not who sends it slowly', async ({ head, type }) => {
    const body = JSON.stringify({ resourceType: 'Patient', id: 'p', active: true });
    const client = await open(head, `content-type: ${type}\r\ncontent-length: ${body.length}\r\n`);
    for (let place = 0; place < body.length; place += 5) {
      client.socket.write(body.slice(place, place + 5));
      await pause(stallMs / 2.5);
    }
    await until(() => client.text.includes('HTTP/1.1 201'));
    client.socket.destroy();
    expect(server.warnings).toEqual([]);
  });
});
