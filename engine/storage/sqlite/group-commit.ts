// Group commit: works that come together share one transaction (a savepoint each) and one fsync. No work is answered before
// the fsync that made it durable.
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Refusal, unavailable } from '../../kernel/outcomes.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { CommitCounts, TransactionChoice } from '../store.ts';
import type { Connection } from './connection.ts';

export interface GroupLimits {
  /** Works in one commit, at most. */
  readonly works: number;
  /** No further work joins a commit after this time. */
  readonly durationMs: number;
  /** The same of a commit that nobody waits for. */
  readonly patientMs: number;
  /** A commit that somebody waits for takes in works that can wait no longer than this; one of them in any case. */
  readonly awaitedMs: number;
  /** Works that may wait; more are refused. */
  readonly queue: number;
  /** A work that takes longer is reported: it holds up all others. */
  readonly watchdogMs: number;
}

export interface GroupHooks {
  /** What a group must wait for before it begins. */
  readonly beforeGroup: () => Promise<void> | undefined;
  /** Before each work: what it holds back is its own from here on. */
  readonly beforeWork: () => void;
  /** Between groups, and after each work that can wait: what somebody waits for besides, and is over in a moment. */
  readonly betweenWorks: () => Promise<void> | undefined;
  /** Writes what the works held back for the end of the group. */
  readonly beforeCommit: () => void;
  /** In the same turn as the commit, or as its failure: what was read before may not be true any more. */
  readonly afterCommit: () => void;
  /** When its works were answered. */
  readonly afterGroup: () => void;
}

/** So long works let others finish. */
const momentMs = 1;
/** A group that took so long has much to write. */
const largeMs = 50;

interface Waiting {
  /** Of who asked for it: what is known there (its trace) is known inside too. */
  readonly context: ReturnType<typeof AsyncLocalStorage.snapshot>;
  readonly work: () => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly waiting: Waiting } & ({ readonly value: unknown } | { readonly error: unknown });

export class GroupCommit {
  readonly #connection: Connection;
  readonly #limits: GroupLimits;
  readonly #logger: Logger;
  readonly #inside = new AsyncLocalStorage<{ open: boolean }>();
  readonly #hooks: GroupHooks;
  /** What somebody waits for, and what can wait. */
  readonly #awaited: Waiting[] = [];
  readonly #patient: Waiting[] = [];
  #undo: (() => void)[] = [];
  #counts: CommitCounts = { commits: 0, transactions: 0 };
  /** Of those that can wait, how many are not through that may take long. */
  #long = 0;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(connection: Connection, limits: GroupLimits, logger: Logger, hooks: GroupHooks) {
    this.#hooks = hooks;
    this.#connection = connection;
    this.#limits = limits;
    this.#logger = logger;
  }

  /**
   * Runs `work` inside the next transaction; resolves with its result when that is durable. When `work` throws, what it wrote is
   * undone and its neighbours go on. Called from inside a work it throws: waiting for its own end would never end.
   */
  async run<T>(work: () => Promise<T>, choice: TransactionChoice = {}): Promise<T> {
    this.#refuseWhatCannotRun();
    const isLong = choice.canWait === true && choice.isShort !== true;
    if (isLong) this.#long += 1;
    try {
      return await this.#queue(work, choice);
    } finally {
      if (isLong) this.#long -= 1;
    }
  }

  get counts(): CommitCounts {
    return this.#counts;
  }

  get isHeldUp(): boolean {
    return this.#long > 0;
  }

  #queue<T>(work: () => Promise<T>, { canWait = false, isShort = false }: TransactionChoice): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = {
        context: AsyncLocalStorage.snapshot(),
        work,
        resolve: resolve as (value: unknown) => void,
        reject,
      };
      if (!canWait) this.#awaited.push(waiting);
      else if (isShort) this.#patient.unshift(waiting);
      else this.#patient.push(waiting);
      this.#running ??= this.#drain();
    });
  }

  /** To be called inside a work: `undo` is run if what the work wrote does not become durable. */
  onUndone(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** Refuses new works and waits for those that are queued. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  #refuseWhatCannotRun(): void {
    if (this.#inside.getStore()?.open === true) {
      throw new Error('a transaction was begun inside another one; use the transaction that is at hand');
    }
    if (this.#closed) throw unavailable('the store is closed');
    if (this.#queued >= this.#limits.queue) {
      throw unavailable('too many transactions wait for the disk; try again');
    }
  }

  /** Commits groups until nothing waits. A turn of the event loop between groups lets further callers join the next one. */
  async #drain(): Promise<void> {
    await Promise.resolve();
    while (this.#queued > 0) {
      await this.#hooks.beforeGroup();
      await this.#group();
      this.#hooks.afterGroup();
      await this.#turn();
    }
    this.#running = undefined;
  }

  async #group(): Promise<void> {
    const outcomes: Outcome[] = [];
    const watchdog = setTimeout(() => this.#reportSlowness(), this.#limits.watchdogMs);
    try {
      const begin = performance.now();
      this.#connection.run('BEGIN IMMEDIATE');
      await this.#works(outcomes);
      await turnAfter(begin);
      this.#hooks.beforeCommit();
      await turnAfter(begin);
      this.#connection.run('COMMIT');
      this.#count(outcomes.length);
      this.#hooks.afterCommit();
      this.#undo = [];
      for (const outcome of outcomes) settle(outcome);
    } catch (error) {
      this.#abandon(outcomes, error);
    } finally {
      clearTimeout(watchdog);
    }
  }

  #count(works: number): void {
    const { commits, transactions } = this.#counts;
    this.#counts = { commits: commits + 1, transactions: transactions + works };
  }

  /** What somebody waits for first. After each work that can wait the event loop turns, so that others may join. */
  async #works(outcomes: Outcome[]): Promise<void> {
    const group = { begin: performance.now(), awaited: 0, patient: 0 };
    for (let waiting = this.#next(group); waiting !== undefined; waiting = this.#next(group)) {
      try {
        outcomes.push(await this.#one(waiting));
      } catch (error) {
        // Its group cannot go on, and it is one of those that hear so.
        outcomes.push({ waiting, error: asRefusal(error) });
        throw error;
      }
      if (!this.#connection.database.isTransaction) throw new Error('SQLite gave the transaction up');
      if (group.patient > 0) await this.#turn();
    }
  }

  async #turn(): Promise<void> {
    await nextTurn();
    const others = this.#hooks.betweenWorks();
    if (others !== undefined) await Promise.race([others, sleep(momentMs)]);
  }

  /** The next work of the group: of each kind one in any case, and more while there is time. */
  #next(group: { readonly begin: number; awaited: number; patient: number }): Waiting | undefined {
    const { works, durationMs, patientMs, awaitedMs } = this.#limits;
    const { begin, awaited, patient } = group;
    const hasTime = (ms: number): boolean => awaited + patient < works && performance.now() - begin < ms;
    if (this.#awaited.length > 0 && (awaited === 0 || hasTime(durationMs))) {
      group.awaited += 1;
      return this.#awaited.shift();
    }
    if (patient > 0 && !hasTime(awaited > 0 ? awaitedMs : patientMs)) return undefined;
    group.patient += 1;
    return this.#patient.shift();
  }

  get #queued(): number {
    return this.#awaited.length + this.#patient.length;
  }

  async #one(waiting: Waiting): Promise<Outcome> {
    const mark = this.#undo.length;
    const scope = { open: true };
    this.#hooks.beforeWork();
    this.#connection.run('SAVEPOINT work');
    try {
      const value = await waiting.context(() => this.#inside.run(scope, waiting.work));
      this.#connection.run('RELEASE work');
      return { waiting, value };
    } catch (error) {
      this.#undoWork(mark);
      return { waiting, error: asRefusal(error) };
    } finally {
      scope.open = false;
    }
  }

  #undoWork(mark: number): void {
    for (const undo of this.#undo.splice(mark).reverse()) undo();
    if (!this.#connection.database.isTransaction) return;
    this.#connection.run('ROLLBACK TO work');
    this.#connection.run('RELEASE work');
  }

  /** Nothing of this group is kept: all its works hear so, and the store goes on with the next group. */
  #abandon(outcomes: readonly Outcome[], cause: unknown): void {
    if (this.#connection.database.isTransaction) this.#connection.run('ROLLBACK');
    this.#hooks.afterCommit();
    for (const undo of this.#undo.splice(0).reverse()) undo();
    const refusal = Object.assign(unavailable('the store could not write to its disk'), { cause });
    this.#logger.error({ works: outcomes.length }, 'a commit failed; nothing of it was kept', cause);
    for (const outcome of outcomes) outcome.waiting.reject('error' in outcome ? outcome.error : refusal);
    if (outcomes.length === 0) (this.#awaited.shift() ?? this.#patient.shift())?.reject(refusal);
  }

  #reportSlowness(): void {
    this.#logger.warn(
      { afterMs: this.#limits.watchdogMs, queued: this.#queued },
      'a transaction takes long and holds up all others: it must wait for nothing but itself',
    );
  }
}

/** What is left to do for a large group takes long as well, piece by piece: others have their turn before each. */
async function turnAfter(begin: number): Promise<void> {
  if (performance.now() - begin > largeMs) await nextTurn();
}

function settle(outcome: Outcome): void {
  if ('error' in outcome) outcome.waiting.reject(outcome.error);
  else outcome.waiting.resolve(outcome.value);
}

/** Primary result codes that speak of the disk or the memory, not of our statements: https://sqlite.org/rescode.html */
const outOfOrder = new Map([
  [5, 'busy'],
  [6, 'locked'],
  [7, 'out of memory'],
  [8, 'read only'],
  [10, 'input or output error'],
  [13, 'full'],
  [14, 'cannot be opened'],
]);

function asRefusal(error: unknown): unknown {
  if (error instanceof Refusal || !(error instanceof Error) || !('errcode' in error)) return error;
  const trouble = outOfOrder.get(Number(error.errcode) & 0xff);
  if (trouble === undefined) return error;
  return Object.assign(unavailable(`the store's disk or file: ${trouble}`), { cause: error });
}
