// Replays of many messages as jobs: what a search finds is processed again, or handed to chosen destinations again, oldest first, at a rate
// that leaves room for what comes in meanwhile, with progress that can be watched.
import type { Actor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { badRequest, notFound, Refusal } from '../kernel/outcomes.ts';
import type { MessageFilter, MessageReader } from '../storage/message-store.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Resend } from './resend.ts';

export interface ReplayJob {
  readonly id: string;
  readonly by: string;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly state: 'running' | 'done' | 'cancelled';
  readonly total: number;
  readonly replayed: number;
  /** What did not let itself be replayed, by the code of its refusal. */
  readonly refused: Readonly<Record<string, number>>;
}

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
  /** Cancels what runs, and waits for the message under way. */
  stop(): Promise<void>;
}

export interface ReplaysOptions {
  readonly messages: Pick<MessageReader, 'messages'>;
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

interface Running {
  job: ReplayJob;
  isCancelled: boolean;
}

export function createReplays(options: ReplaysOptions): Replays {
  const { clock, ids, logger } = options;
  const jobs = new Map<string, Running>();
  const underWay = new Set<Promise<void>>();

  const run = async (running: Running, found: readonly string[], request: ReplayRequest, actor: Actor) => {
    const begin = performance.now();
    for (const [index, id] of found.entries()) {
      if (running.isCancelled) break;
      await waitUntil(begin + (index * 1000) / request.perSecond, running);
      await replayOne(running, id, request, actor, options);
    }
    const state = running.isCancelled ? 'cancelled' : 'done';
    running.job = { ...running.job, state, endedAt: clock.now() };
    logger.info({ replay: running.job.id, state, replayed: running.job.replayed }, 'replay ended');
  };
  const find = (id: string): Running => {
    const running = jobs.get(id);
    if (running === undefined) throw notFound('replay', id);
    return running;
  };
  const forgetOldest = (): void => {
    const [oldest] = [...jobs].filter(([, { job }]) => job.state !== 'running');
    if (jobs.size > mostJobs && oldest !== undefined) jobs.delete(oldest[0]);
  };

  return {
    begin: async (request, actor) => {
      const found = await allThatFit(request.filter, options.messages);
      const progress = { state: 'running', total: found.length, replayed: 0, refused: {} } as const;
      const job: ReplayJob = {
        id: ids.next(),
        by: actor.id,
        startedAt: clock.now(),
        endedAt: undefined,
        ...progress,
      };
      const running: Running = { job, isCancelled: false };
      jobs.set(job.id, running);
      forgetOldest();
      const work: Promise<void> = run(running, found, request, actor)
        .catch((cause: unknown) =>
          logger.error({ replay: job.id }, 'a replay was stopped by a defect', cause),
        )
        .finally(() => underWay.delete(work));
      underWay.add(work);
      return job;
    },
    jobs: () => [...jobs.values()].map(({ job }) => job).reverse(),
    job: (id) => find(id).job,
    cancel: (id) => {
      const running = find(id);
      running.isCancelled = true;
      return running.job;
    },
    stop: async () => {
      for (const running of jobs.values()) running.isCancelled = true;
      await Promise.all(underWay);
    },
  };
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
  { destinations }: ReplayRequest,
  actor: Actor,
  { deadLetters, resend }: ReplaysOptions,
): Promise<void> {
  try {
    if (destinations.length > 0) await resend(id, destinations, actor);
    else await deadLetters.replay(id, actor);
    running.job = { ...running.job, replayed: running.job.replayed + 1 };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { refused } = running.job;
    running.job = { ...running.job, refused: { ...refused, [error.code]: (refused[error.code] ?? 0) + 1 } };
  }
}

const longestWaitMs = 200;

/** In short waits, so that a cancelled job ends at once. */
async function waitUntil(time: number, running: Running): Promise<void> {
  while (!running.isCancelled && performance.now() < time) {
    const ms = Math.min(longestWaitMs, time - performance.now());
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}
