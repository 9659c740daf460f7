// A FlowPort in memory with real leases: what is not completed or failed in time is leased again.
import { randomUUID } from 'node:crypto';
import {
  Refusal,
  type FhirResource,
  type FlowEffect,
  type FlowEvent,
  type FlowPort,
  type FlowSubscription,
} from '../../engine/index.ts';

interface Kept {
  readonly id: string;
  readonly subscription: string;
  readonly content: FlowEvent['content'];
  state: 'waiting' | 'leased' | 'done' | 'dead';
  lease: string;
  leasedUntil: number;
  attempts: number;
  readonly failures: string[];
}

export interface MemoryPort extends FlowPort {
  readonly subscriptions: readonly FlowSubscription[];
  /** Resources as written and bodies as sent, by commits. */
  readonly commits: readonly (readonly FlowEffect[])[];
  readonly resources: Map<string, FhirResource>;
  leaseMs: number;
  /** Most tries of an event. */
  maxAttempts: number;
  announce(subscription: string, resource: FhirResource): string;
  announceMessage(subscription: string, text: string): string;
  event(id: string): Readonly<Kept>;
  written(): readonly FhirResource[];
  sent(): readonly Extract<FlowEffect, { kind: 'send' }>[];
}

export function createMemoryPort(): MemoryPort {
  const events = new Map<string, Kept>();
  const resources = new Map<string, FhirResource>();
  const commits: (readonly FlowEffect[])[] = [];
  let subscriptions: readonly FlowSubscription[] = [];
  let wake: () => void = () => undefined;

  const held = (eventId: string, lease: string): Kept => {
    const event = events.get(eventId);
    if (event?.state === 'leased' && event.lease === lease && event.leasedUntil > Date.now()) return event;
    throw new Refusal('conflict', 'the lease has run out');
  };
  const keep = (subscription: string, content: FlowEvent['content']): string => {
    const id = randomUUID();
    events.set(id, {
      id,
      subscription,
      content,
      state: 'waiting',
      lease: '',
      leasedUntil: 0,
      attempts: 0,
      failures: [],
    });
    setImmediate(wake);
    return id;
  };
  const free = ({ state, leasedUntil, subscription }: Kept): boolean =>
    (state === 'waiting' || (state === 'leased' && leasedUntil <= Date.now())) &&
    subscriptions.some(({ name }) => name === subscription);

  const port: MemoryPort = {
    get subscriptions() {
      return subscriptions;
    },
    commits,
    resources,
    leaseMs: 10_000,
    maxAttempts: 5,
    announce(subscription, resource) {
      const reference = `${resource.resourceType}/${String(resource.id)}`;
      resources.set(reference, resource);
      return keep(subscription, { kind: 'resource', reference, version: 1, change: 'created', resource });
    },
    announceMessage: (subscription, text) =>
      keep(subscription, { kind: 'message', messageId: 'm1', messageType: 'ORU^R01', text }),
    event: (id) => events.get(id)!,
    written: () => commits.flat().flatMap((effect) => (effect.kind === 'write' ? [effect.resource] : [])),
    sent: () => commits.flat().filter((effect) => effect.kind === 'send'),
    async subscribe(given) {
      const wrong = given.find((one) => one.kind === 'resource' && one.criteria.startsWith('Nothing'));
      if (wrong !== undefined) throw new Refusal('bad-request', 'Nothing is no resource type');
      subscriptions = given;
    },
    async lease(limit) {
      const chosen = [...events.values()].filter(free).slice(0, limit);
      return chosen.map((event) => {
        Object.assign(event, {
          state: 'leased',
          lease: randomUUID(),
          leasedUntil: Date.now() + port.leaseMs,
          attempts: event.attempts + 1,
        });
        return { ...event };
      });
    },
    async complete(eventId, lease, effects) {
      held(eventId, lease).state = 'done';
      commits.push(effects);
    },
    async fail(eventId, lease, text) {
      const event = held(eventId, lease);
      event.failures.push(text);
      event.state = event.attempts >= port.maxAttempts ? 'dead' : 'waiting';
      setTimeout(() => wake(), 100);
    },
    async read(reference) {
      const found = resources.get(reference);
      if (found === undefined) throw new Refusal('not-found', `${reference} is not known here`);
      return found;
    },
    async search(query) {
      const [type, rest] = query.split('?');
      const id = new URLSearchParams(rest).get('_id')?.split(',') ?? [];
      return [...resources.values()].filter((one) => one.resourceType === type && id.includes(one.id!));
    },
    onEvents(listener) {
      wake = listener;
    },
  };
  return port;
}
