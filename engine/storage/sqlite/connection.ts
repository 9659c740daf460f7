// One connection to the database file, with every statement prepared once.
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Timer } from './time-limit.ts';

export type SqlValue = SQLInputValue;

export interface ConnectionOptions {
  /** Memory for cached pages, KiB. */
  readonly cacheKiB: number;
  /** How much of the file is read through a memory map, bytes. */
  readonly mapBytes: number;
  /** How long to wait for a lock that another process (a backup) holds. */
  readonly busyTimeoutMs: number;
}

const statementLimit = 500;

export class Connection {
  readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #timer = new Timer();

  constructor(file: string, options: ConnectionOptions) {
    this.database = new DatabaseSync(file, { timeout: options.busyTimeoutMs });
    this.database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -${options.cacheKiB}; PRAGMA mmap_size = ${options.mapBytes};
      PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; PRAGMA trusted_schema = OFF;`);
    this.database.function('in_time', () => this.#timer.check());
  }

  /** The prepared statement of this text. Texts are few: values are bound, never written into them. */
  prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.database.prepare(sql);
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

  #forgetOldest(): void {
    if (this.#statements.size < statementLimit) return;
    const [oldest] = this.#statements.keys();
    if (oldest !== undefined) this.#statements.delete(oldest);
  }
}
