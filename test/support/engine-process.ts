// The real engine as a process of its own, as `npm start` runs it: started, asked, killed.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface RunningEngine {
  readonly base: string;
  readonly mllpPort: number;
  readonly data: string;
  readonly process: ChildProcess;
  /** Everything that it wrote, the log included. */
  readonly output: () => string;
  /** GET (or another method) with a fresh administrator's token; JSON in and out. */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** SIGTERM, then waits for the end; answers the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL, as a power cut. */
  kill(): Promise<void>;
}

export const newDataFolder = (): string => mkdtempSync(join(tmpdir(), 'kiungo-engine-'));

/** Starts the engine on free ports over `data` and waits until it says that it runs. */
export async function startEngine(
  data = newDataFolder(),
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningEngine> {
  const child = spawn(process.execPath, [resolve('engine/app/main.ts')], {
    cwd: data,
    env: {
      PATH: process.env['PATH'],
      KIUNGO_HTTP_PORT: '0',
      KIUNGO_MLLP_PORT: '0',
      KIUNGO_DATA: data,
      KIUNGO_LOG_LEVEL: 'warn',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await until(
    () => /Ctrl-C stops it/.test(output) || child.exitCode !== null,
    60_000,
    () => output,
  );
  if (child.exitCode !== null) throw new Error(`the engine ended with ${child.exitCode}:\n${output}`);
  const base = /FHIR R4\s+(\S+)\/fhir\/R4/.exec(output)?.[1] ?? '';
  const mllpPort = Number(/mllp:\/\/[^:]+:(\d+)/.exec(output)?.[1]);
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  let token: Promise<string> | undefined;
  return {
    base,
    mllpPort,
    data,
    process: child,
    output: () => output,
    fetch: async (path, init = {}) => {
      token ??= accessToken(base, data);
      const headers = new Headers(init.headers);
      headers.set('authorization', `Bearer ${await token}`);
      return fetch(path.startsWith('http') ? path : `${base}${path}`, { ...init, headers });
    },
    stop: async () => {
      child.kill('SIGTERM');
      return ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export async function accessToken(base: string, data: string): Promise<string> {
  const { clientId, clientSecret } = JSON.parse(
    readFileSync(join(data, 'administrator.json'), 'utf8'),
  ) as Record<string, string>;
  const response = await fetch(`${base}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

/** Waits until the condition holds; fails with `tell` when it does not in time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  limitMs: number,
  tell: () => string = () => '',
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`did not come to pass within ${limitMs} ms: ${tell()}`);
    await new Promise((wait) => setTimeout(wait, 25));
  }
}
