// Queries over the real engine: an analyser asks for the work of a sample, gets it, and takes it; a ward system asks who a patient is.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newDataFolder, startEngine, until, type RunningEngine } from '../support/engine-process.ts';
import { codeOf, MllpClient } from '../support/mllp-client.ts';

/** The analyser's side of LAB-28: takes each order and answers ORL^O34. */
const orders: string[] = [];
const analyser = createServer((socket) => {
  let received = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString();
    const end = received.indexOf('\u001c');
    if (end < 0) return;
    const order = received.slice(received.indexOf('\u000b') + 1, end);
    received = received.slice(end + 2);
    orders.push(order);
    const control = order.split('|')[9] ?? '';
    socket.write(
      `\u000bMSH|^~\\&|X800||KIUNGO||20260412100000||ORL^O34^ORL_O42|a1|P|2.5.1\rMSA|AA|${control}\rORC|OK|OR-1|||SC\r\u001c\r`,
    );
  });
});

const data = newDataFolder();
let engine: RunningEngine;
let client: MllpClient;

beforeAll(async () => {
  await new Promise<void>((done) => analyser.listen(0, '127.0.0.1', done));
  const { port } = analyser.address() as AddressInfo;
  mkdirSync(join(data, 'channels'));
  writeFileSync(
    join(data, 'channels', 'law.yaml'),
    `
name: law
source: { kind: mllp, port: 0 }
queries: { demographics: true, work: analyser }
destinations:
  - { name: analyser, to: { kind: mllp, host: 127.0.0.1, port: ${port} }, when: [{ path: MSH-9.1, is: [never] }] }
`,
  );
  engine = await startEngine(data, { KIUNGO_CHANNELS: join(data, 'channels') });
  const channel = (await (await engine.fetch('/admin/channels/law')).json()) as { readonly port: number };
  client = new MllpClient(channel.port);
}, 90_000);

afterAll(async () => {
  client.close();
  await engine.stop();
  analyser.close();
});

const message = (type: string, control: string, ...segments: readonly string[]): string =>
  [`MSH|^~\\&|X800|LAB|KIUNGO|KCH|20260412100000+0300||${type}|${control}|P|2.5.1`, ...segments, ''].join(
    '\r',
  );

test('an order that came in is given to the analyser that holds the sample', async () => {
  const order = message(
    'OML^O21^OML_O21',
    'o1',
    'PID|1||7393670^^^^MR||Wanjiru^Amina||19880412|F',
    'ORC|NW|OR-1|||||||20260412093000',
    'OBR|1|OR-1||70241-5^HIV^LN',
    'SPM|1|2611-17||PLAS^Plasma^HL70487',
  );
  expect(codeOf(await client.send(order))).toBe('AA');
  const waiting = async (): Promise<boolean> => {
    const found = await engine.fetch(
      '/fhir/R4/ServiceRequest?specimen.identifier=urn:kiungo:barcode%7C2611-17',
    );
    return (
      ((await found.json()) as { readonly total?: number; readonly entry?: unknown[] }).entry?.length === 1
    );
  };
  await until(waiting, 20_000, engine.output);

  const answer = await client.send(
    message(
      'QBP^Q11^QBP_Q11',
      'q1',
      'QPD|WOS^Work Order Step^IHE_LABTF|T1|2611-17',
      'RCP|I||R^Real Time^HL70394',
    ),
  );
  expect(answer).toContain('|RSP^K11^RSP_K11|');
  expect(answer).toContain('\rMSA|AA|q1\rQAK|T1|OK|WOS^Work Order Step^IHE_LABTF\r');

  await until(() => orders.length === 1, 20_000, engine.output);
  expect(orders[0]).toContain(
    '\rSAC|||2611-17\rORC|NW|OR-1|||||||20260412093000+0300\rOBR||OR-1||70241-5^HIV^LN\r',
  );
  await until(async () => (await deliveries()).some(({ state }) => state === 'done'), 20_000, engine.output);
}, 60_000);

test('a ward system learns who the patient is; the channel of the settings tells nobody', async () => {
  const query = message('QBP^Q22^QBP_Q21', 'q2', 'QPD|IHE PDQ Query|T2|@PID.5.1^wanj*', 'RCP|I');
  const answer = await client.send(query);
  expect(answer).toContain('\rQAK|T2|OK|IHE PDQ Query|1|1|0\r');
  expect(answer).toContain('||Wanjiru^Amina||19880412|F\r');

  const usual = new MllpClient(engine.mllpPort);
  const refused = await usual.send(query);
  usual.close();
  expect(codeOf(refused)).toBe('AR');
  expect(refused).not.toContain('Wanjiru');
}, 60_000);

async function deliveries(): Promise<readonly { readonly state: string }[]> {
  const listed = await engine.fetch('/admin/deliveries?destination=send:law.analyser');
  return ((await listed.json()) as { readonly items?: readonly { readonly state: string }[] }).items ?? [];
}
