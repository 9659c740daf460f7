// Programs that others wrote and the tests speak HL7 v2 with, in Python: brought once into `.cache/`, at the versions and digests of
// peers/requirements.txt. Where there is no Python, or the packages cannot be fetched, `missing` says so.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const programs = resolve('test/support/peers');
const requirements = join(programs, 'requirements.txt');

const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16);
const packages = resolve('.cache', `python-peers-${digest}`);

const python = process.platform === 'win32' ? 'python' : 'python3';
const env = {
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  PYTHONPATH: packages,
  PYTHONDONTWRITEBYTECODE: '1',
};

/** Why there are none; undefined where they can be run. */
export const missing: string | undefined = bring();

function bring(): string | undefined {
  if (existsSync(packages)) return undefined;
  if (spawnSync(python, ['--version'], { stdio: 'ignore' }).status !== 0) return 'there is no Python';
  const fresh = `${packages}.${process.pid}`;
  const options = ['--quiet', '--no-deps', '--require-hashes', '--only-binary', ':all:', '--target', fresh];
  const { status, stderr } = spawnSync(python, ['-m', 'pip', 'install', ...options, '-r', requirements], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (status === 0) renameSync(fresh, packages);
  rmSync(fresh, { recursive: true, force: true });
  return status === 0 ? undefined : `pip could not bring them: ${stderr.trim().split('\n').at(-1) ?? ''}`;
}

/** What the program printed: a value of JSON a line. Throws with what it complained of. */
export function askPeer<Line>(program: string, words: readonly string[]): Promise<readonly Line[]> {
  const child = start(program, words);
  const read = readLines(child);
  return new Promise((done, fail) => {
    child.once('close', (code) => {
      if (code === 0) done(read.lines as readonly Line[]);
      else fail(new Error(`${program} ended with ${code}: ${read.complaints()}`));
    });
  });
}

export interface PeerServer<Line> {
  readonly port: number;
  /** What it has told of since. */
  readonly lines: readonly Line[];
  stop(): void;
}

export async function startPeer<Line>(program: string, words: readonly string[]): Promise<PeerServer<Line>> {
  const child = start(program, words);
  const read = readLines(child);
  await new Promise<void>((done, fail) => {
    child.stdout?.once('data', () => done());
    child.once('exit', (code) => fail(new Error(`${program} ended with ${code}: ${read.complaints()}`)));
  });
  const { port } = read.lines.shift() as { readonly port: number };
  return { port, lines: read.lines as readonly Line[], stop: () => void child.kill() };
}

const start = (program: string, words: readonly string[]): ChildProcess =>
  spawn(python, [join(programs, program), ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });

function readLines(child: ChildProcess): { readonly lines: unknown[]; readonly complaints: () => string } {
  const lines: unknown[] = [];
  let rest = '';
  let complaints = '';
  child.stderr?.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  child.stdout?.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((line) => JSON.parse(line) as unknown));
  });
  return { lines, complaints: () => complaints };
}

/** python-hl7's own command, over a file of messages. https://python-hl7.readthedocs.io/en/latest/mllp_send.html */
export const mllpSend = (
  port: number,
  file: string,
): { readonly status: number | null; readonly stdout: string } =>
  spawnSync(
    python,
    [join(packages, 'bin', 'mllp_send'), '--port', String(port), '--loose', '--file', file, '127.0.0.1'],
    { env, encoding: 'utf8' },
  );
