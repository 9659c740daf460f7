// Batches over MLLP while the power is cut: of an acknowledged batch every message is there, once; of any batch all or none.
import { expect, test } from '@jest/globals';
import { newDataFolder, startEngine, until, type RunningEngine } from '../support/engine-process.ts';
import { MllpClient } from '../support/mllp-client.ts';

const kills = 3;
const perBatch = 5;

const oru = (control: string): string =>
  [
    `MSH|^~\\&|BC-5380|Mindray|||20260112083000||ORU^R01|${control}|P|2.3.1||||||UNICODE`,
    `PID|1||MRN-${control}^^^^MR||Test^Patient||19870412000000|Female`,
    `OBR|1||${control}|00001^Automated Count^99MRC|||20260112083000|||||||||||||||||HM||||||||Technician`,
    'OBX|1|NM|6690-2^WBC^LN||5.10|10*3/uL|4.00-10.00|N|||F',
    '',
  ].join('\r');

const batch = (name: string): string =>
  `BHS|^~\\&|LAB|H|||20260112083000||||${name}\r` +
  Array.from({ length: perBatch }, (_, at) => oru(`${name}-${at}`)).join('') +
  `BTS|${perBatch}\r`;

async function sendUntilCut(
  engine: RunningEngine,
  acknowledged: Set<string>,
  sent: Set<string>,
): Promise<void> {
  const client = new MllpClient(engine.mllpPort);
  try {
    for (;;) {
      const name = `B${sent.size}`;
      sent.add(name);
      const answer = await client.send(batch(name));
      if (answer.startsWith('BHS') && answer.split('MSA|AA|').length === perBatch + 1) acknowledged.add(name);
    }
  } catch {
    client.close();
  }
}

test(`after ${kills} power cuts`, async () => {
  const data = newDataFolder();
  const acknowledged = new Set<string>();
  const sent = new Set<string>();
  for (let cut = 0; cut < kills; cut += 1) {
    const engine = await startEngine(data);
    const sending = [1, 2].map(() => sendUntilCut(engine, acknowledged, sent));
    const before = acknowledged.size;
    await until(() => acknowledged.size > before, 20_000);
    await new Promise((wait) => setTimeout(wait, Math.random() * 300));
    await engine.kill();
    await Promise.all(sending);
  }
  const engine = await startEngine(data);
  // What was not acknowledged is sent again, as its sender would.
  const client = new MllpClient(engine.mllpPort);
  for (const name of [...sent].filter((one) => !acknowledged.has(one))) await client.send(batch(name));
  client.close();
  const items: { controlId: string; state: string }[] = [];
  const ask = async (query: string) =>
    (await (await engine.fetch(`/admin/messages?${query}`)).json()) as { total: number; items: typeof items };
  await until(async () => (await ask('state=received&_count=1')).total === 0, 90_000);
  for (let offset = 0; ; offset += 500) {
    const page = await ask(`_count=500&_offset=${offset}`);
    items.push(...page.items);
    if (page.items.length < 500) break;
  }
  const expected = [...sent].flatMap((name) => Array.from({ length: perBatch }, (_, at) => `${name}-${at}`));
  expect(items.map(({ controlId }) => controlId).sort()).toEqual(expected.sort());
  expect(new Set(items.map(({ state }) => state))).toEqual(new Set(['processed']));
  await engine.stop();
}, 240_000);
