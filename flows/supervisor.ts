// Starts the flows process, watches it, starts it again when it dies, and stands between it and the engine: whatever a flow does,
// nothing of it reaches an acknowledgement.
import { mkdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Clock, FlowPort, Ids, Logger } from '../engine/index.ts';
import type { FlowsBeat } from './door.ts';
import { startChild, type Child } from './outside/child.ts';
import { createPortRequests } from './outside/port-requests.ts';
import { createEditorProxy, type Door } from './outside/proxy.ts';

export interface FlowsSupervisorOptions {
  readonly port: FlowPort;
  /** Node-RED's own folder, under KIUNGO_DATA; made when it is not there. */
  readonly userDir: string;
  /** The shipped flows; without it those of the project. */
  readonly libraryDir?: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Where the editor stands on the engine's server: `/flows`. */
  readonly publicPath: string;
  /** Encrypts the credentials of nodes; the same at every start. */
  readonly credentialSecret: string;
  /** Limit of the JavaScript heap, in megabytes. */
  readonly memoryLimitMb?: number;
  /** What the process sees of the environment, beside HOME and NODE_ENV: the time zone (`TZ`). */
  readonly environment?: Readonly<Record<string, string>>;
  readonly timing?: Partial<FlowsTiming>;
}

/** All in milliseconds. */
export interface FlowsTiming {
  readonly beatMs: number;
  /** No heart-beat for so long: the process is killed. */
  readonly silenceMs: number;
  readonly startMs: number;
  readonly stopMs: number;
  /** Waiting time before the first restart; doubled with each one that follows soon. */
  readonly restartMs: number;
  readonly restartMostMs: number;
  readonly pollMs: number;
  readonly requestMs: number;
  /** A flow must be done this long before its lease runs out. */
  readonly commitMs: number;
  /** How long a deployment, or a stop, waits for what is in flight. */
  readonly drainMs: number;
}

const usualTiming: FlowsTiming = {
  beatMs: 2_000,
  silenceMs: 15_000,
  startMs: 120_000,
  stopMs: 10_000,
  restartMs: 1_000,
  restartMostMs: 30_000,
  pollMs: 5_000,
  requestMs: 30_000,
  commitMs: 5_000,
  drainMs: 5_000,
};

export interface FlowsHealth {
  readonly state: 'stopped' | 'starting' | 'running' | 'restarting';
  readonly restarts: number;
  readonly pid: number | undefined;
  /** Resident memory of the process; undefined before its first heart-beat. */
  readonly memoryMb: number | undefined;
  readonly eventsInFlight: number;
  /** Why the process ended the last time. */
  readonly lastExit: string | undefined;
}

export interface FlowsSupervisor {
  /** Resolves once the process is started; the editor answers some seconds later (`ready`). Never rejects for what the process does. */
  start(): Promise<void>;
  /** Resolves when the process is gone; what is in flight may finish first. */
  stop(): Promise<void>;
  ready(): boolean;
  /** Answers a request under the public path. The caller has signed `user` in as an administrator. */
  handle(request: IncomingMessage, response: ServerResponse, user?: string): void;
  /** The same for the editor's WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, user?: string): void;
  health(): FlowsHealth;
}

const shippedLibrary = fileURLToPath(new URL('library', import.meta.url));

export function createFlowsSupervisor(options: FlowsSupervisorOptions): FlowsSupervisor {
  const timing = { ...usualTiming, ...options.timing };
  const { port, clock, ids, logger } = options;
  const userDir = resolve(options.userDir);
  const proxy = createEditorProxy();
  let state: FlowsHealth['state'] = 'stopped';
  let child: Child | undefined;
  let door: Door | undefined;
  let lastBeat: FlowsBeat | undefined;
  let lastExit: string | undefined;
  let restarts = 0;
  let soon = 0;
  let restart: NodeJS.Timeout | undefined;
  let stopped: () => void = () => undefined;

  const launch = (): void => {
    const requests = createPortRequests(port, clock, logger);
    const key = ids.secret(32);
    const launched = clock.now();
    state = 'starting';
    mkdirSync(userDir, { recursive: true, mode: 0o700 });
    child = startChild({
      start: {
        userDir,
        libraryDir: resolve(options.libraryDir ?? shippedLibrary),
        publicPath: options.publicPath,
        credentialSecret: options.credentialSecret,
        key,
        ...timing,
      },
      memoryLimitMb: options.memoryLimitMb ?? 256,
      environment: options.environment ?? {},
      silenceMs: timing.silenceMs,
      startMs: timing.startMs,
      logger,
      answer: (method, params) => requests.answer(method, params),
      ready(at) {
        state = 'running';
        door = { port: at, key };
        logger.info({}, 'the flows are running');
      },
      beat: (beat) => (lastBeat = beat),
      exited(reason) {
        child = door = lastBeat = undefined;
        lastExit = reason;
        void requests.abandon('the flows process ended while the flow was running');
        if (state === 'stopped') stopped();
        else comeBack(clock.now() - launched > timing.restartMostMs * 2, reason);
      },
    });
  };

  /** `settled`: it had lived long enough for this to be a new trouble. */
  const comeBack = (settled: boolean, reason: string): void => {
    soon = settled ? 0 : soon;
    const delayMs = Math.min(timing.restartMs * 2 ** soon, timing.restartMostMs);
    soon += 1;
    restarts += 1;
    state = 'restarting';
    logger.error({ restarts, delayMs, reason }, 'the flows process ended; it is started again');
    restart = setTimeout(relaunch, delayMs);
  };

  const relaunch = (): void => {
    try {
      launch();
    } catch (error) {
      logger.error({}, 'the flows process could not be started', error);
      comeBack(false, 'could not be started');
    }
  };

  port.onEvents(() => child?.wake());

  return {
    async start() {
      if (state === 'stopped' && child === undefined) relaunch();
    },
    async stop() {
      clearTimeout(restart);
      state = 'stopped';
      const running = child;
      if (running === undefined) return;
      await new Promise<void>((resolve) => {
        stopped = resolve;
        running.stop(timing.stopMs);
      });
    },
    ready: () => state === 'running',
    handle: (request, response, user = 'admin') => proxy.handle(door, user, request, response),
    upgrade: (request, socket, head, user = 'admin') => proxy.upgrade(door, user, request, socket, head),
    health: () => ({
      state,
      restarts,
      pid: child?.pid,
      memoryMb: lastBeat === undefined ? undefined : Math.round(lastBeat.rssBytes / 1e6),
      eventsInFlight: lastBeat?.inFlight ?? 0,
      lastExit,
    }),
  };
}
