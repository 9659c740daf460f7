// What receivers answer to orders, in the real engine: ORL and ORR over MLLP and a resource over HTTP become the order's Task.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newDataFolder, startEngine, until, type RunningEngine } from '../support/engine-process.ts';

const number = 'urn:kiungo:order-number';

/** Answers each order over MLLP with ORC-1 by its number: `OK` takes it, `UA` says that it cannot be done. */
const laboratory = createServer((socket) => {
  let received = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString();
    const end = received.indexOf('\u001c');
    if (end < 0) return;
    const order = received.slice(1, end);
    received = received.slice(end + 2);
    const fields = order.split('\r')[0]?.split('|') ?? [];
    const placed = /\rORC\|\w\w\|([^|\r]+)/.exec(order)?.[1] ?? '';
    const type = fields[8]?.startsWith('ORM') === true ? 'ORR^O02^ORR_O02' : 'ORL^O22^ORL_O22';
    const said = placed.endsWith('X')
      ? `ORC|UA|${placed}${'|'.repeat(14)}^Out of reagent`
      : `ORC|OK|${placed}|L-1`;
    socket.write(
      `\u000bMSH|^~\\&|LAB||KIUNGO||20260112083001||${type}|a1|P|2.5.1\rMSA|AA|${fields[9]}\r${said}\r\u001c\r`,
    );
  });
});

/** A department that answers in FHIR. */
const imaging = createHttpServer((_request, response) => {
  const task = {
    resourceType: 'Task',
    status: 'accepted',
    intent: 'order',
    focus: { identifier: { system: number, value: 'RAD-1' } },
  };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(task));
});

const portOf = (server: Server): Promise<number> =>
  new Promise((done) => server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port)));

/** The map of docs/channels.md, file by file. */
function writeDocumentedMap(folder: string): void {
  const page = readFileSync('docs/channels.md', 'utf8');
  const [, whole = ''] = /```yaml\n# hl7v2\/messages\/task-answer\.yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const [message = '', resource = ''] = whole.split(/# hl7v2\/segments\/Answered-Task\.yaml\n/);
  mkdirSync(join(folder, 'hl7v2', 'messages'), { recursive: true });
  mkdirSync(join(folder, 'hl7v2', 'segments'));
  writeFileSync(join(folder, 'hl7v2', 'messages', 'task-answer.yaml'), message);
  writeFileSync(join(folder, 'hl7v2', 'segments', 'Answered-Task.yaml'), resource);
}

const data = newDataFolder();
let engine: RunningEngine;

beforeAll(async () => {
  const [lab, rad] = [await portOf(laboratory), await portOf(imaging)];
  const overlays = join(data, 'maps');
  writeDocumentedMap(overlays);
  const channels = join(data, 'channels');
  mkdirSync(channels);
  const channel = (name: string, more: string): void =>
    writeFileSync(join(channels, `${name}.yaml`), `name: ${name}\nsource: { kind: http }\n${more}`);
  const sending = (name: string, to: string, response: string): void =>
    channel(name, `map: none\ndestinations: [{ name: there, to: ${to}, response: ${response} }]\n`);
  channel('answers', '');
  channel('imaging-answers', 'map: task-answer\n');
  sending('orders', `{ kind: mllp, host: 127.0.0.1, port: ${lab} }`, 'answers');
  sending('imaging', `{ kind: http, url: 'http://127.0.0.1:${rad}/orders' }`, 'imaging-answers');
  engine = await startEngine(data, { KIUNGO_CHANNELS: channels, KIUNGO_MAP_OVERLAYS: overlays });
}, 90_000);

afterAll(async () => {
  await engine.stop();
  laboratory.close();
  imaging.close();
});

interface Task {
  readonly status: string;
  readonly statusReason?: { readonly text?: string };
}

async function tasksOf(order: string): Promise<readonly Task[]> {
  const found = await engine.fetch(`/fhir/R4/Task?focus=ServiceRequest/${order}`);
  const { entry = [] } = (await found.json()) as { readonly entry?: readonly { readonly resource: Task }[] };
  return entry.map(({ resource }) => resource);
}

test.each<[rule: string, channel: string, type: string, order: string, expected: object]>([
  ['an ORL^O22 that takes the order', 'orders', 'OML^O21^OML_O21', 'LAB-1', { status: 'accepted' }],
  [
    'an ORL^O22 that refuses it, and why',
    'orders',
    'OML^O21^OML_O21',
    'LAB-2X',
    { status: 'rejected', statusReason: { text: 'Out of reagent' } },
  ],
  ['an ORR^O02 that takes the order', 'orders', 'ORM^O01^ORM_O01', 'LAB-3', { status: 'accepted' }],
  [
    'a Task in JSON, by the map that the channel names',
    'imaging',
    'OML^O21^OML_O21',
    'RAD-1',
    { status: 'accepted' },
  ],
])('%s', async (_rule, channel, type, order, expected) => {
  const request = {
    resourceType: 'ServiceRequest',
    id: order,
    status: 'active',
    intent: 'order',
    identifier: [{ system: number, value: order }],
    subject: { display: 'A patient' },
  };
  const headers = { 'content-type': 'application/fhir+json' };
  const put = { method: 'PUT', headers, body: JSON.stringify(request) };
  expect((await engine.fetch(`/fhir/R4/ServiceRequest/${order}`, put)).status).toBe(201);
  const raw = `MSH|^~\\&|KIUNGO|||LAB|20260112083000||${type}|${order}|P|2.5.1\rPID|1||7^^^^MR\rORC|NW|${order}\rOBR|1|${order}\r`;
  const message = { method: 'POST', headers: { 'content-type': 'application/hl7-v2' }, body: raw };
  const taken = await engine.fetch(`/admin/messages?channel=${channel}`, message);
  expect(taken.status).toBe(202);
  await until(async () => (await tasksOf(order)).length === 1, 20_000, engine.output);
  expect(await tasksOf(order)).toMatchObject([expected]);
  // The answer is a message, caused by the delivery that it answers.
  const lineage = (await (await engine.fetch(`${taken.headers.get('location') ?? ''}/lineage`)).json()) as {
    readonly nodes: readonly { readonly kind: string; readonly id: string }[];
  };
  const led = lineage.nodes.map(({ kind, id }) => (kind === 'resource' ? id.split('/')[0] : kind));
  expect(led).toEqual(expect.arrayContaining(['message', 'delivery', 'Task']));
});
