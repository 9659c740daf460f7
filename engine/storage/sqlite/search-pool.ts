// Searches on threads of their own, so that a long one holds up neither reads nor acknowledgements on the main thread.
import { Worker } from 'node:worker_threads';
import { Refusal, unavailable } from '../../kernel/outcomes.ts';
import type { SearchPage } from '../resource-store.ts';
import type { SearchAnswer, SearchError, SearchQuestion, SearchTask, WorkerStart } from './search-task.ts';

export interface PoolLimits {
  /** How long a search may hold up the main thread before it goes to the pool. */
  readonly hereMs: number;
  /** Threads; each has a connection of its own. */
  readonly threads: number;
  /** Searches that may be under way or wait; more are refused. */
  readonly searches: number;
  /** A search that takes longer is stopped. */
  readonly limitMs: number;
}

interface Waiting {
  readonly resolve: (page: SearchPage) => void;
  readonly reject: (error: unknown) => void;
}

/** One thread and what it was asked. It is started by its first search, and anew after it has died. */
class Reader {
  readonly #start: WorkerStart;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;

  constructor(start: WorkerStart) {
    this.#start = start;
  }

  get busy(): number {
    return this.#waiting.size;
  }

  ask(question: SearchQuestion): Promise<SearchPage> {
    this.#worker ??= this.#run();
    const id = (this.#lastId += 1);
    const task: SearchTask = { ...question, id };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker?.postMessage(task);
      this.#worker?.ref();
    });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#fail(unavailable('the store is closed'));
  }

  /** An idle thread does not keep the process alive. */
  #run(): Worker {
    const worker = new Worker(new URL('./search-worker.ts', import.meta.url), { workerData: this.#start });
    worker.on('message', (answer: SearchAnswer) => this.#take(answer));
    worker.on('error', (error) => this.#fail(error));
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#fail(unavailable('the search was given up with its thread; try again'));
    });
    return worker;
  }

  #take(answer: SearchAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker?.unref();
    if ('page' in answer) waiting?.resolve(answer.page);
    else waiting?.reject(thrown(answer.error));
  }

  #fail(error: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

const thrown = ({ code, message, expression }: SearchError): Error =>
  code === undefined
    ? new Error(`a search failed on its thread: ${message}`)
    : new Refusal(code, message, expression);

export class SearchPool {
  readonly #readers: readonly Reader[];
  readonly #limits: PoolLimits;

  constructor(start: Omit<WorkerStart, 'limitMs'>, limits: PoolLimits) {
    this.#limits = limits;
    this.#readers = Array.from(
      { length: limits.threads },
      () => new Reader({ ...start, limitMs: limits.limitMs }),
    );
  }

  /** Carries the search out on the thread that has the least to do. Throws Refusal `unavailable` when too many wait. */
  async search(question: SearchQuestion): Promise<SearchPage> {
    const underWay = this.#readers.reduce((sum, reader) => sum + reader.busy, 0);
    const reader = this.#readers.reduce((least, one) => (one.busy < least.busy ? one : least));
    if (underWay >= this.#limits.searches) throw unavailable('too many searches wait; try again');
    return reader.ask(question);
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.close()));
  }
}
