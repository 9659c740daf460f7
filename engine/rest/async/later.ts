// `Prefer: respond-async`: the request is worked on while the client does something else, and asks for the result at a status url.
// https://hl7.org/fhir/R4/async.html, with the result as https://hl7.org/fhir/R5/async-bundle.html has it.
import type { Actor } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { HttpAnswer } from '../../kernel/http-route.ts';
import type { Ids } from '../../kernel/ids.ts';
import { Refusal } from '../../kernel/outcomes.ts';
import { createResults, type Done, type Results } from './results.ts';

/** How long a result waits to be fetched. */
const keptMs = 60 * 60_000;
const sweepMs = 60_000;
/** Of one actor: under way, or not fetched yet. */
const mostOfActor = 5;
const mostOfAll = 100;

export interface Task {
  readonly actor: Actor;
  readonly work: () => Promise<HttpAnswer>;
  /** What is answered when the work fails. */
  readonly failed: (error: unknown) => HttpAnswer;
}

export interface Outcome {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it was written; undefined: there is none. The result is gone once it was read to its end. */
  readonly body: AsyncIterable<Uint8Array> | undefined;
}

export interface Later {
  /** Begins; answers an id to ask by, once no restart can forget it. Throws Refusal `too-many-requests`. */
  begin(task: Task): Promise<string>;
  /** undefined while it is under way. Throws Refusal `not-found` for what is not this actor's. */
  outcomeOf(id: string, actor: Actor): Outcome | undefined;
  /** Ends it, and forgets what came of it. Throws Refusal `not-found`. */
  cancel(id: string, actor: Actor): void;
  close(): void;
}

interface Job {
  readonly id: string;
  readonly owner: string;
  cancelled: boolean;
  done: Done | undefined;
}

/** `folder` is for results alone. What an earlier engine had begun and not ended has failed. */
export function createLater(options: {
  readonly folder: string;
  readonly clock: Clock;
  readonly ids: Ids;
  /** What is answered for a request at which the engine was ended. */
  readonly interrupted: HttpAnswer;
}): Later {
  const { clock, ids } = options;
  const results = createResults(options.folder);
  const jobs = new Map<string, Job>();
  let stopped = false;
  /** Whether nobody waits for it, now or with the next engine. */
  const isLeft = (job: Job): boolean => job.cancelled || stopped;
  const finish = async (job: Job, { status, headers = {}, body }: HttpAnswer): Promise<void> => {
    const bytes = await results.keep(job.id, body, () => isLeft(job));
    if (isLeft(job)) return;
    const done: Done = { status, headers, bytes, at: clock.now() };
    await results.note({ id: job.id, owner: job.owner, done });
    job.done = done;
  };
  const run = async (job: Job, task: Task): Promise<void> => {
    try {
      await finish(job, await task.work());
    } catch (error) {
      if (!isLeft(job)) await finish(job, task.failed(error)).catch(() => forget(job));
    }
    if (job.cancelled) await results.drop(job.id);
  };
  const forget = (job: Job): void => {
    job.cancelled = true;
    jobs.delete(job.id);
    void results.drop(job.id);
  };
  const sweep = (): void => {
    for (const job of jobs.values()) if (job.done && clock.now() - job.done.at >= keptMs) forget(job);
  };
  for (const { id, owner, done } of results.earlier()) {
    const job: Job = { id, owner, cancelled: false, done };
    jobs.set(id, job);
    if (!done) void finish(job, options.interrupted).catch(() => forget(job));
  }
  const sweeping = setInterval(sweep, sweepMs).unref();
  const find = (id: string, actor: Actor): Job => {
    sweep();
    const job = jobs.get(id);
    if (job?.owner !== ownerOf(actor)) {
      throw new Refusal('not-found', 'there is no such request, or not any more');
    }
    return job;
  };
  return {
    begin: async (task) => {
      sweep();
      const job: Job = { id: ids.next(), owner: ownerOf(task.actor), cancelled: false, done: undefined };
      refuseTooMany(jobs, job.owner);
      jobs.set(job.id, job);
      await results.note({ id: job.id, owner: job.owner, done: undefined }).catch((error: unknown) => {
        forget(job);
        throw error;
      });
      void run(job, task);
      return job.id;
    },
    outcomeOf: (id, actor) => {
      const job = find(id, actor);
      if (!job.done) return undefined;
      const { status, headers, bytes } = job.done;
      const body = bytes === 0 ? undefined : readOnce(results, job, forget);
      if (!body) forget(job);
      return { status, headers, body };
    },
    cancel: (id, actor) => forget(find(id, actor)),
    close: () => {
      clearInterval(sweeping);
      // What is under way is not waited for: the next engine says that it was broken off.
      stopped = true;
    },
  };
}

const ownerOf = ({ kind, id }: Actor): string => `${kind}/${id}`;

function refuseTooMany(jobs: ReadonlyMap<string, Job>, owner: string): void {
  const own = [...jobs.values()].filter((job) => job.owner === owner);
  if (own.length < mostOfActor && jobs.size < mostOfAll) return;
  throw new Refusal('too-many-requests', 'fetch or delete the results of earlier requests first');
}

async function* readOnce(results: Results, job: Job, forget: (job: Job) => void): AsyncGenerator<Uint8Array> {
  yield* results.read(job.id);
  forget(job);
}
