// What adapters bring to the message engine, and what they find there.
import type { RetryClass } from '../kernel/failures.ts';
import type { OutgoingSegment } from '../mapping/outgoing-message.ts';
import type { Issue, WireMessage } from '../mapping/wire-message.ts';
import type { Reason, Response } from '../storage/message-store.ts';

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

/** HL7 2.10.3.3: each message of a batch is acknowledged in the batch that answers, only those that are refused, or none. */
export type BatchAnswers = 'all' | 'refused' | 'none';

/** HL7 table 0008. */
export type AcknowledgementCode = 'AA' | 'AE' | 'AR' | 'CA' | 'CE' | 'CR';

export interface Acknowledgement {
  readonly code: AcknowledgementCode;
  readonly reason: Reason | undefined;
}

/** Several messages that came as one piece, and are answered as one. */
export interface MessageBatch {
  /** BHS-11 or FHS-11, or what the format has in its place; '' when there is none. */
  readonly controlId: string;
  /** The bytes of each, in order. */
  readonly messages: readonly Uint8Array[];
  /** It answers another batch: where it is empty it is owed nothing. */
  readonly isAnswer: boolean;
  /** Why none of it is taken: what came is not what was sent. */
  readonly fault: Reason | undefined;
  /** `answers` of each message, in order; each may have none. `at` and `newId` are the time and control id of the answer. */
  renderAnswer(answers: readonly (readonly Uint8Array[])[], at: number, newId: string): Uint8Array;
}

/** One wire format, brought by an adapter. */
export interface MessageFormat {
  /** The first is the one that stored messages carry. */
  readonly mediaTypes: readonly string[];
  /** Never throws. `charset`: what to assume where the message does not say. */
  identify(raw: Uint8Array, charset?: string): Envelope;
  /** Undefined when the bytes are one message. Never throws. `sequences`: messages one after the other without header are a batch. */
  openBatch?(raw: Uint8Array, sequences?: boolean): MessageBatch | undefined;
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
  /** A message as bytes, unframed: what a text holds is escaped. Formats that are only read have none. */
  renderMessage?(segments: readonly OutgoingSegment[]): Uint8Array;
}

/** One message as it arrived, unframed. */
export interface Arrival {
  readonly channel: string;
  readonly peer: string;
  /** One of a registered format's media types. */
  readonly mediaType: string;
  readonly raw: Uint8Array;
  readonly charset?: string;
  /**
   * It came as a file (`peer` names it and its time): several messages may follow each other without header, and the same bytes from
   * the same peer are the same arrival, whenever they are seen again.
   */
  readonly isFile?: boolean;
  /** Nobody there takes an answer: none is owed. */
  readonly isOneWay?: boolean;
}

export interface Receipt {
  /** Of a batch: the first message's. */
  readonly messageId: string;
  /** The id under which the messages of a batch are found; undefined for a message that came alone. */
  readonly batchId?: string | undefined;
  /** What to send back on the same connection, in order, unframed; none where none is owed. */
  readonly answers: readonly Uint8Array[];
  /** The adapter says whether the answers were handed to the network. */
  answered(outcome: 'sent' | 'undelivered'): void;
}

export interface Inbox {
  /** Resolves once the bytes are durable (or are known to be a duplicate). Rejects when they could not be kept. */
  receive(arrival: Arrival): Promise<Receipt>;
}

/** `code`: of the answer, where there was one (`AA`, `AE`, `503`); `response`: the answer itself. */
export type SendResult = (
  | { readonly state: 'done' }
  | {
      readonly state: 'failed';
      readonly retry: RetryClass;
      readonly reason: Reason;
      /** How long the receiver asks to be left alone. */
      readonly notBeforeMs?: number;
    }
) & { readonly code?: string; readonly response?: Response };

/** Hands one delivery to the outside. Calls do not overlap within a lane. */
export interface Sender {
  send(delivery: {
    readonly id: string;
    readonly contentType: string;
    readonly payload: Uint8Array;
    /** For protocols that carry it: https://www.w3.org/TR/trace-context/ */
    readonly traceparent?: string;
  }): Promise<SendResult>;
  /** Finishes what is under way. */
  close(): Promise<void>;
}
