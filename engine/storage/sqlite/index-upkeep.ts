// The upkeep of the index in SQLite: a thread compares a slice and tells what differs, and small transactions mend it here.
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import type { IndexUpkeep, MendParts, ReindexTask } from '../index-upkeep.ts';
import type { CompareAnswer, CompareStart, CompareTask, Differing } from './compare-task.ts';
import type { Connection } from './connection.ts';
import type { GroupCommit } from './group-commit.ts';
import type { IndexWriter } from './index-rows.ts';
import { ridSpan, unknownNumber, type NameWriter } from './names.ts';

export interface UpkeepParts {
  readonly names: NameWriter;
  readonly index: IndexWriter;
  readonly commit: GroupCommit;
  readonly compare: Omit<CompareStart, 'recipe'>;
}

/** Resources compared at a time, at least; a larger type is compared in so many slices. */
const leastSlice = 5_000;
const slices = 20;
/** Resources mended in one transaction. */
const mendedAtOnce = 50;

interface TaskRow {
  readonly type: string;
  readonly place: number;
  readonly total: number;
  readonly seen: number;
  readonly mended: number;
  readonly requested_at: number;
  readonly finished_at: number | null;
}

const columns = 'type, place, total, seen, mended, requested_at, finished_at';

export class SqliteIndexUpkeep implements IndexUpkeep {
  readonly #parts: UpkeepParts;
  readonly #connection: Connection;
  readonly #closed = new AbortController();

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
    this.#connection = parts.names.connection;
  }

  async tasks(): Promise<readonly ReindexTask[]> {
    return this.#connection.rows<TaskRow>(`SELECT ${columns} FROM reindex_task ORDER BY type`).map(taskOf);
  }

  async request(types: readonly string[] | undefined, at: number): Promise<void> {
    const { names, commit } = this.#parts;
    await commit.run(async () => {
      const sql = `INSERT OR REPLACE INTO reindex_task (${columns}) VALUES (?, 0, ?, 0, 0, ?, NULL)`;
      for (const type of types ?? this.#storedTypes()) {
        this.#connection.run(sql, type, names.countedRids(names.find('type', type)), at);
      }
    });
  }

  async mendNext(parts: MendParts, at: number): Promise<ReindexTask | undefined> {
    const sql = `SELECT ${columns} FROM reindex_task WHERE finished_at IS NULL ORDER BY requested_at, type LIMIT 1`;
    const task = this.#connection.row<TaskRow>(sql);
    if (task === undefined) return undefined;
    const number = this.#parts.names.find('type', task.type);
    const last = number === unknownNumber ? 0 : this.#parts.names.countedRids(number);
    const until = Math.min(last, task.place + Math.max(leastSlice, Math.ceil(task.total / slices)));
    const { low } = ridSpan(number);
    const mended = until === task.place ? 0 : await this.#mendSlice(low + task.place + 1, low + until, parts);
    await this.#note(task, until, mended, until === last ? at : null);
    return this.#current(task.type);
  }

  /** What is under way is given up; where it stands is in the store. */
  close(): void {
    this.#closed.abort();
  }

  #storedTypes(): readonly string[] {
    const sql = `SELECT text FROM name WHERE kind = 1 AND EXISTS (SELECT 1 FROM resource WHERE type = number AND live = 1)`;
    return this.#connection.rows<{ text: string }>(sql).map(({ text }) => text);
  }

  #current(type: string): ReindexTask | undefined {
    const row = this.#connection.row<TaskRow>(`SELECT ${columns} FROM reindex_task WHERE type = ?`, type);
    return row && taskOf(row);
  }

  /** A task that was begun anew meanwhile stays at its beginning. */
  async #note(task: TaskRow, place: number, mended: number, finishedAt: number | null): Promise<void> {
    const sql = `UPDATE reindex_task SET place = ?, seen = seen + ?, mended = mended + ?, finished_at = ?
      WHERE type = ? AND place = ? AND requested_at = ?`;
    await this.#parts.commit.run(async () =>
      this.#connection.run(
        sql,
        place,
        place - task.place,
        mended,
        finishedAt,
        task.type,
        task.place,
        task.requested_at,
      ),
    );
  }

  /** Answers how many resources were mended. */
  async #mendSlice(low: number, high: number, parts: MendParts): Promise<number> {
    const start: CompareStart = { ...this.#parts.compare, recipe: parts.recipe };
    const worker = new Worker(new URL('./compare-worker.ts', import.meta.url), { workerData: start });
    try {
      let mended = 0;
      for (;;) {
        worker.postMessage({ low, high } satisfies CompareTask);
        const [{ resources, isAll }] = (await once(worker, 'message', this.#closed)) as [CompareAnswer];
        await this.#mendAll(resources, parts);
        mended += resources.length;
        if (isAll) return mended;
      }
    } finally {
      await worker.terminate();
    }
  }

  async #mendAll(resources: readonly Differing[], { entriesOf, breathe }: MendParts): Promise<void> {
    const { commit } = this.#parts;
    for (let first = 0; first < resources.length; first += mendedAtOnce) {
      const begin = performance.now();
      await commit.run(async () => {
        for (const one of resources.slice(first, first + mendedAtOnce)) this.#mend(one, entriesOf);
      });
      await breathe(performance.now() - begin);
    }
  }

  /** By what the resource is now: it may have changed since it was compared. */
  #mend({ rid, stale, words }: Differing, entriesOf: MendParts['entriesOf']): void {
    const sql = 'SELECT body FROM resource WHERE rid = ? AND live = 1';
    const body = this.#connection.row<{ body: string }>(sql, rid)?.body;
    this.#parts.index.mend(rid, body === undefined ? [] : entriesOf(body), stale, words);
  }
}

const taskOf = (row: TaskRow): ReindexTask => ({
  type: row.type,
  requestedAt: row.requested_at,
  finishedAt: row.finished_at ?? undefined,
  total: row.total,
  seen: row.seen,
  mended: row.mended,
});
