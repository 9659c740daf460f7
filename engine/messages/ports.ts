// What adapters bring to the message engine, and what they find there.
import type { RetryClass } from '../kernel/failures.ts';
import type { Issue, WireMessage } from '../mapping/wire-message.ts';
import type { Reason } from '../storage/message-store.ts';

/** HL7 table 0155: when an acknowledgement is wanted; undefined when the sender says nothing. */
export type AcknowledgementWish = 'AL' | 'NE' | 'ER' | 'SU' | undefined;

/** What the outside of a message tells, read without trusting the inside. */
export interface Envelope {
  readonly controlId: string;
  readonly messageType: string;
  /** MSH-3 and MSH-4, for filters and logs. */
  readonly sender: string;
  /** MSH-15. */
  readonly acceptWish: AcknowledgementWish;
  /** MSH-16 (undefined too where a device uses the field for something else). */
  readonly applicationWish: AcknowledgementWish;
  /** An acknowledgement itself: never answered. */
  readonly isAnswer: boolean;
  /** Set when not even the envelope can be read: the sender gets AR. */
  readonly unreadable: Reason | undefined;
}

/** `application-only`: the device knows nothing but AA, AE and AR, whatever its MSH-15 and MSH-16 say. */
export type AcknowledgementMode = 'as-asked' | 'application-only';

/** HL7 table 0008. */
export type AcknowledgementCode = 'AA' | 'AE' | 'AR' | 'CA' | 'CE' | 'CR';

export interface Acknowledgement {
  readonly code: AcknowledgementCode;
  readonly reason: Reason | undefined;
}

/** One wire format, brought by an adapter. */
export interface MessageFormat {
  /** The first is the one that stored messages carry. */
  readonly mediaTypes: readonly string[];
  /** Never throws. `charset`: what to assume where the message does not say. */
  identify(raw: Uint8Array, charset?: string): Envelope;
  /** `message` is undefined only when an issue is an error. */
  parse(
    raw: Uint8Array,
    charset?: string,
  ): { readonly message: WireMessage | undefined; readonly issues: readonly Issue[] };
  /** The acknowledgement as bytes, unframed, addressed back to the sender. `at` and `controlId` are its time and new id. */
  renderAcknowledgement(
    raw: Uint8Array,
    acknowledgement: Acknowledgement,
    at: number,
    controlId: string,
  ): Uint8Array;
}

/** One message as it arrived, unframed. */
export interface Arrival {
  readonly channel: string;
  readonly peer: string;
  /** One of a registered format's media types. */
  readonly mediaType: string;
  readonly raw: Uint8Array;
  readonly charset?: string;
}

export interface Receipt {
  readonly messageId: string;
  /** What to send back on the same connection, in order, unframed; none where none is owed. */
  readonly answers: readonly Uint8Array[];
  /** The adapter says whether the answers were handed to the network. */
  answered(outcome: 'sent' | 'undelivered'): void;
}

export interface Inbox {
  /** Resolves once the bytes are durable (or are known to be a duplicate). Rejects when they could not be kept. */
  receive(arrival: Arrival): Promise<Receipt>;
}

export type SendResult =
  | { readonly state: 'done' }
  | { readonly state: 'failed'; readonly retry: RetryClass; readonly reason: Reason };

/** Hands one delivery to the outside. Calls do not overlap within a lane. */
export interface Sender {
  send(delivery: {
    readonly id: string;
    readonly contentType: string;
    readonly payload: Uint8Array;
  }): Promise<SendResult>;
  /** Finishes what is under way. */
  close(): Promise<void>;
}
