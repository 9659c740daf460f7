// A large Binary goes in and out of the real engine without memory growing with it. Linux tells the most that a process has had.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from '@jest/globals';
import { accessToken, startEngine, type RunningEngine } from '../support/engine-process.ts';

const mebibyte = 1024 * 1024;
const mebibytes = 200;
/**
 * The content is 200 MiB, and would be 267 MiB as base64. On its way in memory goes up by some 55 MiB, of which 37 are the pages that the store holds of
 * its file; on its way out pieces that were sent wait for the garbage collector.
 */
const mostMore = { in: 90 * mebibyte, out: 140 * mebibyte };

/** The most that the process has had in memory since it was last asked to forget it, bytes. */
function peakOf({ process: { pid } }: RunningEngine): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1_024;
}

const forgetPeak = ({ process: { pid } }: RunningEngine): void =>
  writeFileSync(`/proc/${pid}/clear_refs`, '5');

function* chunks(): Iterable<Buffer> {
  for (let place = 0; place < mebibytes; place += 1) yield Buffer.alloc(mebibyte, `not so random ${place}`);
}

async function upload({ base, data }: RunningEngine): Promise<number | undefined> {
  const headers = {
    authorization: `Bearer ${await accessToken(base, data)}`,
    'content-type': 'application/dicom',
  };
  return new Promise((resolve, reject) => {
    const sending = request(`${base}/fhir/R4/Binary/scan`, { method: 'PUT', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    pipeline(Readable.from(chunks()), sending).catch(reject);
  });
}

/** How many bytes came. */
async function download(engine: RunningEngine): Promise<number> {
  const { body } = await engine.fetch('/fhir/R4/Binary/scan');
  let length = 0;
  for await (const piece of body ?? []) length += (piece as Uint8Array).length;
  return length;
}

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux(
  `${mebibytes} MiB in and out`,
  async () => {
    const engine = await startEngine();
    try {
      forgetPeak(engine);
      const before = peakOf(engine);
      expect(await upload(engine)).toBe(201);
      expect(peakOf(engine) - before).toBeLessThan(mostMore.in);
      expect(await download(engine)).toBe(mebibytes * mebibyte);
      expect(peakOf(engine) - before).toBeLessThan(mostMore.out);
    } finally {
      await engine.stop();
      rmSync(engine.data, { recursive: true });
    }
  },
  120_000,
);
