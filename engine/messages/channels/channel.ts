// What a channel is, as people write it: schema/channel.schema.json says the same to editors and to the checks at load.
import type { AcknowledgementMode, BatchAnswers } from '../ports.ts';
import type { Condition } from './condition.ts';

export interface ChannelDefinition {
  readonly name: string;
  readonly title?: string;
  readonly source: Source;
  readonly acknowledgements?: AcknowledgementPolicy;
  /** All must hold; a message that does not pass is kept, acknowledged and set aside. */
  readonly filters?: readonly Condition[];
  /** `auto` (the default): by type, as the maps say; `none`: only handed on; or a map's name. */
  readonly map?: string;
  readonly destinations?: readonly DestinationDefinition[];
  readonly retry?: RetryDefinition;
  readonly retention?: RetentionDefinition;
  readonly storage?: StorageLevel;
  /** HL7 paths under whose texts messages are found besides `patient` and `barcode`. */
  readonly index?: Readonly<Record<string, string>>;
  /** Whether the words of its messages are indexed; they are unless told, where their bytes are kept. */
  readonly textIndex?: boolean;
  readonly alerts?: AlertDefinition;
  readonly queries?: QueryDefinition;
}

export type Source = MllpSource | FileSource | SftpSource | TimerSource | HttpSource;

export interface MllpSource {
  readonly kind: 'mllp';
  readonly port: number;
  readonly bind?: string;
  readonly allow?: readonly string[];
  readonly charset?: string;
  readonly maxConnections?: number;
  /** Of one address: a gateway may stand for many analysers. */
  readonly maxConnectionsOfPeer?: number;
  readonly idleSeconds?: number;
  readonly requireEndOfData?: boolean;
  readonly tls?: TlsFiles;
}

/** Paths of PEM files, below the data folder when relative. */
export interface TlsFiles {
  readonly key?: string;
  readonly certificate?: string;
  /** Who vouches for the other side. With it a listener demands a certificate. */
  readonly authority?: string;
  /** Common names of certificates that may connect; any that the authority vouches for when absent. */
  readonly names?: readonly string[];
}

/** A folder that others write into. */
export interface FileSource {
  readonly kind: 'file';
  /** Below `inbox/` in the data folder when relative. */
  readonly folder: string;
  /** Endings of the names of files that are taken. */
  readonly endings?: readonly string[];
  readonly everySeconds?: number;
  readonly format?: string;
  readonly charset?: string;
}

/** Where files lie on an SFTP server, and how to get in. */
export interface SftpPlace {
  readonly host: string;
  /** 22 unless told. */
  readonly port?: number;
  readonly user: string;
  /** `SHA256:…`, as `ssh-keygen -lf` prints it; several while the server changes its key. */
  readonly hostKey: string | readonly string[];
  /** `{secret:name}` each; one of password and private key is there. */
  readonly password?: string;
  readonly privateKey?: string;
  readonly passphrase?: string;
  /** On the server; it must be there. */
  readonly folder: string;
  readonly connectSeconds?: number;
  readonly answerSeconds?: number;
}

/** A folder on an SFTP server that others put files into. */
export interface SftpSource extends SftpPlace, Omit<FileSource, 'kind' | 'folder'> {
  readonly kind: 'sftp';
  /** How a file shows that it is whole: it does not change, `.done` beside it, or its last name. */
  readonly complete?: 'unchanged' | 'marker' | 'renamed';
  /** move: into `taken/`. */
  readonly afterwards?: 'move' | 'delete';
  /** Whether acknowledgements are put into `answers/`. */
  readonly answers?: boolean;
}

/** A message at each of its times: `cron` (in the hospital's time zone) or `everySeconds`. */
export interface TimerSource {
  readonly kind: 'timer';
  readonly cron?: string;
  readonly everySeconds?: number;
  /** With `{id}`, `{time}`, `{time:hl7}` and `{date}` of the time for which it is made. */
  readonly body: string;
  readonly format?: string;
  readonly charset?: string;
}

/** By `POST /admin/messages?channel=…`. */
export interface HttpSource {
  readonly kind: 'http';
  readonly charset?: string;
}

export interface AcknowledgementPolicy {
  readonly mode?: AcknowledgementMode;
  readonly batch?: BatchAnswers;
}

/** What a destination is sent: the bytes as they came, the Bundle that was stored, or what is known about the message. */
export type Body = 'raw' | 'fhir' | 'facts';

/** What deliveries wait for each other. */
export type Lane = 'destination' | 'patient' | 'order' | 'none';

export interface DestinationDefinition {
  readonly name: string;
  readonly to: Target;
  readonly body?: Body;
  readonly when?: readonly Condition[];
  readonly lane?: Lane;
  /** What to do about an answer, by its code (`AE`, `503`, `5xx`, `hl7-answer-timeout`, `*`). */
  readonly answers?: Readonly<Record<string, AnswerAction>>;
  readonly retry?: RetryDefinition;
  readonly circuit?: CircuitDefinition;
  readonly perSecond?: number;
  /** The name of the channel that takes in what the receiver answers: kept and mapped there as any message. */
  readonly response?: string;
}

/**
 * done: it has arrived. warn: it has, and the log says that the answer was odd. retry: try again. give-up: wait for a person, the lane
 * goes on. hold: wait for a person, and the destination with it.
 */
export type AnswerAction = 'done' | 'warn' | 'retry' | 'give-up' | 'hold';

export type Target = MllpTarget | HttpTarget | FileTarget | SftpTarget;

export interface MllpTarget {
  readonly kind: 'mllp';
  readonly host: string;
  readonly port: number;
  readonly charset?: string;
  readonly until?: 'first' | 'application';
  readonly connectSeconds?: number;
  readonly answerSeconds?: number;
  readonly tls?: TlsFiles;
}

export interface HttpTarget {
  readonly kind: 'http';
  readonly url: string;
  readonly method?: 'POST' | 'PUT' | 'PATCH' | 'GET' | 'DELETE';
  /** `{secret:name}` stands for the content of that file in the folder of secrets. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly answerSeconds?: number;
}

export interface FileTarget {
  readonly kind: 'file';
  /** Below `outbox/` in the data folder when relative. */
  readonly folder: string;
}

/** Files named after their deliveries. */
export interface SftpTarget extends SftpPlace {
  readonly kind: 'sftp';
}

export interface RetryDefinition {
  /** Before try 2, 3, 4 …; the last one repeats. */
  readonly delaysSeconds?: readonly [number, ...number[]];
  readonly tries?: number;
  readonly ambiguous?: 'give-up' | 'try-again';
}

/** After so many failures in a row nothing is sent for so long; then one try shows whether it is over. */
export interface CircuitDefinition {
  readonly failures?: number;
  readonly pauseSeconds?: number;
}

export interface RetentionDefinition {
  readonly days?: number;
  /** The newest of these that are kept however old they are not: older ones go. */
  readonly count?: number;
  /** A folder below the archive's: what goes is kept there first. */
  readonly archive?: string;
}

/** all: also what the maps made of a message. body: what came, what was sent and answered. facts: bytes go once the message is done. */
export type StorageLevel = 'all' | 'body' | 'facts';

/** Which queries are answered from the store; none unless told, since they give out what is known of patients. */
export interface QueryDefinition {
  /** QBP^Q22 (IHE PDQ). */
  readonly demographics?: boolean;
  /** QBP^Q23 (IHE PIX). */
  readonly identifiers?: boolean;
  /** QBP^Q11 (IHE LAW): the name of the destination to which the work goes. */
  readonly work?: string;
}

export interface AlertDefinition {
  readonly silenceMinutes?: number;
  readonly oldestMinutes?: number;
  readonly queueLength?: number;
  /** Dead letters within an hour. */
  readonly deadPerHour?: number;
  /** Their share of the last hour's messages, where ten and more have come. */
  readonly errorPercent?: number;
}
