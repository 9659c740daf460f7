// What people do about messages that are kept, and what the engine does about them by itself: replays, alerts, retention, indexing.
import { join } from 'node:path';
import { createScheduler, type Scheduler } from '../jobs/scheduler.ts';
import type { Concern } from '../messages/alert.ts';
import type { Alerts } from '../messages/alerts.ts';
import { createArchive } from '../messages/archive.ts';
import { createDeadLetters, type DeadLetters } from '../messages/dead-letters.ts';
import { createIndexingKept, type IndexingKept } from '../messages/index-kept.ts';
import type { Live } from '../messages/live.ts';
import { createReplays, type Replays } from '../messages/replays.ts';
import { createResend, type Resend } from '../messages/resend.ts';
import { createRetention, type JobDefinition } from '../messages/retention.ts';
import { createSweeping, type Sweeping } from '../repository/sweep-contents.ts';
import type { Ambient } from './ambient.ts';
import type { Kept } from './kept.ts';
import type { Messages } from './messages.ts';
import type { Config } from './read-config.ts';
import { createWatching } from './watching.ts';

interface OperatingParts {
  readonly config: Config;
  readonly ambient: Ambient;
  readonly kept: Kept;
  readonly messages: Messages;
  /** Events for flows may be waiting. */
  readonly wakeFlows: () => void;
  /** What else is wrong, besides what messages show. */
  readonly concerns: () => readonly Concern[];
}

export interface Operating {
  readonly deadLetters: DeadLetters;
  readonly resend: Resend;
  readonly replays: Replays;
  readonly alerts: Alerts;
  readonly live: Live;
  readonly jobs: Scheduler;
  /** What `jobs` has to do again and again, once it is started. */
  readonly repeated: readonly JobDefinition[];
  readonly indexingKept: IndexingKept;
  readonly sweeping: Sweeping;
}

export function createOperating(parts: OperatingParts): Operating {
  const { config, ambient, kept, messages, wakeFlows, concerns } = parts;
  const { store, repository } = kept;
  const { formats, settingsOf, book, outbox, processor } = messages;
  const wakeDeliveries = (): void => {
    outbox.wake();
    wakeFlows();
  };
  const upon = { ...ambient, repository, formats, settingsOf };
  const deadLetters = createDeadLetters({ ...upon, wake: () => processor.wake(), wakeDeliveries });
  const resend = createResend(upon);
  const jobs = createScheduler({ ...ambient, jobs: store.jobs });
  const archive = createArchive(config.archive ?? join(config.data, 'archive'), ambient.ids);
  const repeated = [
    createRetention({ ...ambient, store, settingsOf, archive, messageDays: config.retentionDays }),
  ];
  for (const job of repeated) jobs.define(job.name, () => job.run());
  return {
    ...{ deadLetters, resend, jobs, repeated },
    ...createWatching({ ...ambient, config, store, book, outbox, concerns }),
    replays: createReplays({ ...ambient, messages: store.messages, jobs: store.jobs, deadLetters, resend }),
    indexingKept: createIndexingKept({ ...ambient, store, formats, settingsOf }),
    sweeping: createSweeping(store.contents, ambient.logger),
  };
}

export async function startJobs({ jobs, repeated }: Pick<Operating, 'jobs' | 'repeated'>): Promise<void> {
  await jobs.start();
  for (const { interval, name } of repeated) await jobs.every(interval, name);
}
