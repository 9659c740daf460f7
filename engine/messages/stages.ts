// What a message is between two steps of the pipeline, and the parts that the steps are handed.
import type { Bundle } from '@medplum/fhirtypes';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Mapper } from '../mapping/mapper.ts';
import type { Issue, WireMessage } from '../mapping/wire-message.ts';
import type { RepositoryUnit } from '../repository/repository.ts';
import type { MessageRecord, Reason } from '../storage/message-store.ts';
import type { AcknowledgementFates } from './acknowledgement-fates.ts';
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
  readonly retention?: RetentionDefinition;
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
  readonly fates: AcknowledgementFates;
  readonly settingsOf: SettingsOf;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** Within this time a message without control id and with the same bytes is a retransmission. */
  readonly anonymousDuplicateMs: number;
}

export interface Identified {
  readonly arrival: Arrival;
  readonly format: MessageFormat;
  readonly envelope: Envelope;
  /** As it will be kept, but for its answer. */
  readonly record: MessageRecord;
}

export interface Kept {
  readonly record: MessageRecord;
  /** The same bytes were here before: this is what became of them then. */
  readonly duplicate: boolean;
  /** As joined by answer-bytes.ts. */
  readonly answers: Uint8Array | undefined;
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
