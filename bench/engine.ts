// Starts what is measured: the engine as `npm start` runs it, over a new data folder, and the limits beside it.
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const clientId = 'bench';
const clientSecret = 'a-secret-for-the-bench-only';

export interface MeasuredEngine {
  readonly port: number;
  readonly mllpPort: number;
  readonly pid: number;
  /** From the spawn to the line that says it runs. */
  readonly startMs: number;
  /** Where the store lies. */
  readonly data: string;
  token(): Promise<string>;
  stop(): Promise<void>;
}

export function newFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(process.env['BENCH_FOLDER'] ?? tmpdir(), 'kiungo-bench-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** `settings`: by the names of their variables, besides those that every measurement needs. */
export async function startMeasured(
  data: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<MeasuredEngine> {
  const begin = performance.now();
  const child = spawn(process.execPath, startArguments(), {
    cwd: data,
    env: {
      PATH: process.env['PATH'],
      KIUNGO_HTTP_PORT: '0',
      KIUNGO_MLLP_PORT: '0',
      KIUNGO_DATA: data,
      KIUNGO_LOG_LEVEL: 'error',
      KIUNGO_ADMIN_CLIENT_ID: clientId,
      KIUNGO_ADMIN_CLIENT_SECRET: clientSecret,
      ...settings,
      ...profiling(),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = await outputUntil(child, /Ctrl-C stops it/);
  const port = Number(/FHIR R4\s+http:\/\/[^:]+:(\d+)/.exec(output)?.[1]);
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  return {
    port,
    mllpPort: Number(/mllp:\/\/[^:]+:(\d+)/.exec(output)?.[1]),
    pid: child.pid ?? 0,
    startMs: performance.now() - begin,
    data,
    token: () => accessToken(port),
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** Those of `npm start`, which runs `node …`. */
function startArguments(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } };
  return scripts.start
    .split(' ')
    .slice(1)
    .map((argument) => (argument.startsWith('-') ? argument : resolve(argument)));
}

/** `BENCH_PROFILE=folder`: a CPU profile of the engine lies there when it has stopped. */
function profiling(): NodeJS.ProcessEnv {
  const folder = process.env['BENCH_PROFILE'];
  return folder === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${resolve(folder)}` };
}

function outputUntil(child: ChildProcess, sign: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (sign.test(output)) resolve(output);
    });
    child.once('exit', (code) => reject(new Error(`the engine ended with ${String(code)}: ${output}`)));
  });
}

async function accessToken(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

/** A limit that runs as a process of its own and tells its port. */
export async function startLimit(script: string): Promise<{ port: number; stop: () => void }> {
  const child = fork(resolve(script));
  const { port } = await new Promise<{ port: number }>((told) =>
    child.once('message', (message) => told(message as { port: number })),
  );
  return { port, stop: () => child.kill() };
}

/** Seconds of processor that a process has used so far (Linux): says what a request costs, however busy the machine is. */
export function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The most that a process has held in memory so far, MB (Linux). */
export function peakMegabytes(pid: number): number {
  const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}

/** Resident memory in MB of a process and of those that it started (Linux). */
export function residentMegabytes(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean);
  return [pid, ...children.map(Number)].map((one) => {
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${one}/status`, 'utf8'))?.[1];
    return Math.round(Number(kilobytes) / 1024);
  });
}
