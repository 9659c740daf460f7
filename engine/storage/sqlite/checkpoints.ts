// When the log is written back to the file, and by whom: a thread, while the engine goes on. A writer can begin the log anew only when
// all of it is in the file, and it never is while others go on writing; so when the log has grown long, the next commit waits for one more
// checkpoint, which has little left to do. What waits is that commit, never the event loop. https://sqlite.org/wal.html
import { Worker } from 'node:worker_threads';
import type { Logger } from '../../kernel/logger.ts';
import type { CheckpointStart, CheckpointTold } from './checkpoint-task.ts';
import type { Connection } from './connection.ts';

export interface CheckpointLimits {
  /** So many pages in the log and not in the file are worth a checkpoint: 4 kB each. */
  readonly pages: number;
  /** So many pages in the log make the next commit wait. */
  readonly logPages: number;
}

interface LogState {
  /** Pages in the log. */
  readonly log: number;
  /** How many of them are in the file. */
  readonly checkpointed: number;
}

export class Checkpoints {
  readonly #writer: Connection;
  readonly #start: CheckpointStart;
  readonly #limits: CheckpointLimits;
  readonly #logger: Logger;
  /** Started by the first checkpoint, and anew after it has died: an engine that writes little needs none. */
  #worker: Worker | undefined;
  #underWay: Promise<void> | undefined;
  #end: (() => void) | undefined;
  /** A reader may need the old log for long; waiting for each commit would not help it. */
  #waitAgainAt: number;

  constructor(writer: Connection, start: CheckpointStart, limits: CheckpointLimits, logger: Logger) {
    this.#writer = writer;
    this.#start = start;
    this.#limits = limits;
    this.#logger = logger;
    this.#waitAgainAt = limits.logPages;
  }

  /** After a commit. Cheap: it looks at two numbers. */
  look(): void {
    const { log, checkpointed } = this.#state();
    if (log < this.#limits.logPages) this.#waitAgainAt = this.#limits.logPages;
    if (log - checkpointed >= this.#limits.pages) void this.#checkpoint();
  }

  /** Before a transaction begins: what it must wait for, so that the log does not grow for ever. */
  turn(): Promise<void> | undefined {
    if (this.#worker === undefined) return undefined;
    const { log } = this.#state();
    if (log < this.#waitAgainAt) return undefined;
    this.#waitAgainAt = log + this.#limits.pages;
    return this.#whole();
  }

  /** Ends the thread; the last connection that closes writes the rest back. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    await this.#underWay;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.ref();
    worker.postMessage('close');
    await ended;
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
    const worker = new Worker(new URL('./checkpoint-worker.ts', import.meta.url), {
      workerData: this.#start,
    });
    worker.on('message', ({ problem }: CheckpointTold) => {
      if (problem !== undefined) {
        this.#logger.warn({ problem }, 'the log of the store could not be written back; tried again');
      }
      this.#end?.();
    });
    worker.on('error', (error) => this.#logger.error({}, 'the thread of the checkpoints failed', error));
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#end?.();
    });
    return worker;
  }
}
