// The port to where scheduled jobs live. One row a job; a job has at most one holder at a time.

export interface StoredJob {
  readonly id: string;
  readonly name: string;
  /** `single`: at most one job of this name (a repeated one); `normal`: one run each. */
  readonly type: 'normal' | 'single';
  readonly priority: number;
  /** ms since 1970; undefined when it will not run again. */
  readonly nextRunAt: number | undefined;
  readonly lockedAt: number | undefined;
  readonly disabled: boolean;
  /** All other fields of the scheduler's own record, as JSON. */
  readonly details: string;
}

export interface JobFilter {
  readonly id?: string;
  readonly name?: string;
  readonly limit?: number;
}

export interface JobStore {
  jobs(filter: JobFilter): Promise<readonly StoredJob[]>;
  /**
   * Inserts or replaces by id; for `single`, replaces the one of that name, keeping its id. The lock of a job that is there stays
   * as it is: only `take`, `lock` and `unlock` change it. Resolves when durable.
   */
  save(job: StoredJob): Promise<StoredJob>;
  remove(filter: JobFilter): Promise<number>;
  /**
   * Takes the job of this name that is due by `dueBefore` and not locked (or locked before `lockExpiredBefore`), highest priority
   * first, then oldest; sets lockedAt to `now`. Two callers never get the same one.
   */
  take(
    name: string,
    now: number,
    dueBefore: number,
    lockExpiredBefore: number,
  ): Promise<StoredJob | undefined>;
  /** Locks one job if it is not locked since; undefined when somebody else was faster. */
  lock(id: string, now: number, lockExpiredBefore: number): Promise<StoredJob | undefined>;
  unlock(ids: readonly string[]): Promise<void>;
}
