// The engine's side of the door to the flows process: events are made in the commit that causes them, leased, and ended together
// with what the flow wants done.
import type { FhirResource } from '../fhir/resource.ts';
import { parseResource } from '../fhir/exact-json.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { badRequest, conflict, notFound } from '../kernel/outcomes.ts';
import { settlementAfterFailure } from '../messages/outbox.ts';
import { retryPolicies, type RetryPolicy } from '../messages/retry.ts';
import type { ProcessedListener } from '../messages/stages.ts';
import type { Repository, RepositoryUnit } from '../repository/repository.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { Delivery, MessageReader, MessageWriter } from '../storage/message-store.ts';
import type { Store } from '../storage/store.ts';
import { admitEffects, carryOut } from './flow-effects.ts';
import { destinationOf, readPayload, subscriptionOf } from './flow-events.ts';
import { leaseEvents } from './flow-leases.ts';
import { enqueueForChange, enqueueForMessage } from './flow-matching.ts';
import type { FlowPort } from './flow-port.ts';
import { createFlowRegister } from './flow-register.ts';

export interface FlowPortOptions {
  readonly repository: Repository;
  readonly store: Pick<Store, 'messages'>;
  readonly index: SearchIndex;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
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
  stop(): void;
  /** To be given to `Processor.onProcessed`. */
  readonly onProcessed: ProcessedListener;
  /** Events may be waiting: a person has put one back in the queue. */
  wake(): void;
}

/** Several flows that write for each other may go round: an event so many writes deep waits for a person. */
const mostHops = 20;
const longestText = 500;

export function createFlowPort(options: FlowPortOptions): EngineFlowPort {
  const { repository, store, index, clock, ids, logger, wakeOutbox } = options;
  const { leaseMs = 60_000, policy = retryPolicies.flow, pollMs = 2_000 } = options;
  const register = createFlowRegister({ repository, index, logger });
  const matching = { register, index, clock, ids };
  const listeners: (() => void)[] = [];
  /** The transactions of flows under way, by how deep they are. */
  const hops = new WeakMap<MessageWriter, number>();
  let enqueued = 0;
  let poll: NodeJS.Timeout | undefined;

  const wake = (): void => listeners.forEach((listener) => listener());
  repository.onChange(async (change, unit) => {
    enqueued += await enqueueForChange(change, hops.get(unit.messages) ?? 0, unit, matching);
  });
  repository.onCommitted(() => {
    if (enqueued === 0) return;
    enqueued = 0;
    wake();
  });

  /** Runs `work` on an event that is still leased so, in one transaction of the flow. */
  const withLease = async (
    eventId: string,
    lease: string,
    work: (event: Delivery, unit: RepositoryUnit) => Promise<void>,
  ): Promise<void> => {
    const event = await leasedEvent(store.messages, eventId, lease, clock.now());
    const actor: Actor = {
      kind: 'flow',
      id: subscriptionOf(event.destination) ?? '',
      scopes: ['system/*.cruds'],
    };
    await repository.transact(actor, async (unit) =>
      work(await leasedEvent(unit.messages, eventId, lease, clock.now()), unit),
    );
  };

  return {
    start: async () => {
      await register.load();
      poll = setInterval(wake, pollMs).unref();
    },
    stop: () => clearInterval(poll),
    wake,
    onProcessed: async (message, unit) => {
      enqueued += await enqueueForMessage(message, unit, matching);
    },
    onEvents: (listener) => listeners.push(listener),
    subscribe: async (subscriptions) => {
      await register.replace(subscriptions);
      wake();
    },
    lease: (limit) => {
      const request = { destinations: register.names.map(destinationOf), now: clock.now(), leaseMs, limit };
      return leaseEvents(request, { repository, policy, mostHops, logger });
    },
    complete: async (eventId, lease, effects) => {
      const admitted = admitEffects(effects);
      await withLease(eventId, lease, async (event, unit) => {
        hops.set(unit.messages, hopsOf(event) + 1);
        await unit.messages.settle(eventId, lease, { state: 'done' });
        await carryOut(admitted, unit, { cause: eventId, at: clock.now(), ids });
      });
      logger.info({ eventId, effects: admitted.length }, 'flow event done');
      if (admitted.some(({ kind }) => kind === 'send')) wakeOutbox();
      wake();
    },
    fail: async (eventId, lease, text) => {
      const reason = { code: 'flow-failed', text: text.slice(0, longestText) };
      await withLease(eventId, lease, async (event, unit) => {
        const settlement = settlementAfterFailure(true, reason, event, policy, clock.now());
        await unit.messages.settle(eventId, lease, settlement);
        logger.warn({ eventId, attempts: event.attempts, state: settlement.state }, 'flow event failed');
      });
      wake();
    },
    read: async (reference) => {
      const [type = '', id = '', ...more] = reference.split('/');
      if (more.length > 0 || id === '') throw badRequest('a reference is Type/id');
      const { body } = await repository.as(reader).read(type, id);
      if (body === undefined) throw notFound(type, id);
      return parseResource(body);
    },
    search: async (query) => {
      const mark = query.indexOf('?');
      const type = mark === -1 ? query : query.slice(0, mark);
      const found = await repository.as(reader).search(type, mark === -1 ? '' : query.slice(mark + 1));
      return [...found.matches, ...found.included].flatMap(resourceOf);
    },
  };
}

const reader: Actor = { kind: 'flow', id: 'flows', scopes: ['system/*.rs'] };

const resourceOf = ({ body }: { readonly body: string | undefined }): readonly FhirResource[] =>
  body === undefined ? [] : [parseResource(body)];

function hopsOf({ payload }: Delivery): number {
  const content = readPayload(payload);
  return content.kind === 'resource' ? content.hops : 0;
}

/** Throws Refusal `not-found` for what is no event, `conflict` when the lease is not, or no longer, the caller's. */
async function leasedEvent(
  messages: Pick<MessageReader, 'delivery'>,
  id: string,
  lease: string,
  now: number,
): Promise<Delivery> {
  const event = await messages.delivery(id);
  if (event === undefined || subscriptionOf(event.destination) === undefined) throw notFound('event', id);
  if (event.state !== 'leased' || event.lease !== lease || event.leasedUntil <= now) {
    throw conflict('the lease of this event has run out, or was never this one');
  }
  return event;
}
