// Jobs in SQLite. Each change is a work of the group commit: durable when it resolves, and never made twice.
import type { JobFilter, JobStore, StoredJob } from '../job-store.ts';
import type { Connection, SqlValue } from './connection.ts';
import type { GroupCommit } from './group-commit.ts';

interface JobRow {
  readonly id: string;
  readonly name: string;
  readonly type: StoredJob['type'];
  readonly priority: number;
  readonly next_run_at: number | null;
  readonly locked_at: number | null;
  readonly disabled: number;
  readonly details: string;
}

export class SqliteJobStore implements JobStore {
  readonly #reader: Connection;
  readonly #writer: Connection;
  readonly #commit: GroupCommit;

  constructor(reader: Connection, writer: Connection, commit: GroupCommit) {
    this.#reader = reader;
    this.#writer = writer;
    this.#commit = commit;
  }

  async jobs(filter: JobFilter): Promise<readonly StoredJob[]> {
    const { where, values } = chosen(filter);
    const sql = `SELECT * FROM job ${where} ORDER BY next_run_at IS NULL, next_run_at, id LIMIT ?`;
    return this.#reader.rows<JobRow>(sql, ...values, filter.limit ?? -1).map(jobOf);
  }

  async save(job: StoredJob): Promise<StoredJob> {
    return this.#commit.run(async () => {
      const id = (job.type === 'single' ? this.#singleId(job.name) : undefined) ?? job.id;
      const sql = `INSERT INTO job (id, name, type, priority, next_run_at, locked_at, disabled, details)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, type = excluded.type,
        priority = excluded.priority, next_run_at = excluded.next_run_at,
        disabled = excluded.disabled, details = excluded.details`;
      const row = this.#writer.row<JobRow>(`${sql} RETURNING *`, ...valuesOf({ ...job, id }));
      if (row === undefined) throw new Error('a saved job is not in the store');
      return jobOf(row);
    });
  }

  async remove(filter: JobFilter): Promise<number> {
    const { where, values } = chosen(filter);
    const sql = `DELETE FROM job WHERE id IN (SELECT id FROM job ${where} LIMIT ?)`;
    return this.#commit.run(async () => this.#writer.run(sql, ...values, filter.limit ?? -1));
  }

  async take(
    name: string,
    now: number,
    dueBefore: number,
    lockExpiredBefore: number,
  ): Promise<StoredJob | undefined> {
    // Nearly always nothing is due: then nothing is written.
    if (this.#due(this.#reader, name, dueBefore, lockExpiredBefore) === undefined) return undefined;
    return this.#commit.run(async () => {
      const due = this.#due(this.#writer, name, dueBefore, lockExpiredBefore);
      return due && this.#setLock(due.id, now);
    });
  }

  async lock(id: string, now: number, lockExpiredBefore: number): Promise<StoredJob | undefined> {
    return this.#commit.run(async () => {
      const sql =
        'SELECT id FROM job WHERE id = ? AND disabled = 0 AND (locked_at IS NULL OR locked_at <= ?)';
      const free = this.#writer.row<{ id: string }>(sql, id, lockExpiredBefore);
      return free && this.#setLock(id, now);
    });
  }

  async unlock(ids: readonly string[]): Promise<void> {
    await this.#commit.run(async () => {
      for (const id of ids) this.#writer.run('UPDATE job SET locked_at = NULL WHERE id = ?', id);
    });
  }

  #singleId(name: string): string | undefined {
    const sql = `SELECT id FROM job WHERE name = ? AND type = 'single'`;
    return this.#writer.row<{ id: string }>(sql, name)?.id;
  }

  #due(
    connection: Connection,
    name: string,
    dueBefore: number,
    lockExpiredBefore: number,
  ): { readonly id: string } | undefined {
    const sql = `SELECT id FROM job WHERE name = ? AND disabled = 0 AND
      ((locked_at IS NULL AND next_run_at <= ?) OR locked_at <= ?) ORDER BY priority DESC, next_run_at, id LIMIT 1`;
    return connection.row<{ id: string }>(sql, name, dueBefore, lockExpiredBefore);
  }

  #setLock(id: string, now: number): StoredJob | undefined {
    const sql = 'UPDATE job SET locked_at = ? WHERE id = ? RETURNING *';
    const row = this.#writer.row<JobRow>(sql, now, id);
    return row && jobOf(row);
  }
}

function chosen(filter: JobFilter): { readonly where: string; readonly values: readonly SqlValue[] } {
  const criteria = [
    { sql: 'id = ?', value: filter.id },
    { sql: 'name = ?', value: filter.name },
  ].flatMap(({ sql, value }) => (value === undefined ? [] : [{ sql, value }]));
  const where = criteria.length === 0 ? '' : `WHERE ${criteria.map(({ sql }) => sql).join(' AND ')}`;
  return { where, values: criteria.map(({ value }) => value) };
}

function valuesOf(job: StoredJob): readonly SqlValue[] {
  const { id, name, type, priority, nextRunAt, lockedAt, disabled, details } = job;
  return [id, name, type, priority, nextRunAt ?? null, lockedAt ?? null, disabled ? 1 : 0, details];
}

function jobOf(row: JobRow): StoredJob {
  return {
    id: row.id,
    name: row.name,
    type: row.type,
    priority: row.priority,
    nextRunAt: row.next_run_at ?? undefined,
    lockedAt: row.locked_at ?? undefined,
    disabled: row.disabled === 1,
    details: row.details,
  };
}
