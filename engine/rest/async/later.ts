// `Prefer: respond-async`: the request is worked on while the client does something else, and asks for the result at a status url.
// https://hl7.org/fhir/R4/async.html, with the result as https://hl7.org/fhir/R5/async-bundle.html has it.
import type { Actor } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { HttpAnswer } from '../../kernel/http-route.ts';
import type { Ids } from '../../kernel/ids.ts';
import { Refusal } from '../../kernel/outcomes.ts';
import { createResults, type Results } from './results.ts';

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
  /** Begins; answers an id to ask by. Throws Refusal `too-many-requests`. */
  begin(task: Task): string;
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
  done: { readonly answer: HttpAnswer; readonly bytes: number; readonly at: number } | undefined;
}

/** `folder` is emptied: it is for results alone. */
export function createLater(options: {
  readonly folder: string;
  readonly clock: Clock;
  readonly ids: Ids;
}): Later {
  const { clock, ids } = options;
  const results = createResults(options.folder);
  const jobs = new Map<string, Job>();
  const forget = (job: Job): void => {
    job.cancelled = true;
    jobs.delete(job.id);
    if (job.done) void results.drop(job.id);
  };
  const sweep = (): void => {
    for (const job of jobs.values()) if (job.done && clock.now() - job.done.at >= keptMs) forget(job);
  };
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
    begin: (task) => {
      sweep();
      const job: Job = { id: ids.next(), owner: ownerOf(task.actor), cancelled: false, done: undefined };
      refuseTooMany(jobs, job.owner);
      jobs.set(job.id, job);
      void run(results, job, task, clock);
      return job.id;
    },
    outcomeOf: (id, actor) => {
      const job = find(id, actor);
      if (!job.done) return undefined;
      const { answer, bytes } = job.done;
      const body = bytes === 0 ? undefined : readOnce(results, job, forget);
      if (!body) forget(job);
      return { status: answer.status, headers: answer.headers ?? {}, body };
    },
    cancel: (id, actor) => forget(find(id, actor)),
    close: () => {
      clearInterval(sweeping);
      for (const job of jobs.values()) job.cancelled = true;
      jobs.clear();
      results.dropAll();
    },
  };
}

const ownerOf = ({ kind, id }: Actor): string => `${kind}/${id}`;

function refuseTooMany(jobs: ReadonlyMap<string, Job>, owner: string): void {
  const own = [...jobs.values()].filter((job) => job.owner === owner);
  if (own.length < mostOfActor && jobs.size < mostOfAll) return;
  throw new Refusal('too-many-requests', 'fetch or delete the results of earlier requests first');
}

/** Never rejects. */
async function run(results: Results, job: Job, task: Task, clock: Clock): Promise<void> {
  const finish = async (answer: HttpAnswer): Promise<void> => {
    const bytes = await results.keep(job.id, answer.body, () => job.cancelled);
    job.done = { answer, bytes, at: clock.now() };
  };
  try {
    await finish(await task.work());
  } catch (error) {
    await results.drop(job.id);
    if (!job.cancelled) await finish(task.failed(error)).catch(() => (job.cancelled = true));
  }
  if (job.cancelled) await results.drop(job.id);
}

async function* readOnce(results: Results, job: Job, forget: (job: Job) => void): AsyncGenerator<Uint8Array> {
  yield* results.read(job.id);
  forget(job);
}
