// How many small messages a second the outbox hands over MLLP, sent, acknowledged and settled: in one lane, and in eight.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { silentLogger } from '../../engine/kernel/logger.ts';
import { openSqliteStore } from '../../engine/storage/sqlite/open.ts';
import { newFolder, processorSeconds, startMeasured } from '../engine.ts';
import type { Received } from '../load/mllp-receiver.ts';
import type { Figure } from '../report.ts';

const count = 10_000;
const limitMs = 120_000;

export async function measureDeliveries(): Promise<Figure[]> {
  return [
    await handOver(1, { name: 'small messages handed over MLLP, in one lane', target: 500 }),
    await handOver(8, { name: 'the same to eight receivers, a lane each', target: 1_000 }),
  ];
}

async function handOver(lanes: number, figure: Pick<Figure, 'name' | 'target'>): Promise<Figure> {
  const folder = newFolder();
  const receiver = fork(resolve('bench/load/mllp-receiver.ts'));
  try {
    const { port } = await told<{ readonly port: number }>(receiver);
    await fill(folder.path, lanes);
    const destinations = Array.from({ length: lanes }, (_, lane) => `d${lane}=mllp://127.0.0.1:${port}`);
    const engine = await startMeasured(folder.path, { KIUNGO_DESTINATIONS: destinations.join(',') });
    const { count: handed, firstAt, lastAt } = await untilReceived(receiver);
    const seconds = (lastAt - firstAt) / 1000;
    const each = (processorSeconds(engine.pid) / Math.max(1, handed)) * 1000;
    await engine.stop();
    const remarks = `${handed} in ${seconds.toFixed(1)} s; with its start ${each.toFixed(2)} ms of processor each`;
    return { ...figure, value: handed / seconds, unit: 'deliveries/s', better: 'more', remarks };
  } finally {
    receiver.kill();
    folder.remove();
  }
}

/** They wait when the engine starts. */
async function fill(data: string, lanes: number): Promise<void> {
  const clock = { now: () => Date.now() };
  const store = await openSqliteStore({
    file: join(data, 'store', 'hospital.sqlite'),
    clock,
    logger: silentLogger,
  });
  await store.transact(async ({ messages }) => {
    for (let number = 0; number < count; number += 1) {
      const destination = `send:d${number % lanes}`;
      await messages.enqueue({
        ...{ id: `d${number}`, destination, lane: destination, createdAt: clock.now(), cause: 'bench' },
        ...{ contentType: 'application/hl7-v2', payload: smallMessage(`d${number}`) },
      });
    }
  });
  await store.close();
}

const smallMessage = (controlId: string): Buffer =>
  Buffer.from(
    `MSH|^~\\&|KIUNGO|HOSPITAL|LIS|LAB|20261121083000||ORU^R01|${controlId}|P|2.3.1\r` +
      'PID|1||7393670^^^^MR||Example^Amina\rOBR|1||S1|CBC\rOBX|1|NM|WBC||5.1|10*9/L|||||F\r',
  );

async function untilReceived(receiver: ChildProcess): Promise<Received> {
  for (const end = performance.now() + limitMs; ;) {
    const answer = told<Received>(receiver);
    receiver.send('how many?');
    const received = await answer;
    if (received.count >= count || performance.now() > end) return received;
    await new Promise((wait) => setTimeout(wait, 100));
  }
}

const told = async <Message>(receiver: ChildProcess): Promise<Message> =>
  (await once(receiver, 'message'))[0] as Message;
