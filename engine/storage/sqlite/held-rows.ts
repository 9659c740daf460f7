// Index rows on their way into the file: held until there are many of them, or the commit comes, and written table by table, many rows a
// statement. So they take half the time that they take one by one, and for that time nobody else can write.
import type { Connection } from './connection.ts';
import type { IndexRow } from './entry-rows.ts';
import { indexTables, insertInto } from './index-tables.ts';

/** Rows that are written in a few milliseconds: no more are held. */
const mostHeld = 4_096;
/** How many rows a statement writes: what is left over goes by the smaller ones. */
const rowsAtOnce = [64, 16, 4, 1] as const;
const statements = indexTables.map((table) => ({
  table,
  insertions: rowsAtOnce.map((count) => ({ count, sql: insertInto(table, count) })),
}));

interface Insertion {
  readonly count: number;
  readonly sql: string;
}

export class HeldRows {
  readonly #connection: Connection;
  readonly #onUndone: (undo: () => void) => void;
  #rows: IndexRow[] = [];
  /** How many of them are of works before this one: if this one fails, they stay. */
  #ofOthers = 0;
  #isNoted = false;

  constructor(connection: Connection, onUndone: (undo: () => void) => void) {
    this.#connection = connection;
    this.#onUndone = onUndone;
  }

  /** To be told before each work: what is held already is not its own. */
  beginWork(): void {
    this.#ofOthers = this.#rows.length;
    this.#isNoted = false;
  }

  hold(row: IndexRow): void {
    this.#noteOnce();
    this.#rows.push(row);
    if (this.#rows.length >= mostHeld) this.flush();
  }

  /** Writes what is held: before the end of the commit group, and before anything in a transaction reads or deletes index rows. */
  flush(): void {
    if (this.#rows.length === 0) return;
    const [rows, ofOthers] = [this.#rows, this.#ofOthers];
    this.#onUndone(() => (this.#rows = rows));
    this.#rows = [];
    this.beginWork();
    for (const { table, insertions } of statements) {
      const own = rows.filter((row) => row.table === table);
      if (own.length > 0) this.#write(own, insertions);
    }
    // If this work fails, the others' are still to be written; its own need not be kept that long.
    rows.length = ofOthers;
  }

  #noteOnce(): void {
    if (this.#isNoted) return;
    this.#isNoted = true;
    const [rows, ofOthers] = [this.#rows, this.#ofOthers];
    this.#onUndone(() => (rows.length = ofOthers));
  }

  #write(rows: readonly IndexRow[], insertions: readonly Insertion[]): void {
    let start = 0;
    for (const { count, sql } of insertions) {
      for (; rows.length - start >= count; start += count) {
        const values = rows.slice(start, start + count).flatMap((row) => row.values);
        this.#connection.run(sql, ...values);
      }
    }
  }
}
