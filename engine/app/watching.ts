// Alerts and live counts over the running engine, and where alerts go: through the outbox, so that they are sent even when the network comes
// back later.
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { unavailable } from '../kernel/outcomes.ts';
import type { Concern } from '../messages/alert.ts';
import { createAlerts, type AlertChange, type Alerts } from '../messages/alerts.ts';
import type { ChannelBook } from '../messages/channels/channel-book.ts';
import { createLive, type Live } from '../messages/live.ts';
import type { Outbox } from '../messages/outbox.ts';
import type { Store } from '../storage/store.ts';
import { alertMemory } from './alert-memory.ts';
import { alertSinks, type AlertSink } from './alert-sinks.ts';
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

export function createWatching(parts: WatchingParts): { readonly alerts: Alerts; readonly live: Live } {
  const { config, store, book, outbox, clock, logger } = parts;
  const sinks = alertSinks(config);
  for (const { name, sender } of sinks) outbox.register(name, sender);
  const alerts = createAlerts({
    messages: store.messages,
    channels: () => book.all().map(({ definition }) => definition),
    gone: () => book.gone(),
    destinations: () => outbox.state(),
    concerns: parts.concerns,
    // A sink that cannot be reached is not told to itself, or to the others for ever.
    except: sinks.map(({ name }) => name),
    tell: (changes) => enqueue(changes, sinks, parts),
    memory: alertMemory(store.jobs),
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

/** To all of them in one commit. */
async function enqueue(
  changes: readonly AlertChange[],
  sinks: readonly AlertSink[],
  { store, outbox, clock, ids }: WatchingParts,
): Promise<void> {
  if (sinks.length === 0) return;
  const now = clock.now();
  await store.transact(async ({ messages }) => {
    for (const { name, render } of sinks) {
      const destination = `send:${name}`;
      const facts = { id: ids.next(), destination, lane: destination, createdAt: now, cause: 'alerts' };
      await messages.enqueue({ ...facts, ...render(changes, now) });
    }
  });
  outbox.wake();
}
