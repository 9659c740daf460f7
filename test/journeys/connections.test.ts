// The real engine and partners of other kinds than MLLP and HTTP: what it fetches, and what it hands over.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createSftpServer } from '../../adapters/sftp/simulator/sftp-server.ts';
import { newDataFolder, startEngine, until, type RunningEngine } from '../support/engine-process.ts';

const oru = (control: string): string =>
  [
    `MSH|^~\\&|BC-5380|Mindray|||20260112083000||ORU^R01|${control}|P|2.3.1||||||UNICODE`,
    `PID|1||MRN-${control}^^^^MR||Test^Patient||19870412000000|Female`,
    `OBR|1||${control}|00001^Automated Count^99MRC|||20260112083000|||||||||||||||||HM||||||||Technician`,
    'OBX|1|NM|6690-2^WBC^LN||5.10|10*3/uL|4.00-10.00|N|||F',
    '',
  ].join('\r');

const partner = mkdtempSync(join(tmpdir(), 'kiungo-partner-'));
const server = createSftpServer({ folder: partner, user: 'hospital', password: 'open sesame' });
const data = newDataFolder();
let engine: RunningEngine;

beforeAll(async () => {
  for (const folder of ['out', 'in']) mkdirSync(join(partner, folder));
  const { port, hostKey } = await server.start();
  const place = { kind: 'sftp', host: '127.0.0.1', port, user: 'hospital', hostKey };
  const channel = {
    name: 'partner',
    source: { ...place, password: '{secret:partner}', folder: '/out', everySeconds: 0.2 },
    destinations: [{ name: 'back', to: { ...place, password: '{secret:partner}', folder: '/in' } }],
  };
  for (const folder of ['channels', 'secrets']) mkdirSync(join(data, folder));
  writeFileSync(join(data, 'secrets', 'partner'), 'open sesame\n');
  writeFileSync(join(data, 'channels', 'partner.json'), JSON.stringify(channel));
  const body = 'MSH|^~\\&|K||||{time:hl7}||ZZZ^Z01|{id}|P|2.5\n';
  const pulse = { name: 'pulse', source: { kind: 'timer', everySeconds: 1, body }, map: 'none' };
  writeFileSync(join(data, 'channels', 'pulse.json'), JSON.stringify(pulse));
  engine = await startEngine(data, { KIUNGO_CHANNELS: join(data, 'channels') });
}, 90_000);

afterAll(async () => {
  await server.stop();
  await engine.stop();
  rmSync(partner, { recursive: true });
});

test('a file of a partner is taken over SFTP, stored, and handed back over SFTP', async () => {
  writeFileSync(join(partner, 'out', 'a.hl7'), oru('S-1'));
  await until(() => readdirSync(join(partner, 'in')).some((name) => name.endsWith('.hl7')), 15_000);
  const [name = ''] = readdirSync(join(partner, 'in'));
  expect(readFileSync(join(partner, 'in', name), 'utf8')).toBe(oru('S-1'));
  expect(readdirSync(join(partner, 'out'))).toEqual(['taken']);
  const found = await engine.fetch('/admin/messages?channel=partner&controlId=S-1');
  expect(await found.json()).toMatchObject({ total: 1, items: [{ state: 'processed' }] });
});

test('a timer makes its messages, each once, over a restart as by a power cut', async () => {
  const times = async (): Promise<readonly string[]> => {
    const answer = await engine.fetch('/admin/messages?channel=pulse&_count=100');
    const { items } = (await answer.json()) as { items: readonly { peer: string; state: string }[] };
    return items.map(({ peer }) => peer);
  };
  await until(async () => (await times()).length >= 2, 15_000);
  await engine.kill();
  engine = await startEngine(data, { KIUNGO_CHANNELS: join(data, 'channels') });
  const before = (await times()).length;
  await until(async () => (await times()).length > before + 1, 15_000);
  const all = await times();
  expect(new Set(all).size).toBe(all.length);
});
