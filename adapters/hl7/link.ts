// One outgoing connection that is kept: made when first wanted, made again for ever when it is lost, with growing pauses in between. One that
// a receiver closes after it has answered is no loss: the next is made at once, when it is wanted.
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { Logger } from '../../engine/index.ts';

export interface LinkOptions {
  readonly host: string;
  readonly port: number;
  /** Asked at each connection. */
  readonly tls?: () => ConnectionOptions;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  /** The first pause after a failure and the longest; each is up to twice the one before, shortened by chance to spread reconnects. */
  readonly pauseMs: { readonly first: number; readonly longest: number };
  /** From 0 to 1. */
  readonly random: () => number;
  readonly logger: Logger;
  readonly onData: (chunk: Buffer) => void;
  /** The connection is gone; what was under way on it is not known to have arrived. */
  readonly onLost: () => void;
}

export class Link {
  readonly #options: LinkOptions;
  /** Ready to be written to: connected, and with TLS its handshake finished. */
  #socket: Socket | undefined;
  #attempt: Socket | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #hasSpoken = false;
  #closed = false;
  /** For a connection, however many attempts it takes. */
  readonly #waiting = new Set<(socket: Socket | undefined) => void>();
  /** For the end of the attempt under way. */
  readonly #attempting = new Set<(socket: Socket | undefined) => void>();

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  /** Failed attempts since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Whether the receiver has said anything on the connection that there is; within `onLost`, on the one that is gone. */
  get hasSpoken(): boolean {
    return this.#hasSpoken;
  }

  /** The connection, once there is one; undefined when there is none after `timeoutMs`. Attempts go on all the same. */
  ready(timeoutMs: number): Promise<Socket | undefined> {
    if (this.#socket !== undefined) return Promise.resolve(this.#socket);
    if (this.#attempt === undefined && this.#pause === undefined) this.#try();
    return among(this.#waiting, timeoutMs);
  }

  /**
   * The connection that there is, or what comes of the attempt under way, or of one that is begun now though a pause is not over: undefined as
   * soon as that has failed. For who has pauses of his own.
   */
  attempt(timeoutMs: number): Promise<Socket | undefined> {
    if (this.#socket !== undefined || this.#closed) return Promise.resolve(this.#socket);
    if (this.#attempt === undefined) {
      clearTimeout(this.#pause);
      this.#try();
    }
    return among(this.#attempting, timeoutMs);
  }

  /** Gives up the connection that there is, as it may be dead, and makes another. */
  renew(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    socket.destroy();
    this.#options.onLost();
    this.#try();
  }

  close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#pause);
    this.#attempt?.destroy();
    for (const settle of [...this.#waiting, ...this.#attempting]) settle(undefined);
    const socket = this.#socket;
    if (socket === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => socket.destroy(), 1000);
      socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.end();
    });
  }

  #try(): void {
    if (this.#closed) return;
    this.#pause = undefined;
    const { host, port, tls, connectTimeoutMs, keepAliveMs } = this.#options;
    const tcp = { host, port, keepAlive: true, keepAliveInitialDelay: keepAliveMs, noDelay: true };
    const socket = tls === undefined ? connect(tcp) : connectTls({ ...tls(), ...tcp });
    this.#attempt = socket;
    const timer = setTimeout(() => socket.destroy(new Error('connect time-out')), connectTimeoutMs);
    let cause = 'closed by the peer';
    socket.on('error', (error: Error) => (cause = error.message));
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      this.#up(socket);
    });
    // Nothing more will be answered on it: what is written from now on would be lost.
    socket.once('end', () => {
      this.#down(socket, cause);
      socket.destroy();
    });
    socket.once('close', () => {
      clearTimeout(timer);
      this.#down(socket, cause);
    });
  }

  #up(socket: Socket): void {
    const { host, port, logger, onData } = this.#options;
    if (this.#failures > 0) logger.info({ host, port, failures: this.#failures }, 'connected again');
    this.#failures = 0;
    this.#attempt = undefined;
    this.#socket = socket;
    this.#hasSpoken = false;
    socket.on('data', (chunk: Buffer) => {
      this.#hasSpoken = true;
      onData(chunk);
    });
    for (const settle of [...this.#waiting, ...this.#attempting]) settle(socket);
  }

  #down(socket: Socket, cause: string): void {
    const wasUp = this.#socket === socket;
    if (!wasUp && this.#attempt !== socket) return;
    this.#attempt = undefined;
    this.#socket = undefined;
    if (wasUp) this.#options.onLost();
    if (this.#closed) return;
    if (wasUp && this.#hasSpoken) return;
    this.#failures += 1;
    const pauseMs = this.#nextPause();
    this.#tell(cause, pauseMs);
    this.#pause = setTimeout(() => this.#try(), pauseMs);
    for (const settle of [...this.#attempting]) settle(undefined);
  }

  #nextPause(): number {
    const { pauseMs, random } = this.#options;
    const longest = Math.min(pauseMs.longest, pauseMs.first * 2 ** Math.min(this.#failures - 1, 30));
    return Math.round(longest * (0.5 + random() / 2));
  }

  /** Loudly at first and then at growing distances, so that a receiver that is off overnight does not fill the log. */
  #tell(cause: string, pauseMs: number): void {
    const { host, port, logger } = this.#options;
    const facts = { host, port, cause, failures: this.#failures, pauseMs };
    const loud = Number.isInteger(Math.log2(this.#failures));
    if (loud) logger.warn(facts, 'no connection to the receiver; trying again');
    else logger.debug(facts, 'no connection to the receiver; trying again');
  }
}

/** What those who wait are told; undefined when that takes longer than `timeoutMs`. */
function among(
  waiting: Set<(socket: Socket | undefined) => void>,
  timeoutMs: number,
): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const settle = (socket: Socket | undefined): void => {
      clearTimeout(timer);
      waiting.delete(settle);
      resolve(socket);
    };
    const timer = setTimeout(() => settle(undefined), timeoutMs);
    waiting.add(settle);
  });
}
