// The room that all bodies have together, over real sockets: who does not fit is told to come again, and loses nothing by it.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { HttpRoute } from '../../../engine/kernel/http-route.ts';
import { BodyRoom } from '../../../engine/rest/body-room.ts';
import { startServer, type RunningServer } from './running-server.ts';

const room = 1_000_000;
/** Two have room, three do not. */
const length = 400_000;
const patient = (id: string, filled = length): string => {
  const [before, after] = [`{"resourceType":"Patient","id":"${id}","name":[{"text":"`, '"}]}'];
  return `${before}${'x'.repeat(filled - before.length - after.length)}${after}`;
};

let working: (() => void)[] = [];
const slow: HttpRoute = {
  method: 'POST',
  path: '/slow',
  access: 'signed-in',
  handle: async () => {
    await new Promise<void>((resolve) => void working.push(resolve));
    return { status: 200, body: 'done' };
  },
};

let server: RunningServer;
beforeEach(async () => {
  working = [];
  server = await startServer({ bodyLimit: 900_000, bodiesLimit: room, routes: [slow] });
});
afterEach(() => server.stop());

interface Sender {
  readonly socket: Socket;
  /** The status line and headers of each answer that has come. */
  readonly answers: () => readonly string[];
}

async function open(): Promise<Sender> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => void (text += chunk.toString('latin1')));
  await once(socket, 'connect');
  return { socket, answers: () => text.split(/(?=HTTP\/1\.1 )/).filter((answer) => answer !== '') };
}

const head = (id: string, headers: string): string =>
  `PUT /fhir/R4/Patient/${id} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.token}\r\n` +
  `prefer: return=minimal\r\ncontent-type: application/fhir+json\r\n${headers}\r\n\r\n`;

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 8_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error('it did not come to this in time');
    await pause(5);
  }
}

/** Sends all but the last byte; `finish` sends that. */
async function hold(id: string): Promise<Sender & { finish: () => void }> {
  const body = patient(id);
  const sender = await open();
  sender.socket.write(head(id, `content-length: ${body.length}`) + body.slice(0, -1));
  return { ...sender, finish: () => void sender.socket.write(body.slice(-1)) };
}

const put = (id: string, init: RequestInit = {}): Promise<Response> =>
  server.ask(`Patient/${id}`, { method: 'PUT', body: patient(id), ...init });

/** Until what was sent has come, as far as it is held. */
const comeIn = (): Promise<void> => pause(150);

const refused = async (response: Response): Promise<void> => {
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
  expect(await response.json()).toMatchObject({
    resourceType: 'OperationOutcome',
    issue: [{ code: 'transient', details: { coding: [{ code: 'unavailable' }] } }],
  });
};

describe('while others hold all the room', () => {
  let holders: Awaited<ReturnType<typeof hold>>[];
  beforeEach(async () => {
    holders = [await hold('a'), await hold('b')];
    await comeIn();
  });
  afterEach(() => {
    for (const { socket } of holders) socket.destroy();
  });

  test('a large body is refused for the moment, and taken when one of them is done', async () => {
    await refused(await put('c'));
    holders[0]?.finish();
    await until(() => holders[0]?.answers()[0]?.startsWith('HTTP/1.1 201') === true);
    expect((await put('c')).status).toBe(201);
  });

  test('a small body is taken', async () => {
    expect((await put('small', { body: patient('small', 60_000) })).status).toBe(201);
  });

  test('one is refused before it is sent, where its length is known', async () => {
    const { socket, answers } = await open();
    socket.write(head('c', `content-length: ${length}`));
    await until(() => answers().length === 1);
    expect(answers()[0]).toMatch(/^HTTP\/1\.1 503 [^]*\r\nretry-after: 2\r\n/);
    socket.destroy();
  });

  test('one of unknown length is refused where it does not fit, and its connection serves the next request', async () => {
    const { socket, answers } = await open();
    const half = patient('c').slice(0, length / 2);
    const piece = `${half.length.toString(16)}\r\n${half}\r\n`;
    socket.write(head('c', 'transfer-encoding: chunked') + piece);
    socket.write(`${piece}${piece}`);
    await until(() => answers().length === 1);
    socket.write(`${piece}0\r\n\r\n${head('small', 'content-length: 100')}${patient('small', 100)}`);
    await until(() => answers().length === 2);
    expect(answers().map((answer) => answer.slice(9, 12))).toEqual(['503', '201']);
    socket.destroy();
  });

  test('what was compressed counts as it is worked on', async () => {
    const body = gzipSync(patient('c'));
    expect(body.length).toBeLessThan(2_000);
    await refused(await put('c', { body, headers: { 'content-encoding': 'gzip' } }));
  });

  test('a sender that goes away leaves its room', async () => {
    holders[1]?.socket.destroy();
    await comeIn();
    expect((await put('c')).status).toBe(201);
  });
});

test('a body has its room for as long as it is worked on', async () => {
  const post = () =>
    server.ask('/slow', {
      method: 'POST',
      body: 'x'.repeat(length),
      headers: { 'content-type': 'text/plain' },
    });
  const first = [post(), post()];
  await pause(100);
  await refused(await post());
  expect(working).toHaveLength(2);
  for (const end of working) end();
  await Promise.all(first);
  const next = post();
  await until(() => working.length === 3);
  working[2]?.();
  expect((await next).status).toBe(200);
});

test('what is refused, broken or not allowed leaves its room too', async () => {
  for (let round = 0; round < 5; round += 1) {
    expect((await put('c', { body: 'x'.repeat(length) })).status).toBe(400);
    expect((await put('c', { body: patient('c', 900_001) })).status).toBe(413);
    expect((await put('other', { body: patient('c') })).status).toBe(400);
    const later = await server.ask('', {
      method: 'POST',
      headers: { prefer: 'respond-async' },
      body: JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry: [], id: 'x'.repeat(length) }),
    });
    expect(later.status).toBe(202);
    await server.ask(new URL(later.headers.get('content-location') ?? '').pathname, { method: 'DELETE' });
  }
  expect((await put('c')).status).toBe(201);
});

test('a share that is passed on is held until its new holder releases it', async () => {
  const all = new BodyRoom(200_000);
  const share = all.share();
  expect(share.take(150_000)).toBeUndefined();
  await share.begin();
  const later = share.passOn();
  share.release();
  expect(all.share().take(100_000)?.code).toBe('unavailable');
  later.release();
  later.release();
  expect(all.share().take(150_000)).toBeUndefined();
  expect(all.share().take(100_000)?.code).toBe('unavailable');
});
