// The nightly purge of kept messages and deliveries whose story has ended, of contents that no version has, and of the space that they took. What waits for a person is
// never purged.
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { DeliveryState, MessageState } from '../storage/message-store.ts';
import { sweepContents } from '../repository/sweep-contents.ts';
import type { Store } from '../storage/store.ts';
import type { Archive } from './archive.ts';
import { deliveriesTo, messagesOf, move, type Movable } from './archiving.ts';
import { queueName } from './hand-over.ts';
import { usualSettings, type SettingsOf } from './stages.ts';

export interface RetentionOptions {
  readonly store: Pick<Store, 'transact' | 'messages' | 'contents' | 'shrink'>;
  /** A channel may keep its messages shorter or longer, and no more than so many. */
  readonly settingsOf?: SettingsOf;
  /** Where channels keep what goes that say so. */
  readonly archive?: Archive;
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

/** Rows in one transaction: an acknowledgement that comes meanwhile waits for no more (some 30 ms; 200 rows took 90). */
const batch = 50;
const dayMs = 86_400_000;

export function createRetention(options: RetentionOptions): JobDefinition {
  return {
    name: 'purge-messages',
    interval: '15 2 * * *',
    run: async () => {
      const { store, logger } = options;
      const messages = await purgeMessages(options);
      const deliveries = await purgeDeliveries(options);
      await sweepContents(store.contents, logger);
      await giveBack(store);
      logger.info({ messages, deliveries }, 'old messages and deliveries purged');
    },
  };
}

const before = ({ clock }: RetentionOptions, days: number): number => clock.now() - days * dayMs;

const channelsOf = async ({ store }: RetentionOptions): Promise<readonly string[]> =>
  Object.keys((await store.messages.tallies()).channels);

/** What is older than its channel wants, and what is beyond the number that its channel wants. */
async function purgeMessages(options: RetentionOptions): Promise<number> {
  const { store, messageDays = 90, settingsOf = usualSettings } = options;
  let total = 0;
  for (const channel of await channelsOf(options)) {
    const { days = messageDays, count, archive } = settingsOf(channel).retention ?? {};
    const purge = purgeOf(channel, archive, options);
    total += await purge(before(options, days), endedMessages);
    for (const state of count === undefined ? [] : endedMessages) {
      const oldest = await store.transact(({ messages }) => messages.nthNewest(channel, state, count ?? 0));
      if (oldest !== undefined) total += await purge(oldest, [state]);
    }
  }
  return total;
}

function purgeOf(
  channel: string,
  archive: string | undefined,
  options: RetentionOptions,
): (time: number, states: readonly MessageState[]) => Promise<number> {
  const { store } = options;
  return (time, states) =>
    archive === undefined
      ? inBatches(() => store.transact(({ messages }) => messages.purge(time, states, batch, channel)))
      : moveAll(messagesOf(channel, time, states), archive, options);
}

/** Those that channels with an archive have sent are kept there; what cannot be kept stays. */
async function purgeDeliveries(options: RetentionOptions): Promise<number> {
  const { store, deliveryDays = 30, settingsOf = usualSettings } = options;
  const time = before(options, deliveryDays);
  const archived: string[] = [];
  let total = 0;
  for (const channel of await channelsOf(options)) {
    const { retention, routes = [] } = settingsOf(channel);
    if (retention?.archive === undefined || routes.length === 0) continue;
    const names = routes.map(({ destination }) => queueName(destination));
    archived.push(...names);
    total += await moveAll(deliveriesTo(names, time, endedDeliveries), retention.archive, options);
  }
  const purge = (): Promise<number> =>
    store.transact(({ messages }) => messages.purgeDeliveries(time, endedDeliveries, batch, archived));
  return total + (await inBatches(purge));
}

/** Where the disk is full, or the folder is not there: the store keeps them, and the others' turn comes. */
async function moveAll<T extends { readonly id: string }>(
  what: Movable<T>,
  name: string,
  { store, archive, logger }: RetentionOptions,
): Promise<number> {
  const writer = archive?.writer(name);
  let total = 0;
  if (writer === undefined) return total;
  try {
    for (let gone = await move(what, store, writer); gone > 0; gone = await move(what, store, writer)) {
      total += gone;
      await breath();
    }
  } catch (cause) {
    logger.error({ archive: name }, 'what is to be archived could not be, and stays in the store', cause);
  }
  return total;
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
