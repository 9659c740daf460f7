// How an event ends: with the effects that its flow wants, or with a failure that is tried again. Each in one transaction of the flow.
import type { Actor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Tracer } from '../kernel/tracer.ts';
import { conflict, notFound } from '../kernel/outcomes.ts';
import type { Compose } from '../messages/compose.ts';
import { settlementAfterFailure } from '../messages/settle.ts';
import type { RetryPolicy } from '../messages/retry.ts';
import type { Repository, RepositoryUnit } from '../repository/repository.ts';
import type { Delivery, MessageReader, MessageWriter } from '../storage/message-store.ts';
import { admitEffects, carryOut } from './flow-effects.ts';
import { readPayload, subscriptionOf } from './flow-events.ts';
import type { FlowEffect, FlowPort } from './flow-port.ts';

export interface EndingParts {
  readonly repository: Pick<Repository, 'transact'>;
  /** What is committed: the store's. */
  readonly messages: MessageReader;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly policy: RetryPolicy;
  readonly compose: Compose;
  readonly tracer?: Tracer | undefined;
  /** Called after a commit that enqueued something to send. */
  readonly wakeOutbox: () => void;
}

export interface FlowEndings extends Pick<FlowPort, 'complete' | 'fail'> {
  /** How many flows' writes, one causing the next, led to what this transaction writes; 0 where no flow writes. */
  hopsOf(messages: MessageWriter): number;
}

const longestText = 500;

export function flowEndings(parts: EndingParts): FlowEndings {
  const { clock, ids, logger, policy, wakeOutbox, compose } = parts;
  const hops = new WeakMap<MessageWriter, number>();
  return {
    hopsOf: (messages) => hops.get(messages) ?? 0,
    complete: async (eventId, lease, effects) => {
      const admitted = admitEffects(effects);
      await withLease(eventId, lease, parts, async (event, unit) => {
        hops.set(unit.messages, hopsOfEvent(event) + 1);
        await unit.messages.settle(eventId, lease, { state: 'done' });
        const trace = parts.tracer?.current() ?? event.trace;
        await carryOut(admitted, unit, { cause: eventId, at: clock.now(), ids, compose, trace });
      });
      logger.info({ eventId, effects: admitted.length }, 'flow event done');
      if (admitted.some(isSend)) wakeOutbox();
    },
    fail: (eventId, lease, text) =>
      withLease(eventId, lease, parts, async (event, unit) => {
        const reason = { code: 'flow-failed', text: text.slice(0, longestText) };
        const settlement = settlementAfterFailure(true, reason, event, policy, clock.now());
        await unit.messages.settle(eventId, lease, settlement);
        logger.warn({ eventId, attempts: event.attempts, state: settlement.state }, 'flow event failed');
      }),
  };
}

/** The event is looked at twice: before, to know whose transaction it is, and inside, where nobody can change it. */
async function withLease(
  eventId: string,
  lease: string,
  { repository, messages, clock, tracer }: EndingParts,
  work: (event: Delivery, unit: RepositoryUnit) => Promise<void>,
): Promise<void> {
  const { destination, trace } = await leasedEvent(messages, eventId, lease, clock.now());
  const name = subscriptionOf(destination) ?? '';
  const actor: Actor = { kind: 'flow', id: name, scopes: ['system/*.cruds'] };
  const end = (): Promise<void> =>
    repository.transact(actor, async (unit) =>
      work(await leasedEvent(unit.messages, eventId, lease, clock.now()), unit),
    );
  const start = { kind: 'consumer', facts: { 'kiungo.event': eventId }, parent: trace } as const;
  await (tracer === undefined ? end() : tracer.span(`flow ${name}`, start, end));
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

function hopsOfEvent({ payload }: Delivery): number {
  const content = readPayload(payload);
  return content.kind === 'resource' ? content.hops : 0;
}

const isSend = ({ kind }: FlowEffect): boolean => kind !== 'write';
