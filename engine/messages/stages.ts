// What a message is between two steps of the pipeline, and the parts that the steps are handed.
import type { Bundle } from '@medplum/fhirtypes';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Tracer } from '../kernel/tracer.ts';
import type { Mapper } from '../mapping/mapper.ts';
import type { Issue, WireMessage } from '../mapping/wire-message.ts';
import type { RepositoryUnit } from '../repository/repository.ts';
import type { MessageRecord, NewDelivery, Reason } from '../storage/message-store.ts';
import type { Fate } from './acknowledgement-fates.ts';
import type { Body, Lane, RetentionDefinition, StorageLevel } from './channels/channel.ts';
import type { Test } from './channels/condition.ts';
import type { MessagePath } from './channels/message-path.ts';
import type { Formats } from './formats.ts';
import type { AcknowledgementMode, Arrival, BatchAnswers, Envelope, MessageFormat } from './ports.ts';
import type { RetryPolicy } from './retry.ts';

/** What is set for a channel beside what its messages say themselves. */
export interface ChannelSettings {
  readonly acknowledgements: AcknowledgementMode;
  /** What a batch is answered with; every message of it unless told. */
  readonly batchAnswers?: BatchAnswers;
  /** The character set to assume where a message names none. */
  readonly charset: string | undefined;
  /** All must hold. */
  readonly filters?: readonly { readonly place: string; readonly test: Test }[];
  /** `auto`, `none` or a map's name; `auto` unless told. */
  readonly map?: string;
  readonly routes?: readonly Route[];
  readonly retry?: RetryPolicy;
  /** `body` unless told. */
  readonly storage?: StorageLevel;
  /** Under what messages are found besides patients and barcodes. */
  readonly index?: readonly { readonly name: string; readonly path: MessagePath }[];
  /** Words of messages are not indexed: they are looked through. */
  readonly textIndex?: false;
  readonly retention?: RetentionDefinition;
  /** Which queries are answered; none unless told. */
  readonly queries?: AllowedQueries;
}

/** Queries give out what is known of patients. */
export interface AllowedQueries {
  readonly demographics?: true;
  readonly identifiers?: true;
  /** Where the work goes that an analyser asks for; as the outbox knows it, without `send:`. */
  readonly work?: { readonly destination: string };
}

/** Where a channel hands its messages on. */
export interface Route {
  /** As the outbox knows it, without `send:`. */
  readonly destination: string;
  readonly body: Body;
  readonly lane: Lane;
  readonly tests: readonly Test[];
}

export type SettingsOf = (channel: string) => ChannelSettings;

export const usualSettings: SettingsOf = () => ({ acknowledgements: 'as-asked', charset: undefined });

// Arrival

export interface ArrivalParts {
  readonly formats: Formats;
  readonly arrivals: KeepsArrivals;
  readonly settingsOf: SettingsOf;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly tracer?: Tracer | undefined;
  /** Without it no query is answered. */
  readonly queries?: QueryAnswers;
}

/** What goes back, and what is sent besides once the query is kept. */
export interface GivenAnswer {
  readonly bytes: Uint8Array;
  readonly follow: Omit<NewDelivery, 'cause'> | undefined;
}

export interface QueryAnswers {
  /** Undefined where the message asks nothing that is answered here. */
  answer(message: Identified): Promise<GivenAnswer | undefined>;
  /** What follows an answer is enqueued. */
  sent(): void;
}

export interface Identified {
  readonly arrival: Arrival;
  readonly format: MessageFormat;
  readonly envelope: Envelope;
  /** As it will be kept, but for its answer. */
  readonly record: MessageRecord;
  /** To a query. */
  readonly given?: GivenAnswer;
}

/** A message as it will be in the store, with its answer. */
export interface ToKeep {
  readonly record: MessageRecord;
  readonly raw: Uint8Array;
  /** The same bytes are the same message, whenever they come. */
  readonly isOnce: boolean;
  /** A query is asked anew unless its control id says that it is a retransmission. */
  readonly isQuery: boolean;
  readonly follow: GivenAnswer['follow'];
  /** Only what came from here can be the same message: a file without control ids. */
  readonly onlyFrom?: string | undefined;
}

export interface Kept {
  readonly record: MessageRecord;
  /** The same bytes were here before: this is what became of them then. */
  readonly duplicate: boolean;
  /** As joined by answer-bytes.ts. */
  readonly answers: Uint8Array | undefined;
}

export interface KeepsArrivals {
  /**
   * Resolves when all of them are durable, together: all are kept, or none. What was here before is not kept again. Rejects with Refusal
   * `unavailable` when they could not be kept.
   */
  keep(messages: readonly ToKeep[]): Promise<readonly Kept[]>;
  /** What became of the answer to a message. */
  answered(messageId: string, fate: Fate): void;
}

// Processing

/** Told, inside the commit, of each message that was processed or set aside; what it writes commits with it. */
export type ProcessedListener = (message: MessageRecord, unit: RepositoryUnit) => Promise<void>;

export interface ProcessingParts {
  readonly unit: RepositoryUnit;
  readonly formats: Formats;
  readonly mapper: Mapper;
  readonly settingsOf: SettingsOf;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly listeners: readonly ProcessedListener[];
  readonly tracer?: Tracer | undefined;
}

export interface Waiting {
  readonly record: MessageRecord;
  readonly raw: Uint8Array;
}

export interface Parsed extends Waiting {
  readonly wire: WireMessage;
  readonly issues: readonly Issue[];
}

/** What the maps made of a message. */
export type Meaning =
  | { readonly kind: 'resources'; readonly map: string; readonly bundle: Bundle }
  /** The channel only hands it on. */
  | { readonly kind: 'handed-on' }
  | {
      readonly kind: 'set-aside';
      readonly map: string | undefined;
      readonly reason: Reason;
      /** Its channel did not want it: it goes nowhere. */
      readonly isFiltered?: true;
    };

export interface Mapped extends Parsed {
  readonly meaning: Meaning;
}

export type Filtered = Mapped;

/** Its record is as it is in the store now. */
export type Committed = Mapped;

/** Where a message can go no further: it waits for a person with this reason. */
export interface DeadEnd {
  readonly deadEnd: Reason;
}

export const deadEnd = (code: string, text: string): DeadEnd => ({ deadEnd: { code, text } });

export const isDeadEnd = (value: object): value is DeadEnd => 'deadEnd' in value;
