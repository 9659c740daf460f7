// The power is cut at random moments under load: nothing acknowledged is lost, nothing is doubled.
import { expect, test } from '@jest/globals';
import type { Bundle } from '@medplum/fhirtypes';
import { newDataFolder, startEngine, until, type RunningEngine } from '../support/engine-process.ts';
import { codeOf, MllpClient } from '../support/mllp-client.ts';

const kills = 5;
const senders = 4;

const oru = (control: string): string =>
  [
    'MSH|^~\\&|BC-5380|Mindray|||20260112083000||ORU^R01|' + control + '|P|2.3.1||||||UNICODE',
    `PID|1||MRN-${control}^^^^MR||Test^Patient||19870412000000|Female`,
    `OBR|1||${control}|00001^Automated Count^99MRC|||20260112083000|||||||||||||||||HM||||||||Technician`,
    'OBX|1|NM|6690-2^WBC^LN||5.10|10*3/uL|4.00-10.00|N|||F',
    'OBX|2|NM|718-7^HGB^LN||12.1|g/dL|11.0-16.0|N|||F',
    '',
  ].join('\r');

/** Sends one message after the other until the connection is lost; every answer is written down before the next is sent. */
async function sendUntilCut(
  engine: RunningEngine,
  sender: number,
  acknowledged: Set<string>,
  sent: Set<string>,
): Promise<void> {
  const client = new MllpClient(engine.mllpPort);
  try {
    for (;;) {
      const control = `K${sender}-${sent.size}`;
      sent.add(control);
      if (codeOf(await client.send(oru(control))) === 'AA') acknowledged.add(control);
    }
  } catch {
    client.close();
  }
}

test(`after ${kills} power cuts everything acknowledged is there, once`, async () => {
  const data = newDataFolder();
  const acknowledged = new Set<string>();
  const sent = new Set<string>();
  for (let cut = 0; cut < kills; cut += 1) {
    const engine = await startEngine(data);
    const sending = Array.from({ length: senders }, (_, sender) =>
      sendUntilCut(engine, sender, acknowledged, sent),
    );
    await new Promise((wait) => setTimeout(wait, 200 + Math.random() * 800));
    await engine.kill();
    await Promise.all(sending);
  }
  expect(acknowledged.size).toBeGreaterThan(kills);

  const engine = await startEngine(data);
  const count = async (path: string): Promise<number> =>
    ((await (await engine.fetch(path)).json()) as { total: number }).total;
  await until(
    async () => (await count('/admin/messages?state=received&_count=1')) === 0,
    60_000,
    engine.output,
  );
  const kept = new Set<string>();
  for (let offset = 0; ; offset += 100) {
    const page = (await (await engine.fetch(`/admin/messages?_count=100&_offset=${offset}`)).json()) as {
      items: { controlId: string; state: string }[];
    };
    for (const { controlId, state } of page.items) {
      expect(state).toBe('processed');
      expect(kept.has(controlId)).toBe(false);
      kept.add(controlId);
    }
    if (page.items.length < 100) break;
  }
  expect([...acknowledged].filter((control) => !kept.has(control))).toEqual([]);
  const reports = (await (
    await engine.fetch('/fhir/R4/DiagnosticReport?_total=accurate&_count=1')
  ).json()) as Bundle;
  const results = (await (
    await engine.fetch('/fhir/R4/Observation?_total=accurate&_count=1')
  ).json()) as Bundle;
  expect(reports.total).toBe(kept.size);
  expect(results.total).toBe(2 * kept.size);
  await engine.stop();
}, 240_000);
