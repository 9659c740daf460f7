// docs/guides/from-mirth.md, command by command, beside a real engine: each ends with 0, and the guide's message becomes what it says.
import { spawn } from 'node:child_process';
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, Patient } from '@medplum/fhirtypes';
import { newDataFolder, startEngine, until, type RunningEngine } from '../support/engine-process.ts';

const guide = readFileSync('docs/guides/from-mirth.md', 'utf8');
const commands = [...guide.matchAll(/^```sh\n([^]*?)^```$/gm)]
  .flatMap(([, block = '']) => block.trimEnd().split('\n'))
  .filter((line) => !line.startsWith('export '));

/** The guide's files, with a port that is free here in place of the guide's. */
const data = newDataFolder();
const files = join(data, 'from-mirth');
let port = 0;
let engine: RunningEngine;

const freePort = (): Promise<number> =>
  new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = server.address() as AddressInfo;
      server.close(() => done(free));
    });
  });

beforeAll(async () => {
  cpSync('docs/guides/from-mirth', files, { recursive: true });
  port = await freePort();
  const channel = join(files, 'channels', 'adt-in.json');
  writeFileSync(channel, readFileSync(channel, 'utf8').replace('6611', String(port)));
  engine = await startEngine(data, { KIUNGO_MAP_OVERLAYS: join(files, 'overlays') });
}, 90_000);
afterAll(() => engine.stop());

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
/** What npm runs, without npm: it would look each time whether packages are missing. */
const scriptOf = (command: string): string =>
  command.replace(/npm run -s (\w+) --/, (_whole, name: string) => scripts[name] ?? name);

async function given(command: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const line = scriptOf(command).replaceAll('docs/guides/from-mirth', files).replaceAll('6611', String(port));
  const shell = spawn('sh', ['-c', line], {
    env: {
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
      KIUNGO_DATA: data,
      KIUNGO_HTTP_PORT: '0',
      KIUNGO_MAP_OVERLAYS: join(files, 'overlays'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const code = await new Promise<number | null>((done) => shell.once('close', done));
  return { code, output };
}

/** What a command that says something must say. */
const says: Readonly<Record<string, RegExp>> = {
  'channels test': /^(ok {3}.*\n){4}$/,
  'channels import': /adt-in +running +mllp \d+ open +version 1/,
  'npm run -s send': /MSA\|AA\|R100/,
  '--patient': /ADT\^A01 +R100/,
  '--key': /ADT\^A01 +R100/,
  'messages dead': /\n0 of 0\n$/,
  'channels history': /1 +\S+ +admin +rebuilt from Mirth/,
  'channels export': /"name": "adt-in"/,
};

test.each(commands)('%s', async (command) => {
  const { code, output } = await given(command);
  expect([code, output]).toEqual([0, expect.any(String)]);
  for (const [part, expected] of Object.entries(says)) {
    if (command.includes(part)) expect(output).toMatch(expected);
  }
});

describe('the message of the guide', () => {
  test('is a patient with the hospital’s own codes understood, and lies in the archive', async () => {
    await until(async () => {
      const found = await engine.fetch('/admin/messages?controlId=R100&state=processed');
      return ((await found.json()) as { total: number }).total === 1;
    }, 20_000);
    const response = await engine.fetch('/fhir/R4/Patient?identifier=7393670');
    const { entry = [] } = (await response.json()) as Bundle<Patient>;
    expect(entry.map(({ resource }) => resource)).toMatchObject([
      { gender: 'female', communication: [{ language: { text: 'Dholuo' } }] },
    ]);
    await until(() => readdirSync(join(data, 'outbox', 'adt-archive')).length === 1, 20_000);
  });

  test('the guide’s files that it names are there, and all are named', () => {
    const named = [...guide.matchAll(/\]\(from-mirth\/([^)]+)\)/g)].map(([, name]) => name);
    const there = readdirSync('docs/guides/from-mirth', { recursive: true, encoding: 'utf8' });
    expect(named.filter((name) => !there.includes(name ?? ''))).toEqual([]);
    const unnamed = there.filter((name) => /\.\w+$/.test(name) && !guide.includes(`from-mirth/${name}`));
    expect(unnamed).toEqual([]);
  });
});
