// The demo as a newcomer meets it: started in a terminal, watched for half a minute, ended with Ctrl-C.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, DiagnosticReport, Patient } from '@medplum/fhirtypes';
import { accessToken, newDataFolder, until } from '../support/engine-process.ts';

interface Terminal {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

/** As a terminal does it: the demo and whatever it starts are one process group, and Ctrl-C goes to all of them. */
function inTerminal(data: string): Terminal {
  const child = spawn(process.execPath, [resolve('engine/app/demo.ts')], {
    cwd: data,
    detached: true,
    env: { PATH: process.env['PATH'], KIUNGO_DATA: data, KIUNGO_HTTP_PORT: '0', KIUNGO_MLLP_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  return { child, output: () => output, ended };
}

function groupLives(pid: number): boolean {
  try {
    return process.kill(-pid, 0);
  } catch {
    return false;
  }
}

describe('npm run demo', () => {
  let demo: Terminal;
  const data = newDataFolder();
  beforeAll(() => {
    demo = inTerminal(data);
  });
  afterAll(() => {
    const pid = demo.child.pid ?? 0;
    if (groupLives(pid)) process.kill(-pid, 'SIGKILL');
  });
  const linesWith = (text: RegExp): number =>
    demo
      .output()
      .split('\n')
      .filter((line) => text.test(line)).length;

  test('within a minute, results come in over MLLP and become reports of patients that the hospital knows', async () => {
    await until(() => linesWith(/ → AA → partial report .* of Patient\//) >= 3, 90_000, demo.output);

    const base = /FHIR R4\s+(\S+)\/fhir\/R4/.exec(demo.output())?.[1] ?? '';
    const authorization = `Bearer ${await accessToken(base, data)}`;
    const read = async (path: string): Promise<unknown> =>
      (await fetch(`${base}/fhir/R4/${path}`, { headers: { authorization } })).json();
    const reports = (await read('DiagnosticReport')) as Bundle<DiagnosticReport>;
    const patients = await Promise.all(
      (reports.entry ?? []).map(({ resource }) => read(resource?.subject?.reference ?? 'Patient/nobody')),
    );
    const numbers = new Set((patients as Patient[]).map(({ identifier }) => identifier?.[0]?.value));
    expect(numbers.size).toBeGreaterThanOrEqual(2);
    expect([...numbers].every((number) => /^739367\d$/.test(number ?? ''))).toBe(true);
    expect(reports.entry?.every(({ resource }) => resource?.basedOn?.length === 1)).toBe(true);
  }, 120_000);

  test('a critical result is told to the ward by a flow', async () => {
    await until(() => linesWith(/a flow told the ward: CRITICAL RESULT .* → Communication\//) > 0, 60_000);
  }, 70_000);

  test('it shows where things are and what to try, and no secret', () => {
    expect(demo.output()).toContain('/flows');
    expect(demo.output()).toContain('curl -s -H "Authorization: Bearer $TOKEN"');
    expect(demo.output()).not.toMatch(/"clientSecret": ?"/);
  });

  test('Ctrl-C ends it and all that it started', async () => {
    const pid = demo.child.pid ?? 0;

    process.kill(-pid, 'SIGINT');
    // npm hands the signal on, so it comes twice.
    demo.child.kill('SIGINT');

    expect(await demo.ended).toBe(0);
    await until(() => !groupLives(pid), 5_000);
    expect(demo.output()).not.toMatch(/could not stop cleanly|"level":"error"/);
  }, 60_000);
});

test('the demo never writes into the data folder of another engine', async () => {
  const data = newDataFolder();
  mkdirSync(join(data, 'store'));

  const { ended, output } = inTerminal(data);

  expect(await ended).toBe(1);
  expect(output()).toContain('set KIUNGO_DATA to another folder');
}, 30_000);
