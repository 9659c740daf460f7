// The store of one tenant in one SQLite file: a writing connection behind the group commit, and a reading one that sees only what
// is committed. https://sqlite.org/wal.html
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import { openArrivalJournal, type ArrivalJournal } from '../arrival-journal.ts';
import type { CommitCounts, Store, Transaction, TransactionChoice } from '../store.ts';
import { Checkpoints, type CheckpointLimits } from './checkpoints.ts';
import { SqliteContentWriter } from './content-rows.ts';
import { SqliteContentStore } from './content-store.ts';
import { SqliteConfigurationReader, SqliteConfigurationWriter } from './configuration-store.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { giveBackPages } from './free-pages.ts';
import { lockFile, type FileLock } from './file-lock.ts';
import { GroupCommit, type GroupLimits } from './group-commit.ts';
import { HeldRows } from './held-rows.ts';
import { IndexWriter } from './index-rows.ts';
import { SqliteIndexUpkeep } from './index-upkeep.ts';
import { SqliteJobStore } from './job-store.ts';
import { SqliteMessageReader, SqliteMessageWriter } from './message-store.ts';
import { MessageWords } from './message-words.ts';
import { migrate } from './migrations.ts';
import { NameWriter, Names, NumberCache } from './names.ts';
import { PooledResourceReader } from './pooled-reader.ts';
import { RecentVersions } from './recent-versions.ts';
import { SqliteResourceWriter } from './resource-store.ts';
import { always, Scope } from './scope.ts';
import { SearchPool, type PoolLimits } from './search-pool.ts';
import { TextIndex } from './text-index.ts';

export interface SqliteStoreOptions {
  /** Its folder is made (mode 0700) when it is not there; the file gets mode 0600. */
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly connection?: Partial<ConnectionOptions>;
  readonly limits?: Partial<GroupLimits>;
  readonly pool?: Partial<PoolLimits>;
  readonly checkpoints?: Partial<CheckpointLimits>;
}

const defaultConnection: ConnectionOptions = { cacheKiB: 32_768, mapBytes: 0, busyTimeoutMs: 5_000 };
/** Searches of a big hospital touch many pages. */
const searchedCacheKiB = 65_536;
/** A content is read once, from its beginning to its end: there is nothing in it to be found again. */
const contentCacheKiB = 1_024;
/** A pool's threads share the memory map; each keeps few pages of its own. */
const poolConnection: ConnectionOptions = { ...defaultConnection, cacheKiB: 8_192 };
const defaultPool: PoolLimits = { hereMs: 4, threads: 2, searches: 1_000, limitMs: 30_000 };
/** 16 MB and 64 MB. */
const defaultCheckpoints: CheckpointLimits = { pages: 4_000, logPages: 16_000 };
const defaultLimits: GroupLimits = {
  works: 128,
  durationMs: 20,
  patientMs: 25,
  awaitedMs: 3,
  queue: 10_000,
  watchdogMs: 5_000,
};

/**
 * Opens the file, making or migrating it. Throws Refusal `unavailable` when another engine holds it, or when a newer version of the
 * engine wrote it.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  makePrivately(options.file);
  const lock = lockFile(options.file);
  try {
    const connection = { ...defaultConnection, ...options.connection };
    const writer = new Connection(options.file, { ...connection, leavesCheckpoints: true });
    migrate(writer.database);
    const reading = { ...connection, cacheKiB: options.connection?.cacheKiB ?? searchedCacheKiB };
    const journal = await openArrivalJournal(`${options.file}.arrivals`);
    return new SqliteStore(writer, new Connection(options.file, reading), journal, lock, options);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function makePrivately(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  for (const path of [file, `${file}.lock`]) {
    if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  }
}

class SqliteStore implements Store {
  readonly resources: PooledResourceReader;
  readonly messages: SqliteMessageReader;
  readonly configuration: SqliteConfigurationReader;
  readonly jobs: SqliteJobStore;
  readonly contents: SqliteContentStore;
  readonly upkeep: SqliteIndexUpkeep;
  readonly journal: ArrivalJournal;
  readonly #writer: Connection;
  readonly #reader: Connection;
  readonly #lock: FileLock;
  readonly #clock: Clock;
  readonly #commit: GroupCommit;
  readonly #names: NameWriter;
  readonly #index: IndexWriter;
  readonly #held: HeldRows;
  readonly #texts: TextIndex;
  readonly #words: MessageWords;
  readonly #pool: SearchPool;
  readonly #checkpoints: Checkpoints;
  readonly #recent = new RecentVersions();
  #closing: Promise<void> | undefined;

  constructor(
    writer: Connection,
    reader: Connection,
    journal: ArrivalJournal,
    lock: FileLock,
    options: SqliteStoreOptions,
  ) {
    const cache = new NumberCache();
    this.#writer = writer;
    this.#reader = reader;
    this.#lock = lock;
    this.journal = journal;
    this.#clock = options.clock;
    const limits = { ...defaultLimits, ...options.limits };
    const pool = { ...defaultPool, ...options.pool };
    const onUndone = (undo: () => void): void => this.#commit.onUndone(undo);
    this.#checkpoints = new Checkpoints(
      writer,
      { file: options.file, busyTimeoutMs: defaultConnection.busyTimeoutMs },
      { ...defaultCheckpoints, ...options.checkpoints },
      options.logger,
    );
    this.#commit = new GroupCommit(writer, limits, options.logger, {
      beforeGroup: () => this.#checkpoints.turn(),
      beforeWork: () => this.#held.beginWork(),
      betweenWorks: () => journal.underWay(),
      beforeCommit: () => {
        this.#held.flush();
        this.#texts.flush();
        this.#words.flush();
      },
      afterCommit: () => this.#recent.changed(),
      afterGroup: () => this.#checkpoints.look(),
    });
    this.#names = new NameWriter(writer, cache, onUndone);
    this.#held = new HeldRows(writer, onUndone);
    this.#texts = new TextIndex(writer, this.#names, onUndone);
    this.#words = new MessageWords(writer, onUndone);
    this.#index = new IndexWriter(writer, this.#names, this.#texts, this.#held);
    this.#pool = new SearchPool(
      { file: options.file, connection: poolConnection },
      { ...defaultPool, ...options.pool },
    );
    this.resources = new PooledResourceReader(
      new Names(reader, cache),
      this.#pool,
      this.#recent,
      pool.hereMs,
    );
    this.messages = new SqliteMessageReader(reader, always);
    this.configuration = new SqliteConfigurationReader(reader, always);
    this.upkeep = new SqliteIndexUpkeep({
      names: this.#names,
      index: this.#index,
      commit: this.#commit,
      compare: { file: options.file, connection: poolConnection },
    });
    this.jobs = new SqliteJobStore(reader, writer, this.#commit);
    const contents = new Connection(options.file, { ...defaultConnection, cacheKiB: contentCacheKiB });
    this.contents = new SqliteContentStore(contents, writer, this.#commit);
  }

  async transact<T>(work: (transaction: Transaction) => Promise<T>, choice?: TransactionChoice): Promise<T> {
    return this.#commit.run(async () => {
      const scope = new Scope();
      try {
        return await work({
          resources: new SqliteResourceWriter(this.#names, this.#index, this.#recent, scope),
          messages: new SqliteMessageWriter(this.#writer, this.#words, scope),
          configuration: new SqliteConfigurationWriter(this.#writer, scope),
          contents: new SqliteContentWriter(this.#writer, scope),
        });
      } finally {
        scope.end();
      }
    }, choice);
  }

  commitCounts(): CommitCounts {
    return this.#commit.counts;
  }

  isHeldUp(): boolean {
    return this.#commit.isHeldUp;
  }

  /** Writes a row, so that a full or failing disk shows. */
  async check(): Promise<void> {
    const sql = 'INSERT OR REPLACE INTO readiness (only, checked_at) VALUES (1, ?)';
    await this.#commit.run(async () => this.#writer.run(sql, this.#clock.now()));
  }

  /** A file that was made before it could be shrunk has nothing to give: `kiungo compact` changes that. */
  async shrink(): Promise<boolean> {
    return this.#commit.run(async () => giveBackPages(this.#writer), { canWait: true });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.upkeep.close();
    await this.#commit.close();
    await this.#pool.close();
    await this.#checkpoints.close();
    await this.journal.close();
    this.contents.close();
    this.#reader.close();
    this.#writer.close();
    this.#lock.release();
  }
}
