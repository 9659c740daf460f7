// Makes the events: each change, and each processed message, is matched against the flows' subscriptions in its own commit.
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Tracer } from '../kernel/tracer.ts';
import type { Change, RepositoryUnit } from '../repository/repository.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { MessageRecord } from '../storage/message-store.ts';
import { flowDelivery } from './flow-events.ts';
import type { Listening } from './flow-criteria.ts';
import type { FlowRegister } from './flow-register.ts';

export interface MatchingParts {
  readonly register: FlowRegister;
  readonly index: SearchIndex;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly tracer?: Tracer | undefined;
}

/** How many events it enqueued. `hops`: how many flows' writes led to this change. */
export async function enqueueForChange(
  change: Change,
  hops: number,
  unit: RepositoryUnit,
  { register, index, clock, ids, tracer }: MatchingParts,
): Promise<number> {
  const { type, id, version } = change.version;
  const interested = register.toType(type).filter((one) => isFor(one, change, index));
  for (const { name } of interested) {
    const reference = `${type}/${id}`;
    const payload = { kind: 'resource', reference, version, change: change.outcome, hops } as const;
    const cause = `${reference}/_history/${version}`;
    const event = {
      id: ids.next(),
      at: clock.now(),
      lane: laneOf(change),
      cause,
      payload,
      trace: tracer?.current(),
    };
    await unit.messages.enqueue(flowDelivery(name, event));
  }
  return interested.length;
}

/**
 * A flow is not told of what it wrote itself under the same subscription: it would go round for ever. Of a deletion nothing is left
 * to match: it is told to those who listen to the type as a whole.
 */
function isFor(
  { name, where }: Extract<Listening, { kind: 'resource' }>,
  { actor, resource, entries }: Change,
  index: SearchIndex,
): boolean {
  if (actor.kind === 'flow' && actor.id === name) return false;
  if (where.op === 'every') return true;
  return resource !== undefined && index.matches(resource, entries, where);
}

/** What concerns one patient is told in order; other resources each have an order of their own. */
function laneOf({ version: { type, id }, entries }: Change): string {
  const subject = entries.find(
    (entry) =>
      entry.kind === 'reference' &&
      (entry.parameter === `${type}.subject` || entry.parameter === `${type}.patient`) &&
      entry.target.startsWith('Patient/'),
  );
  return subject?.kind === 'reference' ? subject.target : `${type}/${id}`;
}

export async function enqueueForMessage(
  message: MessageRecord,
  unit: RepositoryUnit,
  { register, clock, ids, tracer }: MatchingParts,
): Promise<number> {
  const interested = register.toMessages().filter((one) => listensTo(one, message));
  for (const { name } of interested) {
    const { id: messageId, messageType, channel } = message;
    const payload = { kind: 'message', messageId, messageType } as const;
    const trace = tracer?.current() ?? message.trace;
    const lane = `channel/${channel}`;
    const event = { id: ids.next(), at: clock.now(), lane, cause: messageId, payload, trace };
    await unit.messages.enqueue(flowDelivery(name, event));
  }
  return interested.length;
}

const listensTo = (one: Extract<Listening, { kind: 'message' }>, message: MessageRecord): boolean =>
  (one.channel === '' || one.channel === message.channel) &&
  (one.messageType === '' || one.messageType === message.messageType);
