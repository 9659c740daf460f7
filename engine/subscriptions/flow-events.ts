// What is kept of an event for a flow until the flow takes it: references, never copies of resources or messages.
import { parseJson } from '../fhir/exact-json.ts';
import type { NewDelivery } from '../storage/message-store.ts';

export type EventPayload =
  | {
      readonly kind: 'resource';
      readonly reference: string;
      readonly version: number;
      readonly change: 'created' | 'updated' | 'deleted';
      /** How many flows' writes led here, one causing the next. */
      readonly hops: number;
    }
  | { readonly kind: 'message'; readonly messageId: string; readonly messageType: string };

const destinationPrefix = 'flow:';

export const destinationOf = (subscription: string): string => `${destinationPrefix}${subscription}`;

/** undefined for what is not for a flow. */
export const subscriptionOf = (destination: string): string | undefined =>
  destination.startsWith(destinationPrefix) ? destination.slice(destinationPrefix.length) : undefined;

/** `lane` need not tell subscriptions apart: each has lanes of its own. */
export function flowDelivery(
  subscription: string,
  event: {
    readonly id: string;
    readonly at: number;
    readonly lane: string;
    readonly cause: string;
    readonly payload: EventPayload;
    /** The traceparent of what caused it, where traces are kept. */
    readonly trace?: string | undefined;
  },
): NewDelivery {
  return {
    id: event.id,
    destination: destinationOf(subscription),
    lane: `${destinationOf(subscription)}/${event.lane}`,
    createdAt: event.at,
    contentType: 'application/json',
    payload: Buffer.from(JSON.stringify(event.payload)),
    cause: event.cause,
    trace: event.trace,
  };
}

/** Reads what `flowDelivery` wrote. */
export const readPayload = (payload: Uint8Array): EventPayload =>
  parseJson(Buffer.from(payload).toString('utf8')) as EventPayload;
