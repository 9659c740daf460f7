// ORU^R01 with 20 OBX over MLLP: acknowledged, mapped, stored as FHIR.
import { processorSeconds, type MeasuredEngine } from '../engine.ts';
import { runLoad } from '../load/figures.ts';
import { MllpConnection } from '../load/mllp-connection.ts';
import { untilProcessed } from '../load/processed.ts';
import type { Figure } from '../report.ts';
import { sampleOru } from '../samples.ts';

const clients = 4;
const seconds = Number(process.env['BENCH_SECONDS'] ?? 10);
const drainLimitMs = 120_000;

export async function measureMessages(start: () => Promise<MeasuredEngine>): Promise<Figure[]> {
  const engine = await start();
  const connections = Array.from({ length: clients }, () => new MllpConnection(engine.mllpPort));
  const begin = performance.now();
  const before = processorSeconds(engine.pid);
  let sent = 0;
  const load = await runLoad(clients, seconds, async (client) => {
    sent += 1;
    return (await connections[client]?.send(sampleOru(`c${sent}`, `s${sent}`))) === true;
  });
  for (const connection of connections) connection.close();
  const stored = await untilProcessed(engine, await engine.token(), sent, drainLimitMs);
  const tookSeconds = (performance.now() - begin) / 1000;
  const each = ((processorSeconds(engine.pid) - before) / Math.max(1, stored)) * 1000;
  await engine.stop();
  return [
    {
      name: 'ORU with 20 OBX, stored as FHIR',
      value: stored / tookSeconds,
      unit: 'messages/s',
      target: 150,
      better: 'more',
      remarks: `${stored} of ${sent} stored in ${tookSeconds.toFixed(1)} s; ${load.perSecond.toFixed(0)}/s acknowledged meanwhile, engine ${each.toFixed(2)} ms of processor a message`,
    },
    {
      name: 'the same, acknowledged, p99',
      value: load.p99Ms,
      unit: 'ms',
      target: 20,
      better: 'less',
      remarks: `p50 ${load.p50Ms.toFixed(1)} ms, ${load.errors} not accepted, ${clients} connections as fast as they can`,
    },
  ];
}

/** What a sender sees while nothing is worked on: bytes durable, answer back. */
export async function measureKeeping(start: () => Promise<MeasuredEngine>): Promise<Figure[]> {
  const engine = await start();
  await switchChannel(engine, 'pause');
  const many = await keepFrom(engine, 16);
  const one = await keepFrom(engine, 1);
  await engine.stop();
  return [
    {
      name: 'ORU with 20 OBX, kept and acknowledged alone',
      value: many.perSecond,
      unit: 'messages/s',
      target: 4_000,
      better: 'more',
      remarks: `16 connections; p50 ${many.p50Ms.toFixed(1)} ms, p99 ${many.p99Ms.toFixed(1)} ms, ${many.errors} not accepted`,
    },
    {
      name: 'the same on one connection, p50',
      value: one.p50Ms,
      unit: 'ms',
      target: 2,
      better: 'less',
      remarks: `${one.perSecond.toFixed(0)}/s`,
    },
  ];
}

async function keepFrom(engine: MeasuredEngine, connections: number): ReturnType<typeof runLoad> {
  const open = Array.from({ length: connections }, () => new MllpConnection(engine.mllpPort));
  let sent = 0;
  const load = await runLoad(connections, seconds, async (client) => {
    sent += 1;
    return (await open[client]?.send(sampleOru(`k${connections}-${sent}`, `s${sent}`))) === true;
  });
  for (const connection of open) connection.close();
  return load;
}

async function switchChannel(engine: MeasuredEngine, command: string): Promise<void> {
  const url = `http://127.0.0.1:${engine.port}/admin/channels/hl7/${command}`;
  await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${await engine.token()}` } });
}
