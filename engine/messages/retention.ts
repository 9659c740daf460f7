// The nightly purge of kept messages and deliveries whose story has ended, of contents that no version has, and of the space that they took. What waits for a person is
// never purged.
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { DeliveryState, MessageState } from '../storage/message-store.ts';
import { sweepContents } from '../repository/sweep-contents.ts';
import type { Store } from '../storage/store.ts';
import { usualSettings, type SettingsOf } from './stages.ts';

export interface RetentionOptions {
  readonly store: Pick<Store, 'transact' | 'messages' | 'contents' | 'shrink'>;
  /** A channel may keep its messages shorter or longer, and no more than so many. */
  readonly settingsOf?: SettingsOf;
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
  const { store, clock, logger, messageDays = 90, deliveryDays = 30, settingsOf = usualSettings } = options;
  const before = (days: number): number => clock.now() - days * dayMs;
  /** What is older than its channel wants, and what is beyond the number that its channel wants. */
  const purgeMessages = async (): Promise<number> => {
    let total = 0;
    for (const channel of Object.keys((await store.messages.tallies()).channels)) {
      const { days = messageDays, count } = settingsOf(channel).retention ?? {};
      total += await purgeOf(channel, before(days), endedMessages);
      for (const state of count === undefined ? [] : endedMessages) {
        const oldest = await store.transact(({ messages }) => messages.nthNewest(channel, state, count ?? 0));
        if (oldest !== undefined) total += await purgeOf(channel, oldest, [state]);
      }
    }
    return total;
  };
  const purgeOf = (channel: string, time: number, states: readonly MessageState[]): Promise<number> =>
    inBatches(() => store.transact(({ messages }) => messages.purge(time, states, batch, channel)));
  return {
    name: 'purge-messages',
    interval: '15 2 * * *',
    run: async () => {
      const messages = await purgeMessages();
      const deliveries = await inBatches(() =>
        store.transact((work) => work.messages.purgeDeliveries(before(deliveryDays), endedDeliveries, batch)),
      );
      await sweepContents(store.contents, logger);
      await giveBack(store);
      logger.info({ messages, deliveries }, 'old messages and deliveries purged');
    },
  };
}

/** In short steps, each with a breath after it. */
async function giveBack(store: Pick<Store, 'shrink'>): Promise<void> {
  while (await store.shrink()) await breath();
}

const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function inBatches(purge: () => Promise<number>): Promise<number> {
  let total = 0;
  let gone: number;
  do {
    gone = await purge();
    total += gone;
    await breath();
  } while (gone === batch);
  return total;
}
