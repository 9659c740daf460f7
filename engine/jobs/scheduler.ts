// Jobs at their time: repeated ones and single ones, kept in the store, each run by one engine at a time. https://github.com/agenda/agenda
import { Agenda, type Job } from 'agenda';
import type { Logger } from '../kernel/logger.ts';
import { agendaBackend, type BackendParts } from './agenda-backend.ts';

export interface JobRun {
  readonly name: string;
  readonly data: unknown;
}

export type JobHandler = (run: JobRun) => Promise<void>;

export interface JobOptions {
  /**
   * How long after its last sign of life a run counts as dead, so that another engine may run the job; signs of life are given
   * while the handler works. Default 30 s.
   */
  readonly lockLifetimeMs?: number;
}

export interface SchedulerParts extends BackendParts {
  readonly logger: Logger;
  /** How often due jobs are looked for; what this scheduler schedules itself is seen at once. Default 5 s. */
  readonly pollMs?: number;
}

export interface Scheduler {
  /** Says what a job of this name does. A run that throws is logged, and a repeated job runs again at its next time. */
  define(name: string, handler: JobHandler, options?: JobOptions): void;
  /**
   * Repeats a job: `interval` in ms, as `5 minutes`, or as a cron line. There is one job of a name, whoever asks and however often;
   * a restart neither adds one nor puts its next run off.
   */
  every(interval: string | number, name: string): Promise<void>;
  /** Runs a job once, at or soon after `when`. `data` must be JSON; it is in the store, so no patient data. */
  schedule(when: Date, name: string, data?: unknown): Promise<void>;
  start(): Promise<void>;
  /** Takes no further jobs and waits for those that run. */
  stop(): Promise<void>;
}

const defaultLockLifetimeMs = 30_000;
const defaultPollMs = 5_000;

export function createScheduler(parts: SchedulerParts): Scheduler {
  return new AgendaScheduler(parts);
}

class AgendaScheduler implements Scheduler {
  readonly #agenda: Agenda;
  readonly #logger: Logger;
  #running = 0;
  #whenIdle: (() => void) | undefined;

  constructor(parts: SchedulerParts) {
    this.#logger = parts.logger;
    this.#agenda = new Agenda({
      backend: agendaBackend(parts),
      processEvery: parts.pollMs ?? defaultPollMs,
      removeOnComplete: true,
    });
    this.#follow();
  }

  define(name: string, handler: JobHandler, options: JobOptions = {}): void {
    const lockLifetime = options.lockLifetimeMs ?? defaultLockLifetimeMs;
    const processor = (job: Job): Promise<void> => withSignsOfLife(job, lockLifetime, handler, this.#logger);
    this.#agenda.define(name, processor, { lockLifetime, concurrency: 1 });
  }

  async every(interval: string | number, name: string): Promise<void> {
    await this.#agenda.every(interval, name);
  }

  async schedule(when: Date, name: string, data?: unknown): Promise<void> {
    await this.#agenda.schedule(when, name, data);
  }

  async start(): Promise<void> {
    await this.#agenda.start();
  }

  async stop(): Promise<void> {
    await this.#agenda.stop(false);
    if (this.#running === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  #follow(): void {
    this.#agenda.on('start', () => {
      this.#running += 1;
    });
    this.#agenda.on('complete', () => {
      this.#running -= 1;
      if (this.#running === 0) this.#whenIdle?.();
    });
    this.#agenda.on('fail', (error: unknown, job: { readonly attrs?: { readonly name: string } }) =>
      this.#logger.error({ job: job.attrs?.name }, 'a job failed', error),
    );
    this.#agenda.on('error', (error) => this.#logger.error({}, 'jobs could not be looked for', error));
  }
}

/** Renews the lock while the handler works, so that a long run is not taken for a dead one. */
async function withSignsOfLife(
  job: Job,
  lockLifetimeMs: number,
  handler: JobHandler,
  logger: Logger,
): Promise<void> {
  const { name, data } = job.attrs;
  const renew = (): void => {
    job
      .touch()
      .catch((error: unknown) => logger.warn({ job: name, error: String(error) }, 'a lock was not renewed'));
  };
  const renewal = setInterval(renew, lockLifetimeMs / 3);
  try {
    await handler({ name, data });
  } finally {
    clearInterval(renewal);
  }
}
