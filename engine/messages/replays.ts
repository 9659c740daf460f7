// Replays of many messages as jobs: what a search finds is processed again, or handed to chosen destinations again, oldest first, at a rate
// that leaves room for what comes in meanwhile, with progress that can be watched.
import type { Actor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { badRequest, notFound, Refusal } from '../kernel/outcomes.ts';
import type { JobStore } from '../storage/job-store.ts';
import type { MessageFilter, MessageReader } from '../storage/message-store.ts';
import type { DeadLetters } from './dead-letters.ts';
import { keptReplays, type KeptReplays, type ReplayJob, type ReplayPlan } from './kept-replays.ts';
import type { Resend } from './resend.ts';

export interface ReplayRequest {
  readonly filter: Omit<MessageFilter, 'limit' | 'offset'>;
  /** Only handed to these again, and not processed. */
  readonly destinations: readonly string[];
  readonly perSecond: number;
}

export interface Replays {
  /** Resolves when it is known what will be replayed. Throws Refusal `bad-request` where that is too much. */
  begin(request: ReplayRequest, actor: Actor): Promise<ReplayJob>;
  /** Newest first. */
  jobs(): readonly ReplayJob[];
  /** Throws Refusal `not-found`. */
  job(id: string): ReplayJob;
  cancel(id: string): ReplayJob;
  /**
   * Goes on with what was under way when the engine stopped. After a power cut the messages of the last second may be processed once more;
   * those that are only handed on are not sent twice.
   */
  start(): Promise<void>;
  /** Waits for the message under way; the rest goes on after the next start. */
  stop(): Promise<void>;
}

export interface ReplaysOptions {
  readonly messages: Pick<MessageReader, 'messages'>;
  readonly jobs: Pick<JobStore, 'jobs' | 'save' | 'remove'>;
  readonly deadLetters: Pick<DeadLetters, 'replay'>;
  readonly resend: Resend;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
}

/** More belong into several jobs. */
const mostMessages = 100_000;
const page = 500;
/** Finished jobs that are remembered. */
const mostJobs = 100;

/** How often its progress is kept. */
const keepEveryMs = 1_000;

interface Running {
  job: ReplayJob;
  /** How many of its plan are through. */
  place: number;
  isCancelled: boolean;
}

export function createReplays(options: ReplaysOptions): Replays {
  const { clock, ids, logger } = options;
  const kept = keptReplays(options.jobs);
  const jobs = new Map<string, Running>();
  const underWay = new Set<Promise<void>>();
  let isStopping = false;

  const work = (running: Running, plan: ReplayPlan): void => {
    const done: Promise<void> = run(running, plan, { ...options, kept, stopping: () => isStopping })
      .catch((cause: unknown) =>
        logger.error({ replay: running.job.id }, 'a replay was stopped by a defect', cause),
      )
      .finally(() => underWay.delete(done));
    underWay.add(done);
  };
  const find = (id: string): Running => {
    const running = jobs.get(id);
    if (running === undefined) throw notFound('replay', id);
    return running;
  };
  const forgetOldest = async (): Promise<void> => {
    const [oldest] = [...jobs].filter(([, { job }]) => job.state !== 'running');
    if (jobs.size <= mostJobs || oldest === undefined) return;
    jobs.delete(oldest[0]);
    await kept.forget(oldest[0]);
  };
  return {
    begin: async ({ filter, destinations, perSecond }, actor) => {
      const plan = { found: await allThatFit(filter, options.messages), destinations, perSecond, actor };
      const begun = { by: actor.id, startedAt: clock.now(), endedAt: undefined, state: 'running' } as const;
      const job: ReplayJob = { id: ids.next(), ...begun, total: plan.found.length, replayed: 0, refused: {} };
      const running: Running = { job, place: 0, isCancelled: false };
      await kept.keepPlan(job.id, plan);
      await kept.keep(running);
      jobs.set(job.id, running);
      await forgetOldest();
      work(running, plan);
      return job;
    },
    jobs: () => [...jobs.values()].map(({ job }) => job).reverse(),
    job: (id) => find(id).job,
    cancel: (id) => {
      const running = find(id);
      running.isCancelled = true;
      return running.job;
    },
    start: async () => {
      for (const { job, place } of await kept.all()) {
        const running: Running = { job, place, isCancelled: false };
        jobs.set(job.id, running);
        const plan = job.state === 'running' ? await kept.plan(job.id) : undefined;
        if (plan !== undefined) work(running, plan);
      }
    },
    stop: async () => {
      isStopping = true;
      await Promise.all(underWay);
    },
  };
}

interface RunParts extends ReplaysOptions {
  readonly kept: KeptReplays;
  readonly stopping: () => boolean;
}

async function run(running: Running, plan: ReplayPlan, parts: RunParts): Promise<void> {
  const { clock, logger, kept, stopping } = parts;
  const goesOn = (): boolean => !running.isCancelled && !stopping();
  const first = running.place;
  const begin = performance.now();
  let keptAt = begin;
  for (const [index, id] of plan.found.slice(first).entries()) {
    await waitUntil(begin + (index * 1000) / plan.perSecond, goesOn);
    if (!goesOn()) break;
    await replayOne(running, id, plan, parts);
    running.place += 1;
    if (performance.now() - keptAt < keepEveryMs) continue;
    await kept.keep(running);
    keptAt = performance.now();
  }
  if (stopping() && running.place < plan.found.length && !running.isCancelled) {
    await kept.keep(running);
    return;
  }
  const state = running.isCancelled ? 'cancelled' : 'done';
  const job: ReplayJob = { ...running.job, state, endedAt: clock.now() };
  await kept.end({ job, place: running.place });
  running.job = job;
  logger.info({ replay: running.job.id, state, replayed: running.job.replayed }, 'replay ended');
}

/** Oldest first. Known before anything is replayed: what is replayed may not fit the filter any more. */
async function allThatFit(
  filter: ReplayRequest['filter'],
  messages: Pick<MessageReader, 'messages'>,
): Promise<readonly string[]> {
  const found: string[] = [];
  let place: Pick<MessageFilter, 'offset' | 'continue'> = { offset: 0 };
  for (;;) {
    const { items, next } = await messages.messages({ ...filter, ...place, limit: page });
    found.push(...items.map(({ id }) => id));
    if (found.length > mostMessages) {
      throw badRequest(`more than ${mostMessages} messages fit: narrow the search`);
    }
    if (next === undefined && (items.length < page || place.continue !== undefined)) return found.reverse();
    place = next === undefined ? { offset: found.length } : { offset: 0, continue: next };
  }
}

async function replayOne(
  running: Running,
  id: string,
  { destinations, actor }: ReplayPlan,
  { deadLetters, resend }: ReplaysOptions,
): Promise<void> {
  try {
    if (destinations.length > 0) await resend(id, destinations, actor, running.job.id);
    else await deadLetters.replay(id, actor);
    running.job = { ...running.job, replayed: running.job.replayed + 1 };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { refused } = running.job;
    running.job = { ...running.job, refused: { ...refused, [error.code]: (refused[error.code] ?? 0) + 1 } };
  }
}

const longestWaitMs = 200;

/** In short waits, so that a job that is not to go on ends at once. */
async function waitUntil(time: number, goesOn: () => boolean): Promise<void> {
  while (goesOn() && performance.now() < time) {
    const ms = Math.min(longestWaitMs, time - performance.now());
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}
