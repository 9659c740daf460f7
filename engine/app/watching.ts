// Alerts and live counts over the running engine, and where alerts go: through the outbox, so that they are sent even when the network comes
// back later.
import { createHttpSender } from '../../adapters/http/sender.ts';
import { formatInstant } from '../fhir/instants.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { unavailable } from '../kernel/outcomes.ts';
import { createAlerts, type AlertChange, type Alerts, type Concern } from '../messages/alerts.ts';
import type { ChannelBook } from '../messages/channels/channel-book.ts';
import { createLive, type Live } from '../messages/live.ts';
import type { Outbox } from '../messages/outbox.ts';
import type { Store } from '../storage/store.ts';
import type { Config } from './read-config.ts';

interface WatchingParts {
  readonly config: Config;
  readonly store: Store;
  readonly book: ChannelBook;
  readonly outbox: Outbox;
  readonly concerns: () => readonly Concern[];
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
}

/** The outbox's name for the webhook. */
const destination = 'alerts';

export function createWatching(parts: WatchingParts): { readonly alerts: Alerts; readonly live: Live } {
  const { config, store, book, outbox, clock, logger } = parts;
  if (config.alertWebhook !== undefined) {
    outbox.register(destination, createHttpSender({ url: config.alertWebhook }));
  }
  const alerts = createAlerts({
    messages: store.messages,
    channels: () => book.all().map(({ definition }) => definition),
    destinations: () => outbox.state(),
    concerns: parts.concerns,
    except: [destination],
    tell: (changes) => (config.alertWebhook === undefined ? Promise.resolve() : enqueue(changes, parts)),
    clock,
    logger,
  });
  const live = createLive({
    look: async () => ({
      counts: { ...(await store.messages.tallies()), senders: outbox.state() },
      alerts: alerts.current(),
    }),
    logger,
    refuse: () => unavailable('too many watch already; try again later'),
  });
  return { alerts, live };
}

async function enqueue(
  changes: readonly AlertChange[],
  { store, outbox, clock, ids }: WatchingParts,
): Promise<void> {
  const told = changes.map(({ change, alert: { since, ...alert } }) => ({
    change,
    ...alert,
    since: formatInstant(since),
  }));
  const name = `send:${destination}`;
  const delivery = {
    id: ids.next(),
    destination: name,
    lane: name,
    createdAt: clock.now(),
    contentType: 'application/json',
    payload: Buffer.from(JSON.stringify({ at: formatInstant(clock.now()), changes: told })),
    cause: 'alerts',
  };
  await store.transact(({ messages }) => messages.enqueue(delivery));
  outbox.wake();
}
