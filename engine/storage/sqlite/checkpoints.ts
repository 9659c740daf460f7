// When the log is written back to the file, and by whom: a thread, while the engine goes on. A writer can begin the log anew only when
// all of it is in the file, and it never is while others go on writing; so when the log has grown long, the next commit waits for one more
// checkpoint, which has little left to do. What waits is that commit, never the event loop. https://sqlite.org/wal.html
import { Worker } from 'node:worker_threads';
import type { Logger } from '../../kernel/logger.ts';
import type { Connection } from './connection.ts';

export interface CheckpointLimits {
  /** So many pages in the log and not in the file are worth a checkpoint: 4 kB each. */
  readonly pages: number;
  /** So many pages in the log make a commit wait, once few of them are left to be written back; twice as many, in any case. */
  readonly logPages: number;
}

interface WorkerStart {
  readonly file: string;
  readonly busyTimeoutMs: number;
}

interface LogState {
  /** Pages in the log. */
  readonly log: number;
  /** How many of them are in the file. */
  readonly checkpointed: number;
}

export class Checkpoints {
  readonly #writer: Connection;
  readonly #start: WorkerStart;
  readonly #limits: CheckpointLimits;
  readonly #logger: Logger;
  /** Started by the first checkpoint, and anew after it has died: an engine that writes little needs none. */
  #worker: Worker | undefined;
  /** The thread failed. */
  #isAlone = false;
  #underWay: Promise<void> | undefined;
  #end: (() => void) | undefined;
  /** How long the log was at the last checkpoint: what a reader or a full disk kept from the file then is not tried at each commit. */
  #seen = 0;
  /** The same of the last one that commits waited for. */
  #waitAgainAt: number;

  constructor(writer: Connection, start: WorkerStart, limits: CheckpointLimits, logger: Logger) {
    this.#writer = writer;
    this.#start = start;
    this.#limits = limits;
    this.#logger = logger;
    this.#waitAgainAt = limits.logPages;
  }

  /** After a commit. Cheap: it looks at two numbers. */
  look(): void {
    if (this.#isAlone) return;
    const { log, checkpointed } = this.#state();
    if (log < this.#seen) this.#beginsAnew();
    const worth = log < this.#limits.logPages ? this.#limits.pages : this.#few;
    if (log - Math.max(checkpointed, this.#seen) < worth) return;
    this.#seen = log;
    void this.#checkpoint();
  }

  /** Before a transaction begins: what it must wait for, so that the log does not grow for ever. */
  turn(): Promise<void> | undefined {
    if (this.#worker === undefined) return undefined;
    const { log, checkpointed } = this.#state();
    if (log < this.#waitAgainAt) return undefined;
    // Not yet: the thread is about to come near the end of the log by itself, and the wait is short then.
    const isNear = this.#underWay === undefined && log - checkpointed < this.#few;
    if (!isNear && log < 2 * this.#limits.logPages) return undefined;
    this.#waitAgainAt = log + this.#limits.pages;
    return this.#whole();
  }

  /** Ends the thread; the last connection that closes writes the rest back. */
  async close(): Promise<void> {
    await this.#underWay;
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.ref();
    worker.postMessage('close');
    await ended;
  }

  /** Pages that are written back in a few milliseconds. */
  get #few(): number {
    return this.#limits.pages / 4;
  }

  #beginsAnew(): void {
    this.#seen = 0;
    this.#waitAgainAt = this.#limits.logPages;
  }

  /** NOOP tells and does nothing. https://sqlite.org/pragma.html#pragma_wal_checkpoint */
  #state(): LogState {
    const state = this.#writer.row<LogState>('PRAGMA wal_checkpoint(NOOP)');
    return state ?? { log: 0, checkpointed: 0 };
  }

  /** One that begins now: the one under way does not see the newest pages. */
  async #whole(): Promise<void> {
    await this.#underWay;
    await this.#checkpoint();
  }

  #checkpoint(): Promise<void> {
    this.#underWay ??= new Promise((resolve) => {
      this.#end = () => {
        this.#underWay = undefined;
        this.#worker?.unref();
        resolve();
      };
      this.#worker ??= this.#run();
      this.#worker.ref();
      this.#worker.postMessage('checkpoint');
    });
    return this.#underWay;
  }

  #run(): Worker {
    const worker = new Worker(new URL('./checkpoint-worker.mjs', import.meta.url), {
      workerData: this.#start,
      // It holds next to nothing.
      resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 16 },
    });
    worker.on('message', (problem: string | undefined) => {
      if (problem !== undefined) {
        this.#logger.warn({ problem }, 'the log of the store could not be written back; tried again');
      }
      this.#end?.();
    });
    worker.on('error', (error) => this.#doWithout(error));
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#end?.();
    });
    return worker;
  }

  /** As SQLite does it unless told otherwise: the commits themselves. */
  #doWithout(error: unknown): void {
    this.#logger.error({}, 'the thread that writes the log of the store back failed; commits do it', error);
    this.#writer.run(`PRAGMA wal_autocheckpoint = ${this.#limits.pages}`);
    this.#isAlone = true;
  }
}
