// Hands out what waits for the flows: each event with the resource version or the message that it tells of.
import { parseResource } from '../fhir/exact-json.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Logger } from '../kernel/logger.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { RetryPolicy } from '../messages/retry.ts';
import type { ReadsResources, Repository } from '../repository/repository.ts';
import type { Delivery, LeaseRequest, MessageWriter, Reason } from '../storage/message-store.ts';
import { readPayload, subscriptionOf, type EventPayload } from './flow-events.ts';
import type { FlowEvent } from './flow-port.ts';

export interface LeaseParts {
  readonly repository: Pick<Repository, 'transact'>;
  readonly policy: RetryPolicy;
  readonly mostHops: number;
  readonly logger: Logger;
}

const leaser: Actor = { kind: 'system', id: 'flow-events', scopes: ['system/*.cruds'] };

/** In one transaction; what can never be handed out is put with the dead letters on the way. */
export async function leaseEvents(request: LeaseRequest, parts: LeaseParts): Promise<readonly FlowEvent[]> {
  if (request.destinations.length === 0 || request.limit <= 0) return [];
  const found = await parts.repository.transact(leaser, async (unit) => {
    const leased = await unit.messages.lease(request);
    const events: (FlowEvent | undefined)[] = [];
    for (const delivery of leased) {
      events.push(await eventOf(delivery, unit, unit.messages, parts));
    }
    return events;
  });
  return found.filter((event) => event !== undefined);
}

async function eventOf(
  delivery: Delivery,
  reader: ReadsResources,
  messages: MessageWriter,
  { policy, mostHops, logger }: LeaseParts,
): Promise<FlowEvent | undefined> {
  const payload = readPayload(delivery.payload);
  const content = await contentOf(payload, reader, messages);
  const reason =
    hopeless(delivery, payload, policy, mostHops) ?? (content === undefined ? eventGone : undefined);
  if (content !== undefined && reason === undefined) return { ...headOf(delivery), content };
  await messages.settle(delivery.id, delivery.lease ?? '', { state: 'dead', reason: reason ?? eventGone });
  logger.warn({ eventId: delivery.id, reason: reason?.code }, 'flow event given up');
  return undefined;
}

const headOf = (delivery: Delivery): Omit<FlowEvent, 'content'> => ({
  id: delivery.id,
  lease: delivery.lease ?? '',
  subscription: subscriptionOf(delivery.destination) ?? '',
  attempts: delivery.attempts,
  leasedUntil: delivery.leasedUntil,
});

const eventGone: Reason = {
  code: 'event-gone',
  text: 'what this event tells of is no longer here: discard it',
};

/** Leases that ran out, one after the other, without a word from the flow: it hangs or kills its process. */
function hopeless(
  { attempts }: Delivery,
  payload: EventPayload,
  policy: RetryPolicy,
  mostHops: number,
): Reason | undefined {
  if (attempts > policy.tries) {
    return {
      code: 'flow-hangs',
      text: `leased ${policy.tries} times and never ended: look at the flow, then requeue`,
    };
  }
  if (payload.kind === 'resource' && payload.hops > mostHops) {
    return { code: 'flow-loop', text: `flows cause each other, ${mostHops} writes deep: change one of them` };
  }
  return undefined;
}

async function contentOf(
  payload: EventPayload,
  reader: ReadsResources,
  messages: MessageWriter,
): Promise<FlowEvent['content'] | undefined> {
  if (payload.kind === 'message') {
    const raw = await messages.raw(payload.messageId);
    return raw && { ...payload, text: decode(raw) };
  }
  const { kind, reference, version, change } = payload;
  const head = { kind, reference, version, change } as const;
  if (change === 'deleted') return { ...head, resource: undefined };
  const body = await bodyOf(reference, version, reader);
  return body === undefined ? undefined : { ...head, resource: parseResource(body) };
}

async function bodyOf(
  reference: string,
  version: number,
  reader: ReadsResources,
): Promise<string | undefined> {
  const [type = '', id = ''] = reference.split('/');
  try {
    return (await reader.readVersion(type, id, String(version))).body;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
const latin1 = new TextDecoder('latin1');

/** UTF-8, or else a superset of Latin-1, in which every byte means something. */
function decode(raw: Uint8Array): string {
  try {
    return utf8.decode(raw);
  } catch (error) {
    if (error instanceof TypeError) return latin1.decode(raw);
    throw error;
  }
}
