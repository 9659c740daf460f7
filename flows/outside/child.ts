// One life of the flows process: started with as few rights as it needs, listened to, and killed when it falls silent.
import { spawn, type ChildProcess } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, setPriority } from 'node:os';
import { dirname, join, sep } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../../engine/index.ts';
import { createChannel, type Channel } from '../channel.ts';
import type { FlowsBeat, FlowsStart } from '../door.ts';
import { parseExact } from '../exact-numbers.ts';
import { flushDeployment } from './flush.ts';
import { guardAgainstOrphan } from './guard.ts';

export interface ChildOptions {
  readonly start: FlowsStart;
  readonly memoryLimitMb: number;
  readonly environment: Readonly<Record<string, string>>;
  /** No heart-beat for this long: killed. */
  readonly silenceMs: number;
  /** How long Node-RED may take until it answers. */
  readonly startMs: number;
  readonly logger: Logger;
  answer(method: string, params: unknown): Promise<unknown>;
  ready(port: number): void;
  beat(beat: FlowsBeat): void;
  /** Once; the process is gone. */
  exited(reason: string): void;
}

export interface Child {
  readonly pid: number | undefined;
  wake(): void;
  /** Lets it finish what is in flight; killed after `limitMs`. */
  stop(limitMs: number): void;
}

export function startChild(options: ChildOptions): Child {
  const child = spawnProcess(options);
  let reason = 'ended by itself';
  let gone = false;
  const kill = (why: string): void => {
    if (gone || child.killed) return;
    reason = why;
    child.kill('SIGKILL');
  };
  const heart = watchHeart(options.silenceMs, () => kill('did not answer: a flow blocks it'));
  const late = setTimeout(() => kill('did not start in time'), options.startMs);
  const guard = guardAgainstOrphan(child.pid);

  const notices: Readonly<Record<string, (params: never) => void>> = {
    ready({ port }: { readonly port: number }) {
      clearTimeout(late);
      options.ready(port);
    },
    deployed() {
      flushDeployment(options.start.userDir).catch((error: unknown) =>
        options.logger.error({}, 'the deployed flows could not be flushed to the disk', error),
      );
    },
    beat(beat: FlowsBeat) {
      heart.beat();
      options.beat(beat);
    },
    log: ({ level, text }: LogNotice) => handOn(options.logger, level, text),
  };
  const channel: Channel = createChannel(child.stdio[3] as unknown as Duplex, {
    parse: parseExact,
    stringify: JSON.stringify,
    answer: (method, params) => options.answer(method, params),
    notice(name, params) {
      if (Object.hasOwn(notices, name)) notices[name]?.(params as never);
    },
    ended: (why) => {
      if (why !== 'the pipe closed') kill(why);
    },
  });

  const exited = (code: number | null, signal: NodeJS.Signals | null): void => {
    if (gone) return;
    gone = true;
    heart.stop();
    clearTimeout(late);
    guard.dismiss();
    channel.close();
    options.exited(`${reason} (${signal ?? `code ${code ?? 'none'}`})`);
  };
  child.on('exit', exited);
  child.on('error', () => {
    reason = 'could not be started';
    exited(null, null);
  });
  logFatal(child, options.logger);
  channel.notify('start', options.start);

  return {
    pid: child.pid,
    wake: () => channel.notify('events', {}),
    stop(limitMs) {
      channel.notify('stop', {});
      setTimeout(() => kill('did not stop in time'), limitMs).unref();
    },
  };
}

/** The same Node, with its own memory limit; it reads its code and its userDir, writes its userDir, and starts no processes. */
function spawnProcess({ start, memoryLimitMb, environment }: ChildOptions): ChildProcess {
  const entry = fileURLToPath(new URL('../process.ts', import.meta.url));
  const reads = [...codePaths(entry), start.libraryDir, start.userDir];
  const args = [
    `--max-old-space-size=${memoryLimitMb}`,
    '--max-semi-space-size=2',
    '--disable-warning=ExperimentalWarning',
    '--permission',
    ...reads.map((path) => `--allow-fs-read=${path}`),
    `--allow-fs-write=${start.userDir}`,
    entry,
  ];
  const child = spawn(process.execPath, args, {
    cwd: start.userDir,
    // Nothing of the engine's environment: it may hold its secrets.
    env: { NODE_ENV: 'production', HOME: start.userDir, ...environment },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  if (child.pid !== undefined) yieldToEngine(child.pid);
  return child;
}

/** The folders of this code and of the packages, and nothing beside them: the data folder may lie in the same project. */
function codePaths(entry: string): readonly string[] {
  const nodeRed = createRequire(import.meta.url).resolve('node-red');
  const packages = nodeRed.slice(
    0,
    nodeRed.lastIndexOf(`${sep}node_modules${sep}`) + `${sep}node_modules`.length,
  );
  const flows = dirname(entry);
  const manifest = join(dirname(flows), 'package.json');
  return [...new Set([flows, packages, manifest].flatMap((path) => [path, realpathSync(path)]))];
}

/** A busy flow takes its turn after the engine. */
function yieldToEngine(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already, or the system knows no priorities: it runs as any other.
  }
}

interface LogNotice {
  readonly level: unknown;
  readonly text: unknown;
}

const maxText = 500;

function handOn(logger: Logger, level: unknown, text: unknown): void {
  const line = String(text).slice(0, maxText);
  if (level === 'error') logger.error({}, line);
  else if (level === 'warn') logger.warn({}, line);
  else logger.debug({}, line);
}

/** What Node itself says when it dies ("heap out of memory"); whatever else comes this way may be a flow's. */
function logFatal(child: ChildProcess, logger: Logger): void {
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const fatal = /^FATAL ERROR: [\w ,.-]{1,200}/m.exec(text);
    if (fatal !== null) logger.error({}, fatal[0]);
  });
}

interface Heart {
  beat(): void;
  stop(): void;
}

/** When the engine itself was busy, the beats of that time are still in the pipe: they are read before the silence counts. */
function watchHeart(silenceMs: number, silent: () => void): Heart {
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    timer = setTimeout(() => (timer = setTimeout(silent, Math.min(1000, silenceMs))), silenceMs);
  };
  arm();
  return {
    beat() {
      clearTimeout(timer);
      arm();
    },
    stop: () => clearTimeout(timer),
  };
}
