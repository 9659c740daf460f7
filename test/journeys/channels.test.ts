// Channels in the real engine: each with a port of its own, made, changed, rolled back and switched one by one, handing on to real receivers.
import { mkdirSync, writeFileSync, readdirSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newDataFolder, startEngine, until, type RunningEngine } from '../support/engine-process.ts';
import { codeOf, MllpClient } from '../support/mllp-client.ts';

const oru = (control: string, type = 'ORU^R01'): string =>
  [
    `MSH|^~\\&|BC-5380|Mindray|||20260112083000||${type}|${control}|P|2.3.1||||||UNICODE`,
    `PID|1||MRN-${control}^^^^MR||Test^Patient||19870412000000|Female`,
    `OBR|1||${control}|00001^Automated Count^99MRC|||20260112083000|||||||||||||||||HM||||||||Technician`,
    'OBX|1|NM|6690-2^WBC^LN||5.10|10*3/uL|4.00-10.00|N|||F',
    '',
  ].join('\r');

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const received: Received[] = [];
let status = 200;
const receiver = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    received.push({ headers: request.headers, body });
    response.writeHead(status, { 'content-type': 'text/plain' }).end('noted');
  });
});

const data = newDataFolder();
let engine: RunningEngine;
let url = '';

beforeAll(async () => {
  await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/results`;
  mkdirSync(join(data, 'channels'));
  mkdirSync(join(data, 'secrets'), { recursive: true });
  writeFileSync(join(data, 'secrets', 'lis'), 'Bearer 42\n');
  writeFileSync(
    join(data, 'channels', 'night.yaml'),
    'name: night\nsource: { kind: file, folder: night, everySeconds: 0.1 }\nmap: none\n',
  );
  engine = await startEngine(data, { KIUNGO_CHANNELS: join(data, 'channels') });
}, 90_000);

afterAll(async () => {
  await engine.stop();
  receiver.close();
});

interface Item {
  readonly id: string;
  readonly state: string;
  readonly reason: { readonly code: string };
}

/** What the admin API may answer; each test reads what its own answer has. */
interface Answer {
  readonly total: number;
  readonly items: readonly Item[];
  readonly deliveries: readonly Item[];
  readonly port: number;
  readonly position: string;
  readonly source: string;
  readonly origin: { readonly version: number };
  readonly definition: { readonly storage?: string };
  readonly channels: readonly { readonly name: string }[];
}

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await engine.fetch(path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Answer };
}

const definition = (): Record<string, unknown> => ({
  name: 'mindray',
  source: { kind: 'mllp', port: 0 },
  filters: [{ path: 'MSH-9.1', is: ['ORU', 'QRY'] }],
  index: { sender: 'MSH-3' },
  destinations: [
    {
      name: 'lis',
      to: { kind: 'http', url, headers: { authorization: '{secret:lis}' } },
      body: 'raw',
      when: [{ path: 'MSH-9.1', is: 'ORU' }],
      retry: { delaysSeconds: [0.1], tries: 50 },
    },
  ],
});

async function send(port: number, message: string): Promise<string> {
  const client = new MllpClient(port);
  try {
    return codeOf(await client.send(message));
  } finally {
    client.close();
  }
}

describe('a channel', () => {
  let port = 0;

  test('is made over the admin API, has a port of its own, and hands on what it takes', async () => {
    const made = await ask('POST', '/admin/channels?comment=first', definition());
    expect([made.status, made.body.source, made.body.origin['version']]).toEqual([201, 'open', 1]);
    port = made.body.port;
    expect(await send(port, oru('C1'))).toBe('AA');
    await until(() => received.length === 1, 10_000);
    expect(received[0]).toMatchObject({
      body: oru('C1'),
      headers: { authorization: 'Bearer 42', 'content-type': 'application/hl7-v2' },
    });
    const found = await ask('GET', '/admin/messages?channel=mindray');
    expect(found.body.items).toMatchObject([{ controlId: 'C1', state: 'processed' }]);
    const { deliveries } = (await ask('GET', `/admin/messages/${found.body.items[0]!.id}`)).body;
    expect(deliveries[0]!).toMatchObject({ destination: 'send:mindray.lis', state: 'done' });
  });

  test('sets aside what its filter does not let pass, and hands it to nobody', async () => {
    expect(await send(port, oru('C2', 'ADT^A01'))).toBe('AA');
    const kept = async () => (await ask('GET', '/admin/messages?controlId=C2')).body.items[0]!;
    await until(async () => (await kept()).state === 'set-aside', 10_000);
    expect((await kept()).reason.code).toBe('filtered');
    expect(received).toHaveLength(1);
  });

  test('paused, it acknowledges and does not work; the other channels go on', async () => {
    await ask('POST', '/admin/channels/mindray/pause');
    expect(await send(port, oru('C3'))).toBe('AA');
    expect(await send(engine.mllpPort, oru('H1'))).toBe('AA');
    const stateOf = async (id: string) =>
      (await ask('GET', `/admin/messages?controlId=${id}`)).body.items[0]!.state;
    await until(async () => (await stateOf('H1')) === 'processed', 10_000);
    expect(await stateOf('C3')).toBe('received');
    await ask('POST', '/admin/channels/mindray/start');
    await until(async () => (await stateOf('C3')) === 'processed', 10_000);
  });

  test('is not removed while messages of it wait: nobody would know whom they are for', async () => {
    await ask('POST', '/admin/channels', { name: 'leaving', source: { kind: 'http' }, map: 'none' });
    await ask('POST', '/admin/channels/leaving/pause');
    const taken = await engine.fetch('/admin/messages?channel=leaving', {
      method: 'POST',
      headers: { 'content-type': 'application/hl7-v2' },
      body: oru('L1'),
    });
    expect(taken.status).toBe(202);
    expect((await ask('DELETE', '/admin/channels/leaving')).status).toBe(409);
    await ask('POST', '/admin/channels/leaving/start');
    await until(async () => (await ask('DELETE', '/admin/channels/leaving')).status === 204, 10_000);
    const { items } = (await ask('GET', '/admin/messages?controlId=L1')).body;
    expect(items).toMatchObject([{ state: 'processed' }]);
  });

  test('changed, it is another version; it can be compared and rolled back; its port stays open meanwhile', async () => {
    const changed = { ...definition(), storage: 'all' };
    const stale = await ask('PUT', '/admin/channels/mindray', changed, { 'if-match': 'W/"7"' });
    expect(stale.status).toBe(409);
    const client = new MllpClient(port);
    await client.send(oru('C4'));
    expect((await ask('PUT', '/admin/channels/mindray', changed, { 'if-match': 'W/"1"' })).status).toBe(200);
    const diff = await ask('GET', '/admin/channels/mindray/diff?from=1&to=2');
    expect(diff.body.items).toEqual([{ place: 'storage', from: null, to: 'all' }]);
    const back = await ask('POST', '/admin/channels/mindray/rollback?version=1');
    expect(back.body.definition.storage).toBeUndefined();
    expect((await ask('GET', '/admin/channels/mindray/history')).body.total).toBe(3);
    expect(codeOf(await client.send(oru('C5')))).toBe('AA');
    client.close();
  });

  test('a destination that refuses for good: the delivery waits for a person with the answer, the lane goes on', async () => {
    await until(() => received.some(({ body }) => body === oru('C5')), 10_000);
    status = 422;
    await send(port, oru('C6'));
    const dead = async () =>
      (await ask('GET', '/admin/deliveries?destination=send:mindray.lis&state=dead')).body;
    await until(async () => (await dead()).total > 0, 10_000);
    status = 200;
    expect((await dead()).items[0]).toMatchObject({ reason: { code: 'http-refused' }, answered: true });
    const answer = await engine.fetch(`/admin/deliveries/${(await dead()).items[0]!.id}/response`);
    expect(await answer.text()).toBe('noted');
    const before = received.length;
    await send(port, oru('C7'));
    await until(() => received.length > before, 10_000);
  });

  test('held, a destination gets nothing until it is released', async () => {
    await ask('POST', '/admin/destinations/mindray.lis/hold');
    const before = received.length;
    await send(port, oru('C8'));
    await until(
      async () => (await ask('GET', '/admin/messages?controlId=C8')).body.items[0]!.state === 'processed',
      10_000,
    );
    await new Promise((wait) => setTimeout(wait, 300));
    expect(received).toHaveLength(before);
    await ask('POST', '/admin/destinations/mindray.lis/release');
    await until(() => received.length === before + 1, 10_000);
  });

  test('drained, it takes nothing more in, finishes, and is stopped; so it stays over a start', async () => {
    await ask('POST', '/admin/channels/mindray/drain');
    await expect(send(port, oru('C9'))).rejects.toThrow();
    await until(
      async () => (await ask('GET', '/admin/channels/mindray')).body.position === 'stopped',
      10_000,
    );
    await engine.stop();
    engine = await startEngine(data, { KIUNGO_CHANNELS: join(data, 'channels') });
    expect((await ask('GET', '/admin/channels/mindray')).body).toMatchObject({
      position: 'stopped',
      source: 'closed',
    });
    expect((await ask('POST', '/admin/channels/mindray/start')).body).toMatchObject({ source: 'open' });
  }, 90_000);
});

describe('watched', () => {
  test('counts come as they change', async () => {
    const response = await engine.fetch('/admin/events');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    const readUntil = async (sign: RegExp): Promise<void> => {
      while (!sign.test(seen)) seen += (await reader.read()).value ?? '';
    };
    await readUntil(/event: counts[^]*event: alerts/);
    seen = '';
    await send(engine.mllpPort, oru('L1'));
    await readUntil(/"hl7":\{"messages":\{[^}]*"processed":[1-9]/);
    await reader.cancel();
  });

  test('what a search finds is handed on again, as a job', async () => {
    const before = received.length;
    const begun = await ask('POST', '/admin/messages/$replay?patient=MRN-C1&destination=mindray.lis');
    expect([begun.status, begun.body.total]).toEqual([202, 1]);
    await until(() => received.length === before + 1, 10_000);
    expect(received.at(-1)?.body).toBe(oru('C1'));
    const { items } = (await ask('GET', '/admin/replays')).body;
    expect(items[0]).toMatchObject({ state: 'done', replayed: 1 });
    expect((await ask('POST', '/admin/messages/$replay')).status).toBe(400);
  });

  test('metrics tell of each channel and destination', async () => {
    const text = await (await engine.fetch('/metrics')).text();
    expect(text).toMatch(/kiungo_channel_messages\{channel="mindray",state="processed"\} [1-9]/);
    expect(text).toMatch(
      /kiungo_destination_deliveries\{destination="send:mindray.lis",state="done"\} [1-9]/,
    );
  });

  test('the engine stops at once although somebody watches', async () => {
    const response = await engine.fetch('/admin/events');
    const begin = performance.now();
    await engine.stop();
    expect(performance.now() - begin).toBeLessThan(8_000);
    await response.text();
    engine = await startEngine(data, { KIUNGO_CHANNELS: join(data, 'channels') });
  }, 60_000);
});

describe('a channel in a file', () => {
  test('wins, is shown as such, and is not changed by hand', async () => {
    const { body } = await ask('GET', '/admin/channels/night');
    expect(body.origin).toEqual({ kind: 'file', file: join(data, 'channels', 'night.yaml') });
    const change = await ask('PUT', '/admin/channels/night', body.definition);
    expect([change.status, JSON.stringify(change.body)]).toEqual([
      409,
      expect.stringContaining('night.yaml'),
    ]);
  });

  test('takes a file of batches, each message with a state of its own, and answers beside it', async () => {
    const folder = join(data, 'inbox', 'night');
    writeFileSync(join(folder, 'one.hl7'), `BHS|^~\\&|LAB\r${oru('F1')}${oru('F2')}BTS|2\r`);
    const found = async () => (await ask('GET', '/admin/messages?channel=night&state=processed')).body;
    await until(async () => (await found()).total === 2, 10_000);
    await until(() => readdirSync(join(folder, 'taken')).length === 1, 10_000);
    expect(readdirSync(join(folder, 'answers'))).toHaveLength(1);
    expect(readdirSync(folder).sort()).toEqual(['answers', 'refused', 'taken']);
  });
});

describe('refused', () => {
  test.each([
    ['what is no channel', { name: 'x', source: { kind: 'mllp' } }, 400, 'source'],
    ['a name that is taken', { name: 'night', source: { kind: 'http' } }, 409, 'already'],
    [
      'a path that is none',
      { name: 'x', source: { kind: 'http' }, filters: [{ path: 'PID', valued: true }] },
      400,
      'filters.0.path',
    ],
    ['an unknown word', { name: 'x', source: { kind: 'http' }, colour: 'red' }, 400, 'colour'],
  ])('%s', async (_name, body, expected, word) => {
    const answer = await ask('POST', '/admin/channels', body);
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([expected, expect.stringContaining(word)]);
  });

  test('an import with one that is no channel changes nothing', async () => {
    const channels = [{ name: 'one', source: { kind: 'http' } }, { name: 'two' }];
    expect((await ask('POST', '/admin/channels/$import', { channels })).status).toBe(400);
    expect((await ask('GET', '/admin/channels/one')).status).toBe(404);
    const exported = await ask('GET', '/admin/channels/$export');
    expect(exported.body.channels.map(({ name }) => name)).toEqual(['hl7', 'mindray', 'night']);
  });
});
