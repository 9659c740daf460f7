// Hands what waits for the outside to its senders: one at a time in each lane, until it is done or a person has to look.
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { Tracer } from '../kernel/tracer.ts';
import type { Delivery, Settlement } from '../storage/message-store.ts';
import type { Store } from '../storage/store.ts';
import { Gate, type GateRules, type GateState } from './gate.ts';
import type { Sender, SendResult } from './ports.ts';
import { isResponse, type Responses } from './responses.ts';
import { retryClassOf, retryPolicies, type RetryPolicy } from './retry.ts';
import { settled, type SettlementRules } from './settle.ts';
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
  /** Without it no response is taken in. */
  readonly responses?: Responses;
  readonly tracer?: Tracer | undefined;
}

/** How a destination is treated; everything has a usual value. */
export interface DestinationRules extends GateRules {
  readonly policy?: RetryPolicy;
  readonly answers?: SettlementRules['answers'];
  /** The channel that takes in what the receiver answers. */
  readonly responseTo?: string;
}

export interface DestinationState extends GateState {
  readonly isHeld: boolean;
  readonly underWay: number;
}

export interface Outbox {
  /** `destination` without `send:`. One that is there already is replaced, and its sender closed when it has finished. */
  register(destination: string, sender: Sender, rules?: DestinationRules): void;
  /** What still waits for it becomes dead, with the reason `unknown-destination`. */
  unregister(destination: string): void;
  /** Nothing is handed to it until it is let go; what is under way ends. */
  hold(destination: string): void;
  letGo(destination: string): void;
  /** Called when an answer says that a destination is to be held. */
  onHold(listener: (destination: string, delivery: Delivery) => void): void;
  /** By name. */
  state(): Readonly<Record<string, DestinationState>>;
  start(): void;
  /** A delivery may be waiting. */
  wake(): void;
  /** Waits for what is under way, then closes the senders. What could not be settled is sent again after its lease: at least once. */
  stop(): Promise<void>;
}

interface Destination {
  readonly sender: Sender;
  readonly rules: SettlementRules;
  readonly responseTo: string | undefined;
  readonly gate: Gate;
}

const prefix = 'send:';
const nameOf = (delivery: Delivery): string => delivery.destination.slice(prefix.length);

export function createOutbox(options: OutboxOptions): Outbox {
  const { store, clock, logger, leaseMs = 60_000, parallel = 16, pollMs = 1_000 } = options;
  const destinations = new Map<string, Destination>();
  const held = new Set<string>();
  const holdListeners: ((destination: string, delivery: Delivery) => void)[] = [];
  /** The lease under which each delivery is under way here, and where it goes. */
  const leases = new Map<string, { readonly lease: string; readonly destination: string }>();
  const underWay = new Set<Promise<void>>();
  const closing = new Set<Promise<void>>();

  const underWayTo = (name: string): number =>
    [...leases.values()].filter(({ destination }) => destination === name).length;

  /** How many of each destination may be begun, where it is not as many as there are. */
  const limits = (): Readonly<Record<string, number>> => {
    const now = clock.now();
    const known = [...destinations].map(([name, { gate }]): [string, number] => [
      `${prefix}${name}`,
      gate.allowance(now, underWayTo(name)),
    ]);
    const stopped = [...held].map((name): [string, number] => [`${prefix}${name}`, 0]);
    return Object.fromEntries([...known, ...stopped]);
  };
  const lease = (): Promise<readonly Delivery[]> =>
    store.transact(({ messages }) =>
      messages.lease({
        destinations: [`${prefix}*`],
        now: clock.now(),
        leaseMs,
        limit: parallel - underWay.size,
        limits: limits(),
      }),
    );
  const handOver = async (delivery: Delivery): Promise<void> => {
    const name = nameOf(delivery);
    const destination = destinations.get(name);
    const result = destination ? await send(destination, delivery, options) : unknownDestination;
    destination?.gate.ended(result.state === 'done' || result.code !== undefined, clock.now());
    const rules = destination?.rules ?? { policy: retryPolicies.sending };
    const { settlement, action } = settled(result, delivery, rules, clock.now());
    if (action === 'hold') holdFor(name, delivery);
    const lease = leases.get(delivery.id)?.lease ?? '';
    const { responseTo } = destination ?? {};
    if (options.responses !== undefined && responseTo !== undefined && isResponse(result, settlement)) {
      await options.responses.settle({ delivery, lease, settlement }, responseTo);
    } else {
      await store.transact(({ messages }) => messages.settle(delivery.id, lease, settlement));
    }
    logSettlement(delivery, settlement, logger);
  };
  const holdFor = (name: string, delivery: Delivery): void => {
    held.add(name);
    logger.warn(
      { destination: name, deliveryId: delivery.id },
      'destination held: its answer asks for a person',
    );
    for (const listener of holdListeners) listener(name, delivery);
  };
  const begin = (delivery: Delivery): void => {
    const isUnderWay = leases.has(delivery.id);
    leases.set(delivery.id, { lease: delivery.lease ?? '', destination: nameOf(delivery) });
    // Its lease ran out while its sender still works: the new one prolongs it.
    if (isUnderWay) return;
    destinations.get(nameOf(delivery))?.gate.begun(1);
    const work: Promise<void> = handOver(delivery)
      .catch((cause: unknown) =>
        logger.error({ deliveryId: delivery.id }, 'a delivery could not be settled; it is sent again', cause),
      )
      .finally(() => {
        leases.delete(delivery.id);
        underWay.delete(work);
        // Its lane goes on at once: a lane that rested between two deliveries would hand over 20 a second.
        loop.hurry();
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
  const close = ({ sender }: Destination): void => {
    const closed: Promise<void> = sender
      .close()
      .catch((cause: unknown) => logger.error({}, 'a sender could not be closed', cause))
      .finally(() => closing.delete(closed));
    closing.add(closed);
  };
  // Every commit of the repository may call; 20 looks a second are enough.
  const loop = createWakeLoop({ round, pollMs, restMs: 50 });
  return {
    register: (name, sender, given = {}) => {
      const { policy = retryPolicies.sending, answers = {}, responseTo, ...gate } = given;
      const replaced = destinations.get(name);
      destinations.set(name, { sender, rules: { policy, answers }, responseTo, gate: new Gate(gate) });
      if (replaced !== undefined) close(replaced);
    },
    unregister: (name) => {
      const gone = destinations.get(name);
      destinations.delete(name);
      if (gone !== undefined) close(gone);
    },
    hold: (name) => void held.add(name),
    letGo: (name) => {
      held.delete(name);
      loop.wake();
    },
    onHold: (listener) => void holdListeners.push(listener),
    state: () => {
      const now = clock.now();
      const states = [...destinations].map(([name, { gate }]): [string, DestinationState] => [
        name,
        { ...gate.state(now), isHeld: held.has(name), underWay: underWayTo(name) },
      ]);
      return Object.fromEntries(states);
    },
    start: () => loop.start(),
    wake: () => loop.wake(),
    stop: async () => {
      await loop.stop();
      await Promise.all(underWay);
      for (const destination of destinations.values()) close(destination);
      await Promise.all(closing);
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

function send(
  { sender }: Destination,
  delivery: Delivery,
  { logger, tracer }: Pick<OutboxOptions, 'logger' | 'tracer'>,
): Promise<SendResult> {
  if (tracer === undefined) return sendBy(sender, delivery, undefined, logger);
  const { id, attempts, trace: parent } = delivery;
  const facts = { 'kiungo.delivery': id, 'kiungo.attempts': attempts };
  const start = { kind: 'client', facts, parent } as const;
  return tracer.span(`send ${nameOf(delivery)}`, start, async (span) => {
    const result = await sendBy(sender, delivery, span.traceparent, logger);
    if (result.code !== undefined) span.note({ 'kiungo.answer': result.code });
    if (result.state === 'failed') span.fail(result.reason.code);
    return result;
  });
}

/** A sender that throws anything but a refusal is defective: nobody knows whether it has sent. */
async function sendBy(
  sender: Sender,
  { id, contentType, payload }: Delivery,
  traceparent: string | undefined,
  logger: Logger,
): Promise<SendResult> {
  const trace = traceparent === undefined ? {} : { traceparent };
  try {
    return await sender.send({ id, contentType, payload, ...trace });
  } catch (error) {
    if (!(error instanceof Refusal)) logger.error({ deliveryId: id }, 'a defect stopped a delivery', error);
    const reason =
      error instanceof Refusal
        ? { code: error.code, text: error.message }
        : { code: 'defect', text: 'the sender failed over this delivery; the log has the cause' };
    return { state: 'failed', retry: retryClassOf(error), reason };
  }
}

function logSettlement(delivery: Delivery, settlement: Settlement, logger: Logger): void {
  const facts = {
    deliveryId: delivery.id,
    destination: delivery.destination,
    attempts: delivery.attempts,
    state: settlement.state,
    reason: settlement.reason?.code,
  };
  if (settlement.state === 'done' && settlement.reason === undefined) {
    logger.info(facts, 'delivery handed over');
  } else {
    logger.warn(
      facts,
      settlement.state === 'done' ? 'delivery handed over, with an odd answer' : 'delivery failed',
    );
  }
}
