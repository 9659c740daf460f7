// The engine's side of the door to the flows process: events are made in the commit that causes them, leased, and ended together
// with what the flow wants done.
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Tracer } from '../kernel/tracer.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { Compose } from '../messages/compose.ts';
import { retryPolicies, type RetryPolicy } from '../messages/retry.ts';
import type { ProcessedListener } from '../messages/stages.ts';
import type { Repository } from '../repository/repository.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { Store } from '../storage/store.ts';
import { flowEndings } from './flow-endings.ts';
import { destinationOf } from './flow-events.ts';
import { leaseEvents } from './flow-leases.ts';
import { enqueueForChange, enqueueForMessage } from './flow-matching.ts';
import type { FlowPort } from './flow-port.ts';
import { flowReads } from './flow-reads.ts';
import { createFlowRegister } from './flow-register.ts';

export interface FlowPortOptions {
  readonly repository: Repository;
  readonly store: Pick<Store, 'messages'>;
  readonly index: SearchIndex;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** Makes the messages that flows send of resources; without it those are refused. */
  readonly compose?: Compose;
  /** Without it nothing is traced. */
  readonly tracer?: Tracer | undefined;
  /** Called after a commit that enqueued something to send: the outbox's. */
  readonly wakeOutbox: () => void;
  /** How long a flow may take; one minute unless told. */
  readonly leaseMs?: number;
  /** `retryPolicies.flow` unless told. */
  readonly policy?: RetryPolicy;
  /** How often listeners are called for what has come due (retries, leases that ran out); two seconds unless told. */
  readonly pollMs?: number;
}

export interface EngineFlowPort extends FlowPort {
  /** Reads the kept subscriptions; from then on changes make events. Before the first write of the engine. */
  start(): Promise<void>;
  readonly stop: () => void;
  /** True when it is known what the flows listen for, from an earlier run or by now; false after `limitMs` without. */
  readonly known: (limitMs: number) => Promise<boolean>;
  /** To be given to `Processor.onProcessed`. */
  readonly onProcessed: ProcessedListener;
  /** Events may be waiting: a person has put one back in the queue. */
  readonly wake: () => void;
}

/** Several flows that write for each other may go round: an event so many writes deep waits for a person. */
const mostHops = 20;
const mostLeased = 100;

const cannotCompose: Compose = () =>
  Promise.reject(new Refusal('unprocessable', 'no maps are there to make messages of resources'));

export function createFlowPort(options: FlowPortOptions): EngineFlowPort {
  const { repository, store, index, clock, ids, logger, wakeOutbox, tracer } = options;
  const { leaseMs = 60_000, policy = retryPolicies.flow, pollMs = 2_000 } = options;
  const register = createFlowRegister({ repository, index, logger });
  const matching = { register, index, clock, ids, tracer };
  const messages = store.messages;
  const { compose = cannotCompose } = options;
  const endings = flowEndings({
    repository,
    messages,
    clock,
    ids,
    logger,
    policy,
    wakeOutbox,
    compose,
    tracer,
  });
  const bell = createBell(repository, pollMs);
  const known = Promise.withResolvers<boolean>();
  repository.onChange(async (change, unit) => {
    bell.rings(await enqueueForChange(change, endings.hopsOf(unit.messages), unit, matching));
  });

  return {
    ...flowReads(repository),
    start: async () => {
      await register.load();
      if (register.names.length > 0) known.resolve(true);
      bell.start();
    },
    stop: bell.stop,
    known: (limitMs) => Promise.race([known.promise, after(limitMs, false)]),
    wake: bell.ring,
    onEvents: bell.onRing,
    onProcessed: async (message, unit) => {
      bell.rings(await enqueueForMessage(message, unit, matching));
    },
    subscribe: async (subscriptions) => {
      await register.replace(subscriptions);
      known.resolve(true);
      bell.ring();
    },
    lease: (limit) => {
      const destinations = register.names.map(destinationOf);
      const request = { destinations, now: clock.now(), leaseMs, limit: Math.min(limit, mostLeased) };
      return leaseEvents(request, { repository, policy, mostHops, logger });
    },
    complete: async (eventId, lease, effects) => {
      await endings.complete(eventId, lease, effects);
      // The next one of its lane may go.
      bell.ring();
    },
    fail: async (eventId, lease, text) => {
      await endings.fail(eventId, lease, text);
      bell.ring();
    },
  };
}

const after = <T>(ms: number, value: T): Promise<T> =>
  new Promise((resolve) => setTimeout(() => resolve(value), ms).unref());

interface Bell {
  /** After the commit under way, when it enqueued any. */
  rings(enqueued: number): void;
  readonly ring: () => void;
  readonly onRing: (listener: () => void) => void;
  readonly start: () => void;
  readonly stop: () => void;
}

/** Calls the listeners after commits that made events, and now and then for what has come due by itself. */
function createBell(repository: Pick<Repository, 'onCommitted'>, pollMs: number): Bell {
  const listeners: (() => void)[] = [];
  let waiting = 0;
  let poll: NodeJS.Timeout | undefined;
  const ring = (): void => listeners.forEach((listener) => listener());
  repository.onCommitted(() => {
    if (waiting === 0) return;
    waiting = 0;
    ring();
  });
  return {
    rings: (enqueued) => {
      waiting += enqueued;
    },
    ring,
    onRing: (listener) => listeners.push(listener),
    start: () => {
      poll ??= setInterval(ring, pollMs).unref();
    },
    stop: () => {
      clearInterval(poll);
      poll = undefined;
    },
  };
}
