// One tenant's store: resources, messages and jobs that commit together.
import type { ArrivalJournal } from './arrival-journal.ts';
import type { ConfigurationReader, ConfigurationWriter } from './configuration-store.ts';
import type { ContentStore, ContentWriter } from './content-store.ts';
import type { IndexUpkeep } from './index-upkeep.ts';
import type { JobStore } from './job-store.ts';
import type { MessageReader, MessageWriter, PurgesMessages } from './message-store.ts';
import type { ResourceReader, ResourceWriter } from './resource-store.ts';

/** What one transaction may do. Not to be used after its work has ended. */
export interface Transaction {
  readonly resources: ResourceWriter;
  readonly messages: MessageWriter & PurgesMessages;
  readonly configuration: ConfigurationWriter;
  readonly contents: ContentWriter;
}

export interface TransactionChoice {
  /** Nobody waits for its end: an answer that somebody waits for goes first. */
  readonly canWait?: boolean;
  /** It is short: of those that can wait it goes first, and holds nobody up. */
  readonly isShort?: boolean;
}

/** Since the store was opened. */
export interface CommitCounts {
  /** Each is one fsync. */
  readonly commits: number;
  /** That were kept, or failed by themselves, in these commits. */
  readonly transactions: number;
}

export interface Store {
  /** Reads of what is committed. */
  readonly resources: ResourceReader;
  readonly messages: MessageReader;
  readonly configuration: ConfigurationReader;
  readonly jobs: JobStore;
  readonly upkeep: IndexUpkeep;
  readonly contents: ContentStore;
  /**
   * Runs `work` alone, as if no other transaction ran at the same time, and resolves with its result once everything that it wrote
   * is durable. When `work` throws, nothing of it is kept and the error is thrown on. Transactions that come together share
   * one commit; `work` must not wait for anything but this transaction. They run in the order in which they were asked for, but
   * those that can wait after those that cannot.
   */
  transact<T>(work: (transaction: Transaction) => Promise<T>, choice?: TransactionChoice): Promise<T>;
  /** For what must be durable before the store has its turn. It ends with the store. */
  readonly journal: ArrivalJournal;
  commitCounts(): CommitCounts;
  /** Works that can wait and are not short are under way or waiting: who joins them now waits for one of them, or cuts their commit short. */
  isHeldUp(): boolean;
  /** Gives some of the space that deletions have left free back to the disk, in one short step; whether there is more to give. */
  shrink(): Promise<boolean>;
  /** Throws when the store cannot be written: for readiness. */
  check(): Promise<void>;
  /** Waits for what is under way, then lets go of the files or connections. */
  close(): Promise<void>;
}
