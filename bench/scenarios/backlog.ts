// Whether a backlog drains as fast when it is long: messages that wait in the store are worked on from the start of the engine on.
// BENCH_BACKLOG says how long the long one is.
import { join } from 'node:path';
import { silentLogger } from '../../engine/kernel/logger.ts';
import type { MessageRecord } from '../../engine/storage/message-store.ts';
import { openSqliteStore } from '../../engine/storage/sqlite/open.ts';
import { newFolder, processorSeconds, startMeasured, type MeasuredEngine } from '../engine.ts';
import { processedBy, untilProcessed } from '../load/processed.ts';
import type { Figure } from '../report.ts';
import { sampleOru } from '../samples.ts';

const short = 1_000;
const long = Number(process.env['BENCH_BACKLOG'] ?? 1_000_000);
/** Of the backlog, how many are waited for. */
const watched = 1_000;
const limitMs = 120_000;

export async function measureBacklog(): Promise<Figure[]> {
  const [few, many] = [await drain(short), await drain(long)];
  return [
    {
      name: `a backlog of ${long} messages drains, against one of ${short}`,
      value: many.perSecond / few.perSecond,
      unit: 'of its rate',
      target: 0.9,
      better: 'more',
      remarks: `${many.perSecond.toFixed(0)}/s and ${few.perSecond.toFixed(0)}/s; ${many.eachMs.toFixed(2)} and ${few.eachMs.toFixed(2)} ms of processor a message`,
    },
  ];
}

interface Drained {
  readonly perSecond: number;
  readonly eachMs: number;
}

async function drain(count: number): Promise<Drained> {
  const folder = newFolder();
  try {
    await fill(folder.path, count);
    const engine = await startMeasured(folder.path);
    const drained = await watch(engine, count);
    await engine.stop();
    return drained;
  } finally {
    folder.remove();
  }
}

/** From the first look at it on: what the engine needs to start is another figure. */
async function watch(engine: MeasuredEngine, count: number): Promise<Drained> {
  const token = await engine.token();
  const first = await processedBy(engine, token);
  const [begin, before] = [performance.now(), processorSeconds(engine.pid)];
  const last = await untilProcessed(engine, token, Math.min(count, first + watched), limitMs);
  const done = Math.max(1, last - first);
  return {
    perSecond: done / ((performance.now() - begin) / 1000),
    eachMs: ((processorSeconds(engine.pid) - before) / done) * 1000,
  };
}

async function fill(folder: string, count: number): Promise<void> {
  const file = join(folder, 'store', 'hospital.sqlite');
  const store = await openSqliteStore({ file, clock: { now: () => start }, logger: silentLogger });
  for (let from = 0; from < count; from += 1_000) {
    await store.transact(async ({ messages }) => {
      for (let at = from; at < Math.min(count, from + 1_000); at += 1) {
        const raw = Buffer.from(sampleOru(`b${at}`, `s${at}`));
        await messages.keep(recordOf(at, raw), raw);
      }
    });
  }
  await store.close();
}

const start = Date.UTC(2026, 0, 1);

const recordOf = (at: number, raw: Buffer): MessageRecord => ({
  id: `m${at}`,
  channel: 'hl7',
  peer: '10.0.0.7:4711',
  receivedAt: start + at,
  controlId: `b${at}`,
  messageType: 'ORU^R01',
  format: 'application/hl7-v2',
  digest: `d${at}`,
  size: raw.length,
  state: 'received',
  reason: undefined,
  attempts: 0,
  dueAt: start + at,
  acknowledgement: 'sent',
  answer: undefined,
  map: undefined,
  effects: [],
  replayOf: undefined,
  batch: undefined,
  changedBy: undefined,
});
