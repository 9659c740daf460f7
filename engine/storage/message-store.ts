// The port to where messages and deliveries live. A message's own fate, its acknowledgement's fate and its
// deliveries' fates are independent facts in independent fields.

/** What became of the message itself. */
export type MessageState =
  /** Kept; waits to be processed. */
  | 'received'
  /** Its effects are committed. */
  | 'processed'
  /** Understood, needs no effect here (a query, a quality-control run of no interest, an answer): `reason` says which. */
  | 'set-aside'
  /** Cannot be processed; waits for a person with its reason. */
  | 'dead'
  /** A person decided that it is not wanted. */
  | 'discarded';

/** What became of the acknowledgement that is owed to the sender. */
export type AcknowledgementState = 'pending' | 'sent' | 'undelivered' | 'not-owed';

export interface Reason {
  /** A code of docs/errors.md. */
  readonly code: string;
  /** For a person: what is wrong, where, and what to do next. No patient data. */
  readonly text: string;
}

export interface MessageRecord {
  readonly id: string;
  readonly channel: string;
  /** Remote address and port, or the file or URL that it came from. */
  readonly peer: string;
  readonly receivedAt: number;
  /** MSH-10 or what the format has in its place; '' when there is none. */
  readonly controlId: string;
  /** MSH-9 as `ORU^R01`, or what the format has in its place; '' when it could not be read. */
  readonly messageType: string;
  /** Media type of the raw bytes: `application/hl7-v2`, `application/astm`. */
  readonly format: string;
  /** SHA-256 of the raw bytes, hex. */
  readonly digest: string;
  readonly size: number;
  readonly state: MessageState;
  /** Why it is set aside, dead or discarded; or why the last try failed. */
  readonly reason: Reason | undefined;
  readonly attempts: number;
  /** When the next try is due, ms since 1970; only for `received`. */
  readonly dueAt: number;
  readonly acknowledgement: AcknowledgementState;
  /** The answer as it was (or is to be) sent, so that a duplicate gets the same. In lists a large one is empty. */
  readonly answer: Uint8Array | undefined;
  /** The map that was used, and the resources that it caused as `Type/id/_history/version`. */
  readonly map: string | undefined;
  readonly effects: readonly string[];
  /** The message that this one is a mended or replayed copy of. */
  readonly replayOf: string | undefined;
  /** Names the batch that it came in, the same for all its messages. */
  readonly batch: string | undefined;
  /** Who replayed, mended or discarded it last. */
  readonly changedBy: string | undefined;
  /** The traceparent of its arrival, where traces are kept. */
  readonly trace?: string | undefined;
}

/** Under what a message is found besides: `patient`, `barcode`, or a name that its channel gives to an HL7 path. */
export interface MessageKey {
  readonly name: string;
  readonly value: string;
}

export interface MessageFilter {
  readonly controlId?: string;
  readonly state?: MessageState;
  readonly channel?: string;
  readonly messageType?: string;
  readonly batch?: string;
  /** The code of its reason. */
  readonly reason?: string;
  /** It is a mended copy of this one. */
  readonly replayOf?: string;
  /** It caused this version of a resource (`Type/id/_history/version`): what no index knows, so it may take several walks. */
  readonly effect?: string;
  /**
   * Its text has all these words, without case, accents and apostrophes, in any order: `wbc otieno`. The last one may be the beginning of a
   * longer one, others with `*`. What has punctuation (`6690-2^WBC`) or stands in quotes (`"critically low"`) is there as one piece that begins
   * where a word begins. Of bytes that are not indexed the first megabyte is looked through.
   */
  readonly text?: string;
  /** What it is indexed under; all of them. */
  readonly keys?: readonly MessageKey[];
  /** receivedAt, inclusive. */
  readonly from?: number;
  /** receivedAt, exclusive. */
  readonly to?: number;
  readonly limit: number;
  readonly offset: number;
  /** `next` of an earlier answer to the same question: goes on from there. With an offset of 0. */
  readonly continue?: string;
}

/** What becomes of one thing to be handed out: a sent message, or an event for a flow. */
export type DeliveryState =
  /** Waits for its time and its turn in its lane. */
  | 'waiting'
  /** Somebody works on it until `leasedUntil`. */
  | 'leased'
  | 'done'
  /** Given up; waits for a person with its reason. It no longer holds its lane. */
  | 'dead'
  | 'discarded';

export interface Delivery {
  readonly id: string;
  /** `flow:<subscription>` or `send:<destination>`. */
  readonly destination: string;
  /** Deliveries of one lane are handed out in order of creation, one at a time. */
  readonly lane: string;
  readonly createdAt: number;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly dueAt: number;
  readonly leasedUntil: number;
  /** Names the lease: only its holder can settle it. */
  readonly lease: string | undefined;
  readonly reason: Reason | undefined;
  /** Media type of the payload. */
  readonly contentType: string;
  readonly payload: Uint8Array;
  /** What caused it: a message id, a delivery id, or `Type/id/_history/version`. */
  readonly cause: string;
  /** What the receiver answered last, as it came. In lists a large one is empty. */
  readonly response: Response | undefined;
  /** When it ended, or its last try did; ms since 1970. */
  readonly settledAt: number | undefined;
  /** The traceparent of what caused it, where traces are kept. */
  readonly trace?: string | undefined;
}

/** A delivery as lists have it: without its payload, which may be large. */
export interface ListedDelivery extends Omit<Delivery, 'payload'> {
  /** Of the payload, bytes. */
  readonly size: number;
}

export interface Response {
  readonly contentType: string;
  readonly bytes: Uint8Array;
  /** There was more than was read. Not kept. */
  readonly isCut?: boolean;
}

export type NewDelivery = Pick<
  Delivery,
  'id' | 'destination' | 'lane' | 'createdAt' | 'contentType' | 'payload' | 'cause' | 'trace'
>;

export interface DeliveryFilter {
  readonly destination?: string;
  readonly state?: DeliveryState;
  readonly cause?: string;
  readonly limit: number;
  readonly offset: number;
}

export interface Listed<T> {
  readonly total: number;
  /** There are more than `total`: counting on would take long. */
  readonly isAtLeast?: true;
  /** Not everything was looked at: goes on there as `continue`. Items may be fewer than the limit, or none. */
  readonly next?: string;
  /** Then: how far back it was looked (receivedAt). */
  readonly searchedUntil?: number;
  readonly items: readonly T[];
}

export interface MessageReader {
  message(id: string): Promise<MessageRecord | undefined>;
  raw(id: string): Promise<Uint8Array | undefined>;
  /** The first message with this channel, type, control id and digest; from this peer only, where one is named. */
  duplicateOf(
    key: Pick<MessageRecord, 'channel' | 'messageType' | 'controlId' | 'digest'>,
    peer?: string,
  ): Promise<MessageRecord | undefined>;
  /** What the maps made of it (a Bundle as JSON), where its channel keeps that. */
  mapped(id: string): Promise<Uint8Array | undefined>;
  /**
   * Newest first; by keys, in order of arrival. `total` is exact up to 10,000, and for channels and states alone. Where many fit by every
   * index, and more is asked than an index knows, it is looked for a limited time: `next` goes on.
   */
  messages(filter: MessageFilter): Promise<Listed<MessageRecord>>;
  /** Messages whose words are not (or not all) in the index, the newest first; after this one, where one is named. */
  unindexed(limit: number, after?: string): Promise<readonly MessageRecord[]>;
  /**
   * The messages in state `received` whose turn has come, oldest first: within a channel only the oldest, and only when it
   * is due, so that the order of arrival is kept. None of the channels in `except`.
   */
  dueMessages(now: number, limit: number, except?: readonly string[]): Promise<readonly MessageRecord[]>;
  /** The ids of what waits behind a message in its channel, in its order, up to the first that is not due. */
  dueBehind(
    message: Pick<MessageRecord, 'id' | 'channel'>,
    now: number,
    limit: number,
  ): Promise<readonly string[]>;
  /** What `markArrived` said last; 0 before. */
  arrivedUpTo(): Promise<number>;
  delivery(id: string): Promise<Delivery | undefined>;
  /** Oldest first. */
  deliveries(filter: DeliveryFilter): Promise<Listed<ListedDelivery>>;
  /** Counts by state, and the age of the oldest that waits: for metrics. */
  census(): Promise<Census>;
  /** The same for each channel and each destination that has ever had something. */
  tallies(): Promise<Tallies>;
}

export interface Tallies {
  readonly channels: Readonly<Record<string, ChannelTally>>;
  /** By the name with its `send:` or `flow:`. */
  readonly destinations: Readonly<Record<string, DestinationTally>>;
}

export interface ChannelTally {
  readonly messages: Readonly<Record<MessageState, number>>;
  readonly oldestReceivedAt: number | undefined;
  /** When the last message came. */
  readonly newestAt: number | undefined;
}

export interface DestinationTally {
  readonly deliveries: Readonly<Record<DeliveryState, number>>;
  readonly oldestWaitingAt: number | undefined;
}

export interface Census {
  readonly messages: Readonly<Record<MessageState, number>>;
  readonly deliveries: Readonly<Record<DeliveryState, number>>;
  readonly oldestReceivedAt: number | undefined;
  readonly oldestWaitingAt: number | undefined;
}

/** Fields of a message that change after it was kept. */
export type MessageChange = Partial<
  Pick<
    MessageRecord,
    'state' | 'reason' | 'attempts' | 'dueAt' | 'acknowledgement' | 'answer' | 'map' | 'effects' | 'changedBy'
  >
>;

/** Inside a transaction: reads see this transaction's own writes. */
export interface MessageWriter extends MessageReader {
  /** Throws Refusal `conflict` when there is a message with this id. */
  keep(message: MessageRecord, raw: Uint8Array): Promise<void>;
  /** All that came up to this number (see arrival-journal.ts) is kept here. */
  markArrived(number: number): Promise<void>;
  /** Throws Refusal `not-found` when there is no such message. */
  change(id: string, change: MessageChange): Promise<void>;
  /** Sets what the message is found under; what is there already stays. */
  addKeys(id: string, keys: readonly MessageKey[]): Promise<void>;
  /** Sets the text by whose words the message is found as long as it has its bytes. */
  indexText(id: string, text: string): Promise<void>;
  keepMapped(id: string, bytes: Uint8Array): Promise<void>;
  /** Lets go of the bytes (and of what the maps made of them); what is known about the message stays. */
  dropBody(id: string): Promise<void>;
  enqueue(delivery: NewDelivery): Promise<void>;
  /**
   * Leases up to `limit` deliveries for the named destinations: of each lane only its oldest open one, and only when it is due
   * and not leased (or its lease has run out); where `runs` says so, those right behind it too. Each gets attempts + 1 and a lease of
   * its own; one whose lease `underWay` names is not tried anew, so that its attempts stay.
   */
  lease(request: LeaseRequest): Promise<readonly Delivery[]>;
  /** Ends a lease. Throws Refusal `conflict` when the lease is not (or no longer) the delivery's. */
  settle(id: string, lease: string, result: Settlement | Untried): Promise<void>;
  /** What a person does: put a dead or done delivery back in the queue, or discard one that is not leased. */
  requeue(id: string, dueAt: number): Promise<void>;
  discardDelivery(id: string, reason: Reason): Promise<void>;
  /** Puts a waiting delivery among the dead, so that its lane goes on. Throws Refusal `conflict` for any other. */
  parkDelivery(id: string, reason: Reason): Promise<void>;
}

/** What the nightly purge needs besides. */
export interface PurgesMessages {
  /** Removes up to `limit` messages in these states received before `before` (of one channel, where it is named), with their bytes; how many it removed. */
  purge(before: number, states: readonly MessageState[], limit: number, channel?: string): Promise<number>;
  /** When the `count`-th newest of a channel's messages in this state came; undefined where there are fewer. */
  nthNewest(channel: string, state: MessageState, count: number): Promise<number | undefined>;
  /** The same for deliveries created before `before`, but for those to the destinations in `except`. */
  purgeDeliveries(
    before: number,
    states: readonly DeliveryState[],
    limit: number,
    except?: readonly string[],
  ): Promise<number>;
  /** Ids of up to `limit` messages that `purge` would remove. */
  purgeable(
    before: number,
    states: readonly MessageState[],
    limit: number,
    channel: string,
  ): Promise<readonly string[]>;
  /** Removes these, with their bytes; how many there were. */
  purgeNamed(ids: readonly string[]): Promise<number>;
  /** The same for deliveries, to these destinations. */
  purgeableDeliveries(
    before: number,
    states: readonly DeliveryState[],
    limit: number,
    destinations: readonly string[],
  ): Promise<readonly string[]>;
  purgeDeliveriesNamed(ids: readonly string[]): Promise<number>;
}

export interface LeaseRequest {
  /** Exact names, or prefixes that end in `*`. */
  readonly destinations: readonly string[];
  readonly now: number;
  readonly leaseMs: number;
  readonly limit: number;
  /** At most so many of a destination, by its exact name. */
  readonly limits?: Readonly<Record<string, number>>;
  /**
   * Of destinations, by exact name, that are handed several deliveries of a lane together: how many at most, with the head, and of 1 MB
   * at most. They count as one of the limit, and come in order.
   */
  readonly runs?: Readonly<Record<string, number>>;
  /** By id, the leases under which the asker still works: where one of them has run out, it is prolonged. */
  readonly underWay?: ReadonlyMap<string, string>;
}

/** It was leased and not tried: it waits as before, and the try is not counted. */
export interface Untried {
  readonly state: 'untried';
}

/** `at` and `response`: when it ended, and what the receiver answered, where either is known. */
export type Settlement = (
  | { readonly state: 'done'; readonly reason?: Reason }
  | { readonly state: 'waiting'; readonly dueAt: number; readonly reason: Reason }
  | { readonly state: 'dead'; readonly reason: Reason }
) & { readonly at?: number; readonly response?: Response | undefined };
