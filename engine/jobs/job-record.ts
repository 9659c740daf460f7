// Agenda's record of a job as our stored job, and back: the columns that a store must search, and the rest as JSON.
import { datefields, toJobId, type JobParameters } from 'agenda';
import type { StoredJob } from '../storage/job-store.ts';

type Details = Omit<
  JobParameters,
  '_id' | 'name' | 'type' | 'priority' | 'nextRunAt' | 'lockedAt' | 'disabled'
>;

export function storedJobOf(job: JobParameters, id: string): StoredJob {
  const { _id, name, type, priority, nextRunAt, lockedAt, disabled, ...details } = job;
  return {
    id: _id ?? id,
    name,
    type,
    priority,
    nextRunAt: nextRunAt?.getTime(),
    lockedAt: lockedAt?.getTime(),
    disabled: disabled ?? false,
    details: JSON.stringify(details),
  };
}

export function jobOf(
  stored: StoredJob,
): JobParameters & { readonly _id: NonNullable<JobParameters['_id']> } {
  const job = {
    ...detailsOf(stored),
    _id: toJobId(stored.id),
    name: stored.name,
    type: stored.type,
    priority: stored.priority,
    nextRunAt: stored.nextRunAt === undefined ? null : new Date(stored.nextRunAt),
    disabled: stored.disabled,
  };
  return stored.lockedAt === undefined ? job : { ...job, lockedAt: new Date(stored.lockedAt) };
}

const dates: ReadonlySet<string> = new Set(datefields);

function detailsOf(stored: StoredJob): Details {
  return JSON.parse(stored.details, (field, value: unknown) =>
    dates.has(field) && typeof value === 'string' ? new Date(value) : value,
  ) as Details;
}
