// Agenda over our JobStore, so that jobs live in the tenant's own file and need no other database.
// What each method owes is in agenda's `JobRepository`; where it is silent this does what its MongoDB backend does.
import {
  computeJobState,
  InMemoryNotificationChannel,
  toJobId,
  type AgendaBackend,
  type JobParameters,
  type JobRepository,
  type JobsOverview,
  type JobsQueryOptions,
  type JobsResult,
  type JobState,
  type JobWithState,
  type RemoveJobsOptions,
} from 'agenda';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { JobStore, StoredJob } from '../storage/job-store.ts';
import { jobOf, storedJobOf } from './job-record.ts';

export interface BackendParts {
  readonly jobs: JobStore;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** The store outlives the backend: it is opened and closed by whoever opened it. */
export function agendaBackend(parts: BackendParts): AgendaBackend {
  return {
    name: 'kiungo',
    repository: new StoredJobs(parts),
    notificationChannel: new InMemoryNotificationChannel(),
    ownsConnection: false,
    connect: () => Promise.resolve(),
    disconnect: () => Promise.resolve(),
  };
}

class StoredJobs implements JobRepository {
  readonly #jobs: JobStore;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor({ jobs, clock, ids }: BackendParts) {
    this.#jobs = jobs;
    this.#clock = clock;
    this.#ids = ids;
  }

  connect(): Promise<void> {
    return Promise.resolve();
  }

  async getJobById(id: string): Promise<JobParameters | null> {
    const [stored] = await this.#jobs.jobs({ id });
    return stored === undefined ? null : jobOf(stored);
  }

  async queryJobs(options: JobsQueryOptions = {}): Promise<JobsResult> {
    const now = new Date(this.#clock.now());
    const stored = await this.#jobs.jobs(options.name === undefined ? {} : { name: options.name });
    const found = stored
      .map((job): JobWithState => ({ ...jobOf(job), state: computeJobState(jobOf(job), now) }))
      .filter((job) => isAsked(job, options));
    const skip = options.skip ?? 0;
    return { jobs: found.slice(skip, skip + (options.limit ?? found.length)), total: found.length };
  }

  async getJobsOverview(): Promise<JobsOverview[]> {
    const { jobs } = await this.queryJobs();
    return [...Map.groupBy(jobs, (job) => job.name)].map(([name, ofName]) => overviewOf(name, ofName));
  }

  async getDistinctJobNames(): Promise<string[]> {
    const stored = await this.#jobs.jobs({});
    return [...new Set(stored.map((job) => job.name))].sort();
  }

  async getQueueSize(): Promise<number> {
    const now = this.#clock.now();
    const stored = await this.#jobs.jobs({});
    return stored.filter((job) => job.nextRunAt !== undefined && job.nextRunAt < now).length;
  }

  /** A repeated job that is there keeps the time of its next run, unless the new one lies in the future. */
  async saveJob<Data = unknown>(job: JobParameters<Data>): Promise<JobParameters<Data>> {
    if (job.unique !== undefined)
      {throw new Error('unique jobs are not offered; give the job an id of its own');}
    const known = await this.#known(job);
    const next = { ...(known && jobOf(known)), ...job };
    const isPast = job.nextRunAt !== null && job.nextRunAt.getTime() <= this.#clock.now();
    const nextRunAt = job.type === 'single' && isPast && known ? jobOf(known).nextRunAt : job.nextRunAt;
    const saved = await this.#jobs.save(storedJobOf({ ...next, nextRunAt }, this.#ids.next()));
    return jobOf(saved) as JobParameters<Data>;
  }

  /** What the running of a job changes; called by the holder of its lock. */
  async saveJobState(job: JobParameters): Promise<void> {
    const [known] = await this.#jobs.jobs({ id: idOf(job) });
    if (known === undefined) throw new Error(`job ${job.name} was removed while it ran`);
    await this.#jobs.save(storedJobOf({ ...jobOf(known), ...stateOf(job) }, known.id));
    if (job.lockedAt === undefined) await this.#jobs.unlock([known.id]);
    else await this.#jobs.lock(known.id, job.lockedAt.getTime(), job.lockedAt.getTime());
  }

  async lockJob(job: JobParameters): Promise<JobParameters | undefined> {
    const locked = await this.#jobs.lock(idOf(job), this.#clock.now(), -Infinity);
    return locked && jobOf(locked);
  }

  async unlockJob(job: JobParameters): Promise<void> {
    await this.#jobs.unlock([idOf(job)]);
  }

  async unlockJobs(jobIds: readonly string[]): Promise<void> {
    await this.#jobs.unlock(jobIds);
  }

  async getNextJobToRun(
    jobName: string,
    nextScanAt: Date,
    lockDeadline: Date,
    now: Date | undefined,
  ): Promise<JobParameters | undefined> {
    const at = now?.getTime() ?? this.#clock.now();
    const taken = await this.#jobs.take(jobName, at, nextScanAt.getTime(), lockDeadline.getTime());
    return taken && jobOf(taken);
  }

  async removeJobs(options: RemoveJobsOptions): Promise<number> {
    const chosen = await this.#chosen(options);
    let removed = 0;
    for (const { id } of chosen) removed += await this.#jobs.remove({ id });
    return removed;
  }

  disableJobs(options: RemoveJobsOptions): Promise<number> {
    return this.#setDisabled(options, true);
  }

  enableJobs(options: RemoveJobsOptions): Promise<number> {
    return this.#setDisabled(options, false);
  }

  purgeAllJobs(): Promise<number> {
    return this.#jobs.remove({});
  }

  async #known(job: Pick<JobParameters, '_id' | 'name' | 'type'>): Promise<StoredJob | undefined> {
    if (job._id !== undefined) return (await this.#jobs.jobs({ id: job._id }))[0];
    if (job.type !== 'single') return undefined;
    return (await this.#jobs.jobs({ name: job.name })).find(({ type }) => type === 'single');
  }

  async #setDisabled(options: RemoveJobsOptions, disabled: boolean): Promise<number> {
    const chosen = await this.#chosen(options);
    for (const job of chosen) await this.#jobs.save({ ...job, disabled });
    return chosen.length;
  }

  async #chosen(options: RemoveJobsOptions): Promise<readonly StoredJob[]> {
    const stored = await this.#jobs.jobs({});
    return stored.filter((job) => isChosen(job, options));
  }
}

function idOf(job: JobParameters): string {
  if (job._id === undefined) throw new Error(`job ${job.name} was never saved`);
  return job._id;
}

const stateFields = [
  'nextRunAt',
  'lastRunAt',
  'lastFinishedAt',
  'failedAt',
  'failCount',
  'failReason',
  'progress',
] as const;

function stateOf(job: JobParameters): Partial<JobParameters> {
  return Object.fromEntries(stateFields.map((field) => [field, job[field]]));
}

function isAsked(job: JobWithState, options: JobsQueryOptions): boolean {
  const { names, id, ids, state, search, includeDisabled } = options;
  return (
    (names === undefined || names.includes(job.name)) &&
    (id === undefined || job._id === id) &&
    (ids === undefined || ids.includes(job._id)) &&
    (state === undefined || job.state === state) &&
    (search === undefined || job.name.toLowerCase().includes(search.toLowerCase())) &&
    (includeDisabled !== false || job.disabled !== true)
  );
}

/** No criterion at all chooses nothing: emptying the store has a method of its own. */
function isChosen(job: StoredJob, options: RemoveJobsOptions): boolean {
  const { id, ids, name, names, notNames, data } = options;
  const criteria = [
    id === undefined || job.id === id,
    ids === undefined || ids.includes(toJobId(job.id)),
    name === undefined || job.name === name,
    names === undefined || names.includes(job.name),
    notNames === undefined || !notNames.includes(job.name),
    data === undefined || JSON.stringify(jobOf(job).data) === JSON.stringify(data),
  ];
  return Object.values(options).some((value) => value !== undefined) && criteria.every(Boolean);
}

function overviewOf(name: string, jobs: readonly JobWithState[]): JobsOverview {
  const of = (state: JobState): number => jobs.filter((job) => job.state === state).length;
  return {
    name,
    total: jobs.length,
    running: of('running'),
    scheduled: of('scheduled'),
    queued: of('queued'),
    completed: of('completed'),
    failed: of('failed'),
    repeating: of('repeating'),
    paused: of('paused'),
  };
}
