// Hands what waits for the outside to its senders: one after the other in each lane, until it is done or a person has to look.
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Tracer } from '../kernel/tracer.ts';
import type { Delivery, Settlement } from '../storage/message-store.ts';
import type { Store } from '../storage/store.ts';
import {
  Destinations,
  type Destination,
  type DestinationRules,
  type DestinationState,
} from './destinations.ts';
import { destinationOf, handOver, logSettlement, queueName, unknownDestination } from './hand-over.ts';
import type { Sender, SendResult } from './ports.ts';
import { isResponse, type Responses } from './responses.ts';
import { retryPolicies } from './retry.ts';
import { settled } from './settle.ts';
import { createWakeLoop } from './wake-loop.ts';

export interface OutboxOptions {
  readonly store: Pick<Store, 'transact'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a sender may take before the delivery is taken to be orphaned; one minute unless told. */
  readonly leaseMs?: number;
  /** Lanes of one destination that are worked on at the same time; 16 unless told. */
  readonly parallel?: number;
  /** How often to look for what has come due without a call; one second unless told. */
  readonly pollMs?: number;
  /** Without it no response is taken in. */
  readonly responses?: Responses;
  readonly tracer?: Tracer | undefined;
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

/** Deliveries of one lane that are leased together: each is sent when the one before it is done, and they are settled in one commit. */
interface Run {
  readonly destination: string;
  /** May grow: a lease that runs out while its sender works is prolonged with what is behind it. */
  readonly deliveries: Delivery[];
  /** Nothing more of it is tried. */
  isSettling: boolean;
  /** What of its lane was leased since: those given back can be leased again before the last is settled. */
  readonly next: Delivery[];
}

interface Ended {
  readonly result: SendResult;
  readonly settlement: Settlement;
}

/** At most so many, and no further one is begun after this time: what a power cut can make us send twice is not more than these. */
const longestRun = { deliveries: 16, ms: 20 };

export function createOutbox(options: OutboxOptions): Outbox {
  const { store, clock, logger, leaseMs = 60_000, parallel = 16, pollMs = 1_000 } = options;
  const holdListeners: ((destination: string, delivery: Delivery) => void)[] = [];
  /** By lane. */
  const runs = new Map<string, Run>();
  /** The lease under which each delivery is under way here. */
  const leases = new Map<string, string>();
  const underWay = new Set<Promise<void>>();
  let isStopping = false;

  const countUnderWay = (): ReadonlyMap<string, number> => {
    const counts = new Map<string, number>();
    for (const { destination } of runs.values()) counts.set(destination, (counts.get(destination) ?? 0) + 1);
    return counts;
  };

  const destinations = new Destinations({ clock, logger, parallel, countUnderWay });
  /** Where each delivery is counted, or its response is taken in with its end, they are taken one by one. */
  const takesRuns = ({ gate, responseTo }: Destination): boolean =>
    !gate.isCounted && (responseTo === undefined || options.responses === undefined);
  const lease = (): Promise<readonly Delivery[]> =>
    store.transact(({ messages }) =>
      messages.lease({
        destinations: [queueName('*')],
        now: clock.now(),
        leaseMs,
        limit: parallel * (destinations.count + 1),
        limits: destinations.limits(),
        runs: destinations.runs(takesRuns, longestRun.deliveries),
        underWay: leases,
      }),
    );
  const tryOne = async (delivery: Delivery): Promise<Ended> => {
    const name = destinationOf(delivery);
    const destination = destinations.get(name);
    const sender = destination?.sender;
    const result = sender === undefined ? unknownDestination : await handOver(sender, delivery, options);
    destination?.gate.ended(result.state === 'done' || result.code !== undefined, clock.now());
    const rules = destination?.rules ?? { policy: retryPolicies.sending };
    const { settlement, action } = settled(result, delivery, rules, clock.now());
    if (action === 'hold') holdFor(name, delivery);
    return { result, settlement };
  };
  const settle = async (delivery: Delivery, { result, settlement }: Ended): Promise<void> => {
    const lease = leases.get(delivery.id) ?? '';
    const responseTo = destinations.get(destinationOf(delivery))?.responseTo;
    if (options.responses !== undefined && responseTo !== undefined && isResponse(result, settlement)) {
      await options.responses.settle({ delivery, lease, settlement }, responseTo);
    } else {
      await store.transact(({ messages }) => messages.settle(delivery.id, lease, settlement));
    }
    logSettlement(delivery, settlement, logger);
  };
  const giveBack = ({ id }: Delivery): Promise<void> =>
    store.transact(({ messages }) => messages.settle(id, leases.get(id) ?? '', { state: 'untried' }));
  const work = async (run: Run): Promise<void> => {
    const { destination, deliveries } = run;
    const begin = performance.now();
    const ends = new Map<string, Ended>();
    let goesOn = true;
    for (const delivery of deliveries) {
      if (!goesOn) break;
      const ended = await tryOne(delivery);
      ends.set(delivery.id, ended);
      const isInTime = performance.now() - begin < longestRun.ms;
      goesOn =
        ended.settlement.state === 'done' && isInTime && !isStopping && !destinations.isHeld(destination);
    }
    run.isSettling = true;
    // Asked for together they share a commit, as a rule.
    const settling = deliveries.map((delivery) => {
      const ended = ends.get(delivery.id);
      return (ended === undefined ? giveBack(delivery) : settle(delivery, ended)).catch((cause: unknown) =>
        logger.error({ deliveryId: delivery.id }, 'a delivery could not be settled; it is sent again', cause),
      );
    });
    await Promise.all(settling);
  };
  const holdFor = (name: string, delivery: Delivery): void => {
    destinations.hold(name);
    logger.warn(
      { destination: name, deliveryId: delivery.id },
      'destination held: its answer asks for a person',
    );
    for (const listener of holdListeners) listener(name, delivery);
  };
  const begin = (delivery: Delivery): void => {
    const { id, lane, lease = '' } = delivery;
    const running = runs.get(lane);
    if (running?.isSettling === true) {
      running.next.push(delivery);
      return;
    }
    const isKnown = leases.has(id);
    leases.set(id, lease);
    if (running !== undefined) {
      // It is behind another one; or its lease ran out while its sender still works, and the new one prolongs it.
      if (!isKnown) running.deliveries.push(delivery);
      return;
    }
    const destination = destinationOf(delivery);
    const run: Run = { destination, deliveries: [delivery], isSettling: false, next: [] };
    runs.set(lane, run);
    destinations.get(destination)?.gate.begun(1);
    const done: Promise<void> = Promise.resolve()
      .then(() => work(run))
      .finally(() => {
        for (const each of run.deliveries) leases.delete(each.id);
        runs.delete(lane);
        underWay.delete(done);
        run.next.forEach(begin);
        // Its lane goes on at once: a lane that rested between two deliveries would hand over 20 a second.
        loop.hurry();
      });
    underWay.add(done);
  };
  const round = async (): Promise<'more' | 'done'> => {
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
    register: (name, sender, rules = {}) => destinations.register(name, sender, rules),
    unregister: (name) => destinations.unregister(name),
    hold: (name) => destinations.hold(name),
    letGo: (name) => {
      destinations.letGo(name);
      loop.wake();
    },
    onHold: (listener) => void holdListeners.push(listener),
    state: () => destinations.state(),
    start: () => {
      isStopping = false;
      loop.start();
    },
    wake: () => loop.wake(),
    stop: async () => {
      isStopping = true;
      await loop.stop();
      while (underWay.size > 0) await Promise.all(underWay);
      await destinations.close();
    },
  };
}
