// Brings events to the flows: knows which nodes listen, leases as many events as they have room for, and ends each with its try.
import type { FlowEffect, FlowSubscription } from '../../engine/index.ts';
import type { Channel } from '../channel.ts';
import { ChannelFailure } from '../channel.ts';
import { FlowNodeError } from './error-text.ts';
import { takeLease, timeFor, type LeasedEvent, type LeasedEventOnTheWire } from './leased-event.ts';
import type { Tries, TryEnd } from './tries.ts';

/** An event node of a deployed flow. */
export interface Listener {
  readonly nodeId: string;
  readonly subscription: FlowSubscription;
  /** Events that may be in the flow at the same time. */
  readonly maxInFlight: number;
  /** Sends the first message, which carries `key`. */
  deliver(event: LeasedEvent, key: string): void;
  /** What to show under the node. */
  show(state: 'listening' | 'busy' | 'refused', text: string): void;
}

export interface EventDeskTiming {
  /** A flow must be done this long before its lease runs out, so that the engine can still commit. */
  readonly commitMs: number;
  readonly requestMs: number;
  /** How often to look for events whose waiting time is over. */
  readonly pollMs: number;
}

export interface EventDesk {
  /** Refuses (FlowNodeError) a subscription name that another node has. */
  add(listener: Listener): void;
  remove(nodeId: string): void;
  /** The flows stand: tells the engine what they listen for, and starts leasing. */
  started(): void;
  /** The flows are about to stop: no more leases, what is in flight is failed back. */
  stopping(): void;
  /** Leases nothing until the returned function is called; resolves when nothing is in flight, or after `limitMs`. */
  drain(limitMs: number): Promise<() => void>;
  /** Events may be waiting. */
  wake(): void;
}

/** Most events asked for at a time. */
const leaseBatch = 32;

export function createEventDesk(channel: Channel, tries: Tries, timing: EventDeskTiming): EventDesk {
  const listeners = new Map<string, Listener>();
  const busy = new Map<string, number>();
  const queues = new Map<string, LeasedEvent[]>();
  let standing = false;
  let holds = 0;
  /** Counts the deployments; `subscribed` is the one that the engine knows of. */
  let deployment = 0;
  let subscribed = 0;
  let pumping = false;
  let again = false;

  const call = (method: string, params: object): Promise<unknown> =>
    channel.request(method, params, timing.requestMs);
  const inFlight = (name: string): number => busy.get(name) ?? 0;
  const queued = (): number => [...queues.values()].reduce((sum, queue) => sum + queue.length, 0);
  const room = (): number =>
    [...listeners.values()].reduce((sum, { maxInFlight }) => sum + maxInFlight, 0) - tries.count - queued();

  /** The engine holds the event until its lease runs out when it cannot be told. */
  const failBack = (event: LeasedEvent, text: string): void => {
    call('fail', { eventId: event.id, lease: event.lease, text }).catch(() => undefined);
  };

  const ended = async (event: LeasedEvent, { outcome, effects, text }: TryEnd): Promise<void> => {
    const name = event.subscription;
    busy.set(name, inFlight(name) - 1);
    if (outcome === 'completed') await complete(event, effects);
    else failBack(event, text);
    next(name);
    wake();
  };

  /** The engine fails the event itself where it refuses the effects; too large a message never gets there. */
  const complete = (event: LeasedEvent, effects: readonly FlowEffect[]): Promise<void> =>
    call('complete', { eventId: event.id, lease: event.lease, effects }).then(
      () => undefined,
      (failure: unknown) => {
        if (failure instanceof ChannelFailure && failure.code === 'too-large') {
          failBack(event, failure.message);
        }
      },
    );

  const begin = (listener: Listener, event: LeasedEvent): void => {
    const name = event.subscription;
    const key = `${event.id}/${event.lease}`;
    const limitMs = timeFor(event, timing.commitMs);
    if (limitMs <= 0) {
      failBack(event, 'its lease ran out while it waited for its turn');
      return;
    }
    busy.set(name, inFlight(name) + 1);
    tries.begin(
      key,
      event.id,
      limitMs,
      () => listener.deliver(event, key),
      (end) => void ended(event, end),
    );
  };

  /** Starts what waits for this subscription, as far as there is room. */
  const next = (name: string): void => {
    const listener = listeners.get(name);
    const queue = queues.get(name) ?? [];
    while (listener !== undefined && queue.length > 0 && inFlight(name) < listener.maxInFlight) {
      const event = queue.shift();
      if (event !== undefined) begin(listener, event);
    }
    if (queue.length === 0) queues.delete(name);
    listener?.show(inFlight(name) > 0 ? 'busy' : 'listening', `${inFlight(name)} in flight`);
  };

  const arrive = (event: LeasedEvent): void => {
    if (!standing || !listeners.has(event.subscription)) {
      failBack(event, 'no deployed flow listens for this event');
      return;
    }
    const queue = queues.get(event.subscription) ?? [];
    queue.push(event);
    queues.set(event.subscription, queue);
    next(event.subscription);
  };

  const subscribe = async (): Promise<void> => {
    const told = deployment;
    try {
      await call('subscribe', {
        subscriptions: [...listeners.values()].map(({ subscription }) => subscription),
      });
      subscribed = told;
      for (const name of listeners.keys()) next(name);
    } catch (failure) {
      const text = failure instanceof ChannelFailure ? failure.message : 'the engine did not answer';
      for (const listener of listeners.values()) listener.show('refused', text);
      throw failure;
    }
  };

  const lease = async (limit: number): Promise<void> => {
    const asked = performance.now();
    const events = (await call('lease', { limit })) as readonly LeasedEventOnTheWire[];
    for (const event of events) arrive(takeLease(event, asked));
    again ||= events.length === limit;
  };

  /** Until there is no room or nothing more to be had. */
  const pump = async (): Promise<void> => {
    pumping = true;
    try {
      while (standing && again) {
        again = false;
        if (subscribed !== deployment) await subscribe();
        const limit = holds > 0 ? 0 : Math.min(room(), leaseBatch);
        if (limit > 0) await lease(limit);
      }
    } finally {
      pumping = false;
    }
  };

  const wake = (): void => {
    again = true;
    // What cannot be had now is asked for again at the next poll.
    if (!pumping) pump().catch(() => undefined);
  };
  setInterval(wake, timing.pollMs);

  const failAll = (text: string): void => {
    for (const queue of queues.values()) for (const event of queue) failBack(event, text);
    queues.clear();
    tries.failAll(text);
  };

  return {
    add(listener) {
      const { name } = listener.subscription;
      if (listeners.has(name)) {
        throw new FlowNodeError(
          `another event node has the name ${JSON.stringify(name)}: give this one its own`,
        );
      }
      listeners.set(name, listener);
    },
    remove(nodeId) {
      for (const [name, listener] of listeners) if (listener.nodeId === nodeId) listeners.delete(name);
    },
    started() {
      deployment += 1;
      standing = true;
      wake();
    },
    stopping() {
      standing = false;
      failAll('the flows were deployed anew while this event was in flight');
    },
    async drain(limitMs) {
      holds += 1;
      const until = performance.now() + limitMs;
      while (tries.count + queued() > 0 && performance.now() < until) await pause(20);
      let held = true;
      return () => {
        if (held) holds -= 1;
        held = false;
        wake();
      };
    },
    wake,
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
