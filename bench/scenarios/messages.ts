// ORU^R01 with 20 OBX over MLLP: acknowledged, mapped, stored as FHIR.
import type { MeasuredEngine } from '../engine.ts';
import { runLoad } from '../load/figures.ts';
import { MllpConnection } from '../load/mllp-connection.ts';
import type { Figure } from '../report.ts';
import { sampleOru } from '../samples.ts';

const clients = 4;
const seconds = 10;
const drainLimitMs = 120_000;

export async function measureMessages(start: () => Promise<MeasuredEngine>): Promise<Figure[]> {
  const engine = await start();
  const connections = Array.from({ length: clients }, () => new MllpConnection(engine.mllpPort));
  const begin = performance.now();
  let sent = 0;
  const load = await runLoad(clients, seconds, async (client) => {
    sent += 1;
    return (await connections[client]?.send(sampleOru(`c${sent}`, `s${sent}`))) === true;
  });
  for (const connection of connections) connection.close();
  const stored = await untilStored(engine, sent);
  const tookSeconds = (performance.now() - begin) / 1000;
  await engine.stop();
  return [
    {
      name: 'ORU with 20 OBX, stored as FHIR',
      value: stored / tookSeconds,
      unit: 'messages/s',
      target: 60,
      better: 'more',
      remarks: `${stored} of ${sent} stored in ${tookSeconds.toFixed(1)} s; ${load.perSecond.toFixed(0)}/s acknowledged meanwhile`,
    },
    {
      name: 'the same, acknowledged, p99',
      value: load.p99Ms,
      unit: 'ms',
      target: 50,
      better: 'less',
      remarks: `p50 ${load.p50Ms.toFixed(1)} ms, ${load.errors} not accepted, ${clients} connections as fast as they can`,
    },
  ];
}

/** Waits until all are processed, within a limit; answers how many are. */
async function untilStored(engine: MeasuredEngine, sent: number): Promise<number> {
  const end = performance.now() + drainLimitMs;
  const authorization = `Bearer ${await engine.token()}`;
  for (;;) {
    const url = `http://127.0.0.1:${engine.port}/admin/messages?state=processed&_count=1`;
    const response = await fetch(url, { headers: { authorization } });
    const { total } = (await response.json()) as { total: number };
    if (total >= sent || performance.now() > end) return total;
    await new Promise((wait) => setTimeout(wait, 100));
  }
}
