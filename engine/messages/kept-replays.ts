// Replays as rows of the job store: the plan (which messages) once, and how far it is, about once a second. They are no jobs of the scheduler.
import type { Actor } from '../kernel/actor.ts';
import type { JobStore, StoredJob } from '../storage/job-store.ts';

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

export interface ReplayPlan {
  /** Oldest first. */
  readonly found: readonly string[];
  readonly destinations: readonly string[];
  readonly perSecond: number;
  readonly actor: Actor;
}

export interface ReplayProgress {
  readonly job: ReplayJob;
  /** How many of the plan are through. */
  readonly place: number;
}

export interface KeptReplays {
  keepPlan(id: string, plan: ReplayPlan): Promise<void>;
  keep(progress: ReplayProgress): Promise<void>;
  /** What is known of a job that has ended stays; its plan goes. */
  end(progress: ReplayProgress): Promise<void>;
  forget(id: string): Promise<void>;
  /** Oldest first. */
  all(): Promise<readonly ReplayProgress[]>;
  /** Undefined when there is none any more. */
  plan(id: string): Promise<ReplayPlan | undefined>;
}

const progressName = 'replay';
const planName = 'replay-plan';
const planId = (id: string): string => `${id}/plan`;

export function keptReplays(store: Pick<JobStore, 'jobs' | 'save' | 'remove'>): KeptReplays {
  const keep = async (progress: ReplayProgress): Promise<void> => {
    const { job, place } = progress;
    await store.save(rowOf(job.id, progressName, { job, place }));
  };
  return {
    keepPlan: async (id, plan) => {
      await store.save(rowOf(planId(id), planName, plan));
    },
    keep,
    end: async (progress) => {
      await keep(progress);
      await store.remove({ id: planId(progress.job.id) });
    },
    forget: async (id) => {
      await store.remove({ id });
    },
    all: async () => {
      const rows = await store.jobs({ name: progressName });
      const kept = rows.map(({ details }) => JSON.parse(details) as ReplayProgress);
      return kept.sort((one, other) => one.job.startedAt - other.job.startedAt);
    },
    plan: async (id) => {
      const [row] = await store.jobs({ id: planId(id) });
      return row && (JSON.parse(row.details) as ReplayPlan);
    },
  };
}

const rowOf = (id: string, name: string, details: object): StoredJob => ({
  ...{ id, name, type: 'normal', priority: 0, nextRunAt: undefined, lockedAt: undefined, disabled: true },
  details: JSON.stringify(details),
});
