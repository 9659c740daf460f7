// One connection to the database file, with every statement prepared once.
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { hasTermsOf } from './message-terms.ts';
import { RowsAreUp, Timer } from './time-limit.ts';

export type SqlValue = SQLInputValue;

export interface ConnectionOptions {
  /** Memory for cached pages, KiB. */
  readonly cacheKiB: number;
  /** How much of the file is read through a memory map, bytes. */
  readonly mapBytes: number;
  /** How long to wait for a lock that another process (a backup) holds. */
  readonly busyTimeoutMs: number;
  /** For a look beside an engine that may be running: nothing of the file is changed. */
  readonly readOnly?: boolean;
  /** Another connection writes the log back to the file: see checkpoints.ts. */
  readonly leavesCheckpoints?: boolean;
}

export interface FirstRows<Row> {
  readonly rows: readonly Row[];
  readonly isAll: boolean;
}

const statementLimit = 500;

/**
 * SQLite looks at what is bound to a bare `LIMIT ?` when it plans, and so plans the statement anew at each binding, which can take
 * longer than to run it. It does not look into a sum.
 */
const plannedOnce = (sql: string): string => sql.replaceAll(/\b(?:LIMIT|OFFSET) \?\d*/g, '$& + 0');

/** A commit is durable when it returns; the log is cut to 64 MB when it has grown. */
const forWriting = `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;`;

/** Without others who do it, a commit writes the log back to the file every 16 MB. */
const ownCheckpointPages = 4_000;

/** Free pages can be given back to the disk while the file is in use: to be said of a file before there is any table in it. */
const canShrink = 'PRAGMA auto_vacuum = INCREMENTAL;';

/** How many words a document of the text index has, from its row of sizes: https://sqlite.org/fts5.html#the_internals_of_fts5 */
function wordCount(sizes: unknown): number {
  const bytes = sizes instanceof Uint8Array ? sizes : new Uint8Array();
  return bytes.reduce((count, byte) => count * 128 + (byte & 127), 0);
}

export class Connection {
  readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #timer = new Timer();

  constructor(file: string, options: ConnectionOptions) {
    const { busyTimeoutMs: timeout, readOnly = false, leavesCheckpoints = false } = options;
    this.database = new DatabaseSync(file, { timeout, readOnly });
    this.database.exec(`PRAGMA temp_store = MEMORY; PRAGMA cache_size = -${options.cacheKiB};
      PRAGMA mmap_size = ${options.mapBytes}; PRAGMA trusted_schema = OFF;`);
    if (!readOnly) {
      const pages = leavesCheckpoints ? 0 : ownCheckpointPages;
      if (this.#isEmpty()) this.database.exec(canShrink);
      this.database.exec(`${forWriting} PRAGMA wal_autocheckpoint = ${pages};`);
    }
    this.database.function('in_time', () => this.#timer.check());
    this.database.function('word_count', { deterministic: true }, wordCount);
    this.database.function('has_terms', { deterministic: true }, hasTermsOf());
  }

  /** The prepared statement of this text. Texts are few: values are bound, never written into them. */
  prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.database.prepare(plannedOnce(sql));
    this.#forgetOldest();
    this.#statements.set(sql, statement);
    return statement;
  }

  /** The first row, as the columns that the statement names. */
  // The statement names its columns, so its writer knows their types.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  row<Row>(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    return this.prepare(sql).get(...values) as Row | undefined;
  }

  // The statement names its columns, so its writer knows their types.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  rows<Row>(sql: string, ...values: readonly SqlValue[]): readonly Row[] {
    return this.prepare(sql).all(...values) as unknown as readonly Row[];
  }

  /**
   * The rows that are found while at most so many are looked at: all, or those that come first. The statement must ask `in_time()` for
   * each row that it looks at, and give its rows without sorting them.
   */
  rowsWithin<Row>(looked: number, sql: string, ...values: readonly SqlValue[]): FirstRows<Row> {
    const rows: Row[] = [];
    try {
      this.#timer.tryRows(looked, () => {
        for (const row of this.prepare(sql).iterate(...values)) rows.push(row as Row);
      });
      return { rows, isAll: true };
    } catch (error) {
      // An iteration that was broken off by an error leaves its statement in that error: it is not used again.
      this.#statements.delete(sql);
      if (error instanceof RowsAreUp) return { rows, isAll: false };
      throw error;
    }
  }

  /** Rows one by one; the statement must not be run anew before the last one. */
  // The statement names its columns, so its writer knows their types.

  each<Row>(sql: string, ...values: readonly SqlValue[]): Iterable<Row> {
    return this.database.prepare(sql).iterate(...values) as unknown as Iterable<Row>;
  }

  /** How many rows the statement changed. */
  run(sql: string, ...values: readonly SqlValue[]): number {
    return Number(this.prepare(sql).run(...values).changes);
  }

  /** Runs reads that belong together: they see one state of the file, and take its locks once. */
  snapshot<T>(reads: () => T): T {
    if (this.database.isTransaction) return reads();
    this.run('BEGIN');
    try {
      return reads();
    } finally {
      this.run('COMMIT');
    }
  }

  /** How many rows were looked at since the timer was started. */
  get looked(): number {
    return this.#timer.rows;
  }

  /** Runs reads whose statements ask `in_time()` row by row. Throws TimeIsUp when they take longer. */
  within<T>(limitMs: number, reads: () => T): T {
    this.#timer.start(limitMs);
    try {
      return reads();
    } finally {
      this.#timer.start(Infinity);
    }
  }

  close(): void {
    this.#statements.clear();
    this.database.close();
  }

  #isEmpty(): boolean {
    return this.database.prepare('PRAGMA page_count').get()?.['page_count'] === 0;
  }

  #forgetOldest(): void {
    if (this.#statements.size < statementLimit) return;
    const [oldest] = this.#statements.keys();
    if (oldest !== undefined) this.#statements.delete(oldest);
  }
}
