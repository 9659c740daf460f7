// The nightly purge of kept messages and deliveries whose story has ended. What waits for a person is never purged.
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { DeliveryState, MessageState } from '../storage/message-store.ts';
import type { Store } from '../storage/store.ts';

export interface RetentionOptions {
  readonly store: Pick<Store, 'transact'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Days since arrival after which a processed, set-aside or discarded message goes; 90 unless told. */
  readonly messageDays?: number;
  /** Days since it was enqueued after which a done or discarded delivery goes; 30 unless told. */
  readonly deliveryDays?: number;
}

/** A job as its owner defines it; engine/jobs schedules it. */
export interface JobDefinition {
  readonly name: string;
  /** A cron line or a span in words, as the scheduler takes them. */
  readonly interval: string;
  run(): Promise<void>;
}

const endedMessages: readonly MessageState[] = ['processed', 'set-aside', 'discarded'];
const endedDeliveries: readonly DeliveryState[] = ['done', 'discarded'];

/** Rows in one transaction: small enough that an acknowledgement does not wait for it. */
const batch = 200;
const dayMs = 86_400_000;

export function createRetention(options: RetentionOptions): JobDefinition {
  const { store, clock, logger, messageDays = 90, deliveryDays = 30 } = options;
  const before = (days: number): number => clock.now() - days * dayMs;
  return {
    name: 'purge-messages',
    interval: '15 2 * * *',
    run: async () => {
      const messages = await inBatches(() =>
        store.transact((work) => work.messages.purge(before(messageDays), endedMessages, batch)),
      );
      const deliveries = await inBatches(() =>
        store.transact((work) => work.messages.purgeDeliveries(before(deliveryDays), endedDeliveries, batch)),
      );
      logger.info({ messages, deliveries }, 'old messages and deliveries purged');
    },
  };
}

async function inBatches(purge: () => Promise<number>): Promise<number> {
  let total = 0;
  let gone: number;
  do {
    gone = await purge();
    total += gone;
    await new Promise((resolve) => setImmediate(resolve));
  } while (gone === batch);
  return total;
}
