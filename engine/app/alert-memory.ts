// The alerts that stand, over a restart: a row of the job store that is never due.
import type { AlertMemory, AlertNote } from '../messages/alerts.ts';
import type { JobStore } from '../storage/job-store.ts';

const name = 'alert-memory';

export function alertMemory(jobs: Pick<JobStore, 'jobs' | 'save'>): AlertMemory {
  return {
    load: async () => {
      const [row] = await jobs.jobs({ id: name });
      return row && (JSON.parse(row.details) as AlertNote);
    },
    save: async (note) => {
      await jobs.save({
        ...{ id: name, name, type: 'normal', priority: 0, disabled: true },
        ...{ nextRunAt: undefined, lockedAt: undefined, details: JSON.stringify(note) },
      });
    },
  };
}
