// A message of many megabytes (a picture in OBX-5, as base64) on its whole way, against smaller ones: time linear, memory bounded.
import { peakMegabytes, type MeasuredEngine } from '../engine.ts';
import { MllpConnection } from '../load/mllp-connection.ts';
import { untilProcessed } from '../load/processed.ts';
import type { Figure } from '../report.ts';
import { pictureOru } from '../samples.ts';

const megabytes = [5, 10, 25, 50] as const;
const limitMs = 120_000;
/** How much more a megabyte of the largest may cost than a megabyte of the smallest. */
const steepest = 1.5;
/** Of the largest: as bytes, text, resource, row and what the garbage collector has not taken yet. */
const mostMemory = 900;

interface Taken {
  readonly acknowledgedMs: number;
  readonly processedMs: number;
  readonly peak: number;
}

/** Each by an engine of its own, whose memory has seen no larger one; the first, small message warms it up. */
export async function measureLarge(start: () => Promise<MeasuredEngine>): Promise<Figure[]> {
  const taken = new Map<number, Taken>();
  for (const size of megabytes) taken.set(size, await sendOne(await start(), size));
  const eachMs = (size: number): number => (taken.get(size)?.processedMs ?? 0) / size;
  const [least, , , most] = megabytes;
  return [
    {
      name: `a message of ${most} MB, time for a megabyte against one of ${least} MB`,
      value: eachMs(most) / eachMs(least),
      unit: 'times',
      target: steepest,
      better: 'less',
      remarks: [...taken].map(([size, one]) => said(size, one)).join('; '),
    },
    {
      name: `memory of the engine, at most, with a message of ${most} MB`,
      value: taken.get(most)?.peak ?? 0,
      unit: 'MB',
      target: mostMemory,
      better: 'less',
    },
  ];
}

const said = (size: number, { acknowledgedMs, processedMs, peak }: Taken): string =>
  `${size} MB: answered after ${acknowledgedMs.toFixed(0)} ms, stored after ${processedMs.toFixed(0)} ms, ${peak} MB`;

async function sendOne(engine: MeasuredEngine, size: number): Promise<Taken> {
  const connection = new MllpConnection(engine.mllpPort);
  const token = await engine.token();
  const before = (await untilProcessed(engine, token, 0, limitMs)) + 1;
  await connection.send(pictureOru(`warm-${size}`, 1_000));
  await untilProcessed(engine, token, before, limitMs);
  const begin = performance.now();
  if (!(await connection.send(pictureOru(`large-${size}`, size * 1_000_000)))) {
    throw new Error(`a message of ${size} MB was not accepted`);
  }
  const acknowledgedMs = performance.now() - begin;
  await untilProcessed(engine, token, before + 1, limitMs);
  const processedMs = performance.now() - begin;
  connection.close();
  const peak = peakMegabytes(engine.pid);
  await engine.stop();
  return { acknowledgedMs, processedMs, peak };
}
