// The real listener before careless and many senders, and before one that others wrote: python-hl7's mllp_send, where it is installed.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startEngine, until, type RunningEngine } from '../support/engine-process.ts';
import { codeOf, MllpClient } from '../support/mllp-client.ts';

const oru = (control: string): string =>
  [
    `MSH|^~\\&|BC-5380|Mindray|||20260112083000||ORU^R01|${control}|P|2.3.1||||||UNICODE`,
    `PID|1||MRN-${control}^^^^MR||Test^Patient||19870412000000|Female`,
    `OBR|1||${control}|00001^Automated Count^99MRC|||20260112083000|||||||||||||||||HM||||||||Technician`,
    'OBX|1|NM|718-7^HGB^LN||12.1|g/dL|11.0-16.0|N|||F',
    '',
  ].join('\r');

let engine: RunningEngine;
beforeAll(async () => {
  engine = await startEngine();
}, 90_000);
afterAll(() => engine.stop());

const pause = (ms: number): Promise<void> => new Promise((end) => setTimeout(end, ms));

/** Writes the pieces one by one, each in a packet of its own, and resolves with the codes of so many answers. */
function answersTo(pieces: readonly Buffer[], count: number): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: engine.mllpPort, host: '127.0.0.1', noDelay: true });
    let received = '';
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
      const answers = received.split('\x1c\r').slice(0, -1);
      if (answers.length < count) return;
      socket.destroy();
      resolve(answers.map(codeOf));
    });
    socket.on('connect', () => {
      void (async () => {
        for (const piece of pieces) {
          socket.write(piece);
          await pause(1);
        }
      })();
    });
  });
}

describe('framing', () => {
  const frames = Buffer.from(`\x0b${oru('F1')}\x1c\r\x0b${oru('F2')}\x1c\r`);

  test('two messages cut at every byte are two messages', async () => {
    const places = Array.from({ length: frames.length - 1 }, (_, at) => at + 1);
    const wrong: number[] = [];
    for (let from = 0; from < places.length; from += 20) {
      const some = places.slice(from, from + 20);
      const codes = await Promise.all(
        some.map((at) => answersTo([frames.subarray(0, at), frames.subarray(at)], 2)),
      );
      wrong.push(...some.filter((_, index) => codes[index]?.join() !== 'AA,AA'));
    }
    expect(wrong).toEqual([]);
  }, 60_000);

  test('byte by byte they are two messages', async () => {
    const bytes = Array.from(frames, (byte) => Buffer.of(byte));
    expect(await answersTo(bytes, 2)).toEqual(['AA', 'AA']);
  });

  test('all of that was kept as two messages', async () => {
    const found = await engine.fetch('/admin/messages?channel=hl7&_count=0');
    expect(((await found.json()) as { total: number }).total).toBe(2);
  });
});

describe('five hundred senders, all connected', () => {
  test('each gets its answer, and memory stays below 300 MB', async () => {
    const clients = Array.from({ length: 500 }, () => new MllpClient(engine.mllpPort));
    const codes = await Promise.all(
      clients.map(async (client, at) => codeOf(await client.send(oru(`N${at}`)))),
    );
    expect(new Set(codes)).toEqual(new Set(['AA']));
    const memory = residentMegabytes(engine.process.pid ?? 0);
    for (const client of clients) client.close();
    if (memory !== undefined) expect(memory).toBeLessThan(300);
    await until(async () => {
      const waiting = await engine.fetch('/admin/messages?state=received&_count=0');
      return ((await waiting.json()) as { total: number }).total === 0;
    }, 60_000);
  }, 120_000);
});

/** undefined where the system does not tell. */
function residentMegabytes(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

/** https://python-hl7.readthedocs.io/en/latest/mllp_send.html */
const pythonSender = ['mllp', 'send'].join('_');
const hasPythonHl7 = spawnSync(pythonSender, ['--version'], { stdio: 'ignore' }).status === 0;
const whereInstalled = hasPythonHl7 ? test : test.skip;

describe('python-hl7 (skipped where mllp_send is not installed)', () => {
  whereInstalled('sends a file of messages, and shows what it was answered', () => {
    const file = join(engine.data, 'python.hl7');
    writeFileSync(file, oru('PY1'));
    const { status, stdout } = spawnSync(
      pythonSender,
      ['--port', String(engine.mllpPort), '--loose', '--file', file, '127.0.0.1'],
      { encoding: 'utf8' },
    );
    expect([status, stdout]).toEqual([0, expect.stringMatching(/MSA\|AA\|PY1/)]);
  });
});
