// Starting: what a person sees when it fails, a signal that comes too early, and the page where everything is found.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newDataFolder, startEngine, until, type RunningEngine } from '../support/engine-process.ts';

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly data: string;
}

/** Longer than any of these takes. */
const limitMs = 45_000;

/** Runs the engine until it ends by itself, or by a signal that is sent when it has written something; killed when it does not. */
function runEngine(settings: Readonly<Record<string, string>>, signalAfter?: RegExp): Promise<Ended> {
  const data = newDataFolder();
  const env = { PATH: process.env['PATH'], KIUNGO_HTTP_PORT: '0', KIUNGO_MLLP_PORT: '0', KIUNGO_DATA: data };
  const child = spawn(process.execPath, [resolve('engine/app/main.ts')], {
    cwd: data,
    env: { ...env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (signalAfter?.test(output) === true) child.kill('SIGTERM');
    });
  }
  return new Promise((done) =>
    child.once('exit', (code) => {
      clearTimeout(limit);
      done({ code, output, data });
    }),
  );
}

describe('a start that fails ends at once, with a sentence and no stack', () => {
  test('a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => other.once('listening', listening));
    const { port } = other.address() as AddressInfo;

    const { code, output, data } = await runEngine({ KIUNGO_HTTP_PORT: String(port) });

    other.close();
    expect(code).toBe(1);
    expect(output).toContain(`address already in use 127.0.0.1:${port}`);
    expect(output).not.toMatch(/^\s+at /m);
    // SQLite removes its log when the last connection is closed: what had started was stopped.
    expect(existsSync(join(data, 'store', 'hospital.sqlite'))).toBe(true);
    expect(existsSync(join(data, 'store', 'hospital.sqlite-wal'))).toBe(false);
  }, 60_000);

  test('a setting that is none', async () => {
    const { code, output } = await runEngine({ KIUNGO_PORT: '1' });

    expect(code).toBe(1);
    expect(output).toContain('KIUNGO_PORT is not a setting');
    expect(output).not.toMatch(/^\s+at /m);
  }, 60_000);

  test('maps that cannot be used', async () => {
    const { code, output } = await runEngine({ KIUNGO_MAPPINGS: resolve('docs') });

    expect(code).toBe(1);
    expect(output).toContain('the maps cannot be used');
    expect(output).not.toMatch(/^\s+at /m);
  }, 60_000);
});

test('a signal during the start is heard: the engine stops in order as soon as it runs', async () => {
  const { code, output } = await runEngine({ KIUNGO_LOG_LEVEL: 'info' }, /"level":"info"/);

  expect(output).toContain('stopping');
  expect(code).toBe(0);
}, 60_000);

describe('the start page', () => {
  let engine: RunningEngine;
  beforeAll(async () => {
    engine = await startEngine();
  }, 120_000);
  afterAll(async () => {
    await engine.stop();
  }, 60_000);

  test('after sign-in, each of its links leads somewhere', async () => {
    const { userName, password } = JSON.parse(
      readFileSync(join(engine.data, 'administrator.json'), 'utf8'),
    ) as Record<string, string>;
    const body = new URLSearchParams({ name: userName ?? '', password: password ?? '' });
    const signedIn = await fetch(`${engine.base}/sign-in`, { method: 'POST', body, redirect: 'manual' });
    const headers = { cookie: (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '' };

    const page = await (await fetch(`${engine.base}/`, { headers })).text();

    const links = [...page.matchAll(/href="([^"]+)"/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThan(5);
    const answers = async (link: string): Promise<boolean> =>
      (await fetch(`${engine.base}${link}`, { headers })).status === 200;
    // The editor may need a moment longer than the engine.
    for (const link of links) {
      await until(
        () => answers(link),
        20_000,
        () => link,
      );
    }
  }, 90_000);
});
