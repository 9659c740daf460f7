// Hands what waits for the outside to its senders: one at a time in each lane, until it is done or a person has to look.
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { Delivery, Reason, Settlement } from '../storage/message-store.ts';
import type { Store } from '../storage/store.ts';
import type { Sender, SendResult } from './ports.ts';
import { delayAfter, retryClassOf, retryPolicies, type RetryPolicy } from './retry.ts';
import { createWakeLoop } from './wake-loop.ts';

export interface OutboxOptions {
  readonly store: Pick<Store, 'transact'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a sender may take before the delivery is taken to be orphaned; one minute unless told. */
  readonly leaseMs?: number;
  /** Deliveries under way at the same time, of different lanes; 16 unless told. */
  readonly parallel?: number;
  /** How often to look for what has come due without a call; one second unless told. */
  readonly pollMs?: number;
}

export interface Outbox {
  /** `destination` without `send:`; before `start`. `policy`: `retryPolicies.sending` unless told. */
  register(destination: string, sender: Sender, policy?: RetryPolicy): void;
  start(): void;
  /** A delivery may be waiting. */
  wake(): void;
  /** Waits for what is under way, then closes the senders. What could not be settled is sent again after its lease: at least once. */
  stop(): Promise<void>;
}

interface Destination {
  readonly sender: Sender;
  readonly policy: RetryPolicy;
}

const prefix = 'send:';

export function createOutbox(options: OutboxOptions): Outbox {
  const { store, clock, logger, leaseMs = 60_000, parallel = 16, pollMs = 1_000 } = options;
  const destinations = new Map<string, Destination>();
  /** The lease under which each delivery is under way here. */
  const leases = new Map<string, string>();
  const underWay = new Set<Promise<void>>();

  const lease = (): Promise<readonly Delivery[]> =>
    store.transact(({ messages }) =>
      messages.lease({
        destinations: [`${prefix}*`],
        now: clock.now(),
        leaseMs,
        limit: parallel - underWay.size,
      }),
    );
  const handOver = async (delivery: Delivery): Promise<void> => {
    const destination = destinations.get(delivery.destination.slice(prefix.length));
    const result = destination ? await sendBy(destination, delivery, logger) : unknownDestination;
    const policy = destination?.policy ?? retryPolicies.sending;
    const settlement = settlementOf(result, delivery, policy, clock.now());
    await store.transact(({ messages }) =>
      messages.settle(delivery.id, leases.get(delivery.id) ?? '', settlement),
    );
    logSettlement(delivery, settlement, logger);
  };
  const begin = (delivery: Delivery): void => {
    const isUnderWay = leases.has(delivery.id);
    leases.set(delivery.id, delivery.lease ?? '');
    // Its lease ran out while its sender still works: the new one prolongs it.
    if (isUnderWay) return;
    const work: Promise<void> = handOver(delivery)
      .catch((cause: unknown) =>
        logger.error({ deliveryId: delivery.id }, 'a delivery could not be settled; it is sent again', cause),
      )
      .finally(() => {
        leases.delete(delivery.id);
        underWay.delete(work);
        loop.wake();
      });
    underWay.add(work);
  };
  const round = async (): Promise<'more' | 'done'> => {
    if (underWay.size >= parallel) return 'done';
    try {
      (await lease()).forEach(begin);
    } catch (cause) {
      logger.error({}, 'deliveries could not be leased; tried again', cause);
    }
    return 'done';
  };
  // Every commit of the repository may call; 20 looks a second are enough.
  const loop = createWakeLoop({ round, pollMs, restMs: 50 });
  return {
    register: (name, sender, policy = retryPolicies.sending) => destinations.set(name, { sender, policy }),
    start: () => loop.start(),
    wake: () => loop.wake(),
    stop: async () => {
      await loop.stop();
      await Promise.all(underWay);
      await Promise.all([...destinations.values()].map(({ sender }) => sender.close()));
    },
  };
}

const unknownDestination: SendResult = {
  state: 'failed',
  retry: 'permanent',
  reason: {
    code: 'unknown-destination',
    text: 'no destination of this name is set up: add it, then requeue',
  },
};

/** A sender that throws anything but a refusal is defective: nobody knows whether it has sent. */
async function sendBy({ sender }: Destination, delivery: Delivery, logger: Logger): Promise<SendResult> {
  const { id, contentType, payload } = delivery;
  try {
    return await sender.send({ id, contentType, payload });
  } catch (error) {
    if (!(error instanceof Refusal)) logger.error({ deliveryId: id }, 'a defect stopped a delivery', error);
    const reason =
      error instanceof Refusal
        ? { code: error.code, text: error.message }
        : { code: 'defect', text: 'the sender failed over this delivery; the log has the cause' };
    return { state: 'failed', retry: retryClassOf(error), reason };
  }
}

function settlementOf(result: SendResult, delivery: Delivery, policy: RetryPolicy, now: number): Settlement {
  if (result.state === 'done') return { state: 'done' };
  const again =
    result.retry === 'ambiguous' ? policy.ambiguous === 'try-again' : result.retry === 'transient';
  return settlementAfterFailure(again, result.reason, delivery, policy, now);
}

/** Waits for another try while one is left; otherwise it is dead with the reason of the last one. */
export function settlementAfterFailure(
  again: boolean,
  reason: Reason,
  delivery: Pick<Delivery, 'id' | 'attempts'>,
  policy: RetryPolicy,
  now: number,
): Settlement {
  const delay = again ? delayAfter(policy, delivery.attempts, delivery.id) : undefined;
  return delay === undefined ? { state: 'dead', reason } : { state: 'waiting', dueAt: now + delay, reason };
}

function logSettlement(delivery: Delivery, settlement: Settlement, logger: Logger): void {
  const facts = {
    deliveryId: delivery.id,
    destination: delivery.destination,
    attempts: delivery.attempts,
    state: settlement.state,
    reason: settlement.state === 'done' ? undefined : settlement.reason.code,
  };
  if (settlement.state === 'done') logger.info(facts, 'delivery handed over');
  else logger.warn(facts, 'delivery failed');
}
