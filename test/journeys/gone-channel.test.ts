// A channel whose file is gone while messages of it wait, and a receiver that is not there: what operators are told, over restarts too, and
// that nothing is lost.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { createWardSystem } from '../../adapters/hl7/simulator/ward-system.ts';
import { newDataFolder, startEngine, until, type RunningEngine } from '../support/engine-process.ts';

const data = newDataFolder();
const file = join(data, 'channels', 'lab.yaml');
let engine: RunningEngine;
afterAll(() => engine.stop());

const start = async (): Promise<void> => {
  engine = await startEngine(data, { KIUNGO_CHANNELS: join(data, 'channels') });
};

interface Body {
  readonly items: readonly {
    readonly id: string;
    readonly name: string;
    readonly code: string;
    readonly subject: string;
    readonly since: string;
    readonly state: string;
    readonly attempts: number;
    readonly text: string;
  }[];
}

async function ask(
  method: string,
  path: string,
  content?: object,
): Promise<{ readonly status: number; readonly body: Body }> {
  const headers = { 'content-type': 'application/json' };
  const body = content === undefined ? {} : { headers, body: JSON.stringify(content) };
  const response = await engine.fetch(path, { method, ...body });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Body };
}

const give = async (controlId: string): Promise<number> => {
  const response = await engine.fetch('/admin/messages?channel=lab', {
    method: 'POST',
    headers: { 'content-type': 'application/hl7-v2' },
    body: `MSH|^~\\&|A|B|||20261121||ORU^R01|${controlId}|P|2.5\r`,
  });
  return response.status;
};
const alert = async (code: string): Promise<Body['items'][number] | undefined> =>
  (await ask('GET', '/admin/alerts')).body.items.find((one) => one.code === code);
const states = async (): Promise<readonly string[]> =>
  (await ask('GET', '/admin/messages?channel=lab')).body.items.map(({ state }) => state);
const deliveries = async (): Promise<Body['items']> =>
  (await ask('GET', '/admin/deliveries?destination=send:lab.his')).body.items;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

test('what waits of a channel whose file is gone waits until it is back, and somebody is told', async () => {
  const port = await freePort();
  mkdirSync(join(data, 'channels'));
  const to = `{ kind: mllp, host: 127.0.0.1, port: ${port} }`;
  const channel = `name: lab\nsource: { kind: http }\nmap: none\ndestinations: [{ name: his, to: ${to} }]\n`;
  writeFileSync(file, channel);
  await start();

  // The receiver is not there: that is known at once, and told within half a minute.
  await give('1');
  await until(async () => ((await deliveries())[0]?.attempts ?? 0) >= 2, 5_000);
  await until(async () => (await alert('connection-lost')) !== undefined, 30_000);
  const { since } = (await alert('connection-lost'))!;
  await ask('POST', '/admin/channels/lab/pause');
  await give('2');
  await engine.stop();

  rmSync(file);
  await start();
  expect((await alert('connection-lost'))?.since).toBe(since);
  await until(async () => (await alert('channel-gone')) !== undefined, 30_000);
  expect(await alert('channel-gone')).toMatchObject({ subject: 'lab' });
  expect((await alert('channel-gone'))!.text).toContain('1 message and 1 delivery wait');
  const { body } = await ask('GET', '/admin/channels');
  expect(body.items).toContainEqual(
    expect.objectContaining({ name: 'lab', origin: { kind: 'gone', file }, source: 'failed' }),
  );
  await ask('POST', '/admin/channels/lab/start');
  expect([await give('3'), (await ask('DELETE', '/admin/channels/lab')).status]).toEqual([503, 409]);
  expect([(await states()).toSorted(), (await deliveries()).map(({ state }) => state)]).toEqual([
    ['processed', 'received'],
    ['waiting'],
  ]);
  await engine.stop();

  writeFileSync(file, channel);
  const clock = { now: () => Date.now() };
  const receiver = createWardSystem({
    host: '127.0.0.1',
    port,
    clock,
    ids: { next: () => 'a', secret: () => 'a' },
  });
  await receiver.start();
  await start();
  await until(() => receiver.received().length === 2, 30_000);
  expect([await states(), receiver.received()]).toEqual([
    ['processed', 'processed'],
    ['1', '2'],
  ]);
  await receiver.stop();
}, 180_000);

describe('it ends, too, when', () => {
  const port = freePort();
  const gone = async (): Promise<void> => {
    await engine.stop();
    writeFileSync(file, 'name: lab\nsource: { kind: http }\nmap: none\n');
    await start();
    await ask('POST', '/admin/channels/lab/pause');
    await give(`g${(await states()).length}`);
    await engine.stop();
    rmSync(file);
    await start();
    await ask('POST', '/admin/channels/lab/start');
  };
  const isShown = async (): Promise<boolean> =>
    (await ask('GET', '/admin/channels')).body.items.some(({ name }) => name === 'lab');

  test('a person has parked what waits: then it is not shown any more, and can be forgotten', async () => {
    await gone();
    expect(await isShown()).toBe(true);
    const waiting = (await ask('GET', '/admin/messages?channel=lab&state=received')).body.items;
    for (const { id } of waiting) await ask('POST', `/admin/messages/${id}/park`);
    expect(await isShown()).toBe(false);
    expect((await ask('GET', '/admin/channels/lab')).status).toBe(200);
    expect((await ask('DELETE', '/admin/channels/lab')).status).toBe(204);
    expect((await ask('GET', '/admin/channels/lab')).status).toBe(404);
  }, 60_000);

  test('the channel is made anew: what waited goes its way', async () => {
    await gone();
    expect(await states()).toContain('received');
    const to = { kind: 'mllp', host: '127.0.0.1', port: await port };
    const definition = {
      name: 'lab',
      source: { kind: 'http' },
      map: 'none',
      destinations: [{ name: 'new', to }],
    };
    expect((await ask('POST', '/admin/channels', definition)).status).toBe(201);
    await until(async () => !(await states()).includes('received'), 10_000);
    expect((await ask('GET', '/admin/deliveries?destination=send:lab.new')).body.items).toHaveLength(1);
  }, 60_000);
});
