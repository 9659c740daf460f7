// Resources in SQLite: read, history, search; and inside a transaction, write.
import { conflict } from '../../kernel/outcomes.ts';
import type { IndexEntry } from '../../search/index-entry.ts';
import type { Plan, SystemPlan } from '../../search/plan.ts';
import type {
  Forgettable,
  HistoryPage,
  IndexedCode,
  ReferrersAsked,
  ResourceName,
  HistoryRequest,
  ResourceReader,
  ResourceWriter,
  SearchPage,
  StoredVersion,
} from '../resource-store.ts';
import type { Connection } from './connection.ts';
import { contentOf, useContent } from './content-rows.ts';
import type { IndexWriter } from './index-rows.ts';
import { forgettableIds, forgetHistory, forgetResource } from './forgetting.ts';
import { distinctCodes, missingOf, referrersOf } from './references.ts';
import { unknownNumber, type Names, type NameWriter } from './names.ts';
import { runSearch, runSystemSearch } from './run-search.ts';
import { historyPage } from './resource-history.ts';
import type { RecentVersions } from './recent-versions.ts';
import type { Scope } from './scope.ts';
import { versionOf, type VersionRow } from './version-row.ts';

const readSql =
  'SELECT rid, id, version, updated, method, body FROM resource WHERE type = ? AND id = ? AND version > 0';
const readManySql = `SELECT rid, resource.id AS id, version, updated, method, body
  FROM json_each(?) AS asked CROSS JOIN resource ON resource.type = ? AND resource.id = asked.value AND live = 1`;
const replacedSql = 'SELECT version, updated, method, body FROM history WHERE rid = ?';

export class SqliteResourceReader implements ResourceReader {
  protected readonly names: Names;
  protected readonly scope: Scope;

  constructor(names: Names, scope: Scope) {
    this.names = names;
    this.scope = scope;
  }

  async read(type: string, id: string): Promise<StoredVersion | undefined> {
    this.scope.check();
    return this.current(type, id);
  }

  async readMany(type: string, ids: readonly string[]): Promise<readonly StoredVersion[]> {
    this.scope.check();
    const number = this.names.find('type', type);
    if (number === unknownNumber) return [];
    const asked = JSON.stringify([...new Set(ids)]);
    return this.names.connection
      .rows<VersionRow>(readManySql, asked, number)
      .map((row) => versionOf(type, row));
  }

  async readVersion(type: string, id: string, version: number): Promise<StoredVersion | undefined> {
    this.scope.check();
    const current = this.#row(type, id);
    if (current === undefined || current.version === version) return current && this.#whole(type, current);
    const sql = `${replacedSql} AND version = ?`;
    const row = this.names.connection.row<Omit<VersionRow, 'rid' | 'id'>>(sql, current.rid, version);
    return row && this.#whole(type, { ...current, ...row });
  }

  async history(asked: HistoryRequest): Promise<HistoryPage> {
    this.scope.check();
    return historyPage(this.names, asked);
  }

  async search(plan: Plan): Promise<SearchPage> {
    this.scope.check();
    return runSearch(this.names, plan);
  }

  async searchTypes(plan: SystemPlan): Promise<SearchPage> {
    this.scope.check();
    return runSystemSearch(this.names, plan);
  }

  async missing(names: readonly ResourceName[]): Promise<readonly ResourceName[]> {
    this.scope.check();
    return missingOf(this.names, names);
  }

  async referrers(name: ResourceName, asked: ReferrersAsked): Promise<readonly ResourceName[]> {
    this.scope.check();
    return referrersOf(this.names, name, asked);
  }

  async distinctCodes(
    parameter: string,
    kind: 'token' | 'uri',
    limit: number,
  ): Promise<readonly IndexedCode[]> {
    this.scope.check();
    return distinctCodes(this.names, parameter, kind, limit);
  }

  async forgettable(type: string, what: Forgettable, limit: number): Promise<readonly string[]> {
    this.scope.check();
    return forgettableIds(this.names, type, what, limit);
  }

  protected current(type: string, id: string): StoredVersion | undefined {
    const row = this.#row(type, id);
    return row && this.#whole(type, row);
  }

  /** Only Binaries have contents apart from their bodies. */
  #whole(type: string, row: VersionRow): StoredVersion {
    const version = versionOf(type, row);
    if (type !== 'Binary' || row.body === null) return version;
    const content = contentOf(this.names.connection, row.rid, row.version);
    return content === undefined ? version : { ...version, content };
  }

  #row(type: string, id: string): VersionRow | undefined {
    const number = this.names.find('type', type);
    if (number === unknownNumber) return undefined;
    return this.names.connection.row<VersionRow>(readSql, number, id);
  }
}

export class SqliteResourceWriter extends SqliteResourceReader implements ResourceWriter {
  readonly #connection: Connection;
  readonly #names: NameWriter;
  readonly #index: IndexWriter;
  readonly #recent: RecentVersions;

  constructor(names: NameWriter, index: IndexWriter, recent: RecentVersions, scope: Scope) {
    super(names, scope);
    this.#connection = names.connection;
    this.#names = names;
    this.#index = index;
    this.#recent = recent;
  }

  override async search(plan: Plan): Promise<SearchPage> {
    this.#index.settleFor([plan.where]);
    return super.search(plan);
  }

  override async searchTypes(plan: SystemPlan): Promise<SearchPage> {
    this.#index.settleFor(plan.parts.map(({ where }) => where));
    return super.searchTypes(plan);
  }

  override async referrers(name: ResourceName, asked: ReferrersAsked): Promise<readonly ResourceName[]> {
    this.#index.settleRows();
    return super.referrers(name, asked);
  }

  override async distinctCodes(
    parameter: string,
    kind: 'token' | 'uri',
    limit: number,
  ): Promise<readonly IndexedCode[]> {
    this.#index.settleRows();
    return super.distinctCodes(parameter, kind, limit);
  }

  async write(
    next: StoredVersion,
    entries: readonly IndexEntry[],
    previousEntries: readonly IndexEntry[],
  ): Promise<void> {
    this.scope.check();
    // Of a first version nothing can be held yet.
    if (next.version > 1) this.#recent.changing(next.type, next.id);
    const rid = this.#put(next);
    if (next.content !== undefined) useContent(this.#connection, rid, next.version, next.content);
    this.#index.update(rid, entries, previousEntries);
  }

  async forget(name: ResourceName, what: Forgettable): Promise<number> {
    this.scope.check();
    this.#recent.changing(name.type, name.id);
    this.#index.settleRows();
    return what === 'previous-versions'
      ? forgetHistory(this.#names, name)
      : forgetResource(this.#names, name);
  }

  #put(next: StoredVersion): number {
    const type = this.#names.intern('type', next.type);
    if (next.version === 1) {
      const rid = this.#insert(type, next);
      if (rid !== undefined) return rid;
    }
    const sql = 'SELECT rid, version FROM resource WHERE type = ? AND id = ?';
    const stored = this.#connection.row<{ rid: number; version: number }>(sql, type, next.id);
    const version = (stored?.version ?? 0) + 1;
    if (next.version !== version) {
      throw conflict(`${next.type}/${next.id} has changed meanwhile: its next version is ${version}`);
    }
    if (stored === undefined) throw new Error('a resource was neither there nor could it be added');
    return this.#replace(stored.rid, next);
  }

  /** undefined where it is there already, or is referred to. */
  #insert(type: number, next: StoredVersion): number | undefined {
    const rid = this.#names.newRid(type);
    const inserted = this.#connection.run(
      `INSERT INTO resource (rid, type, id, live, version, updated, method, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (type, id) DO NOTHING`,
      rid,
      type,
      next.id,
      next.body === undefined ? 0 : 1,
      next.version,
      next.lastUpdated,
      next.method,
      next.body ?? null,
    );
    return inserted === 0 ? undefined : rid;
  }

  #replace(rid: number, next: StoredVersion): number {
    this.#connection.run(
      `INSERT INTO history (rid, version, updated, method, body)
        SELECT rid, version, updated, method, body FROM resource WHERE rid = ? AND version > 0`,
      rid,
    );
    this.#connection.run(
      'UPDATE resource SET live = ?, version = ?, updated = ?, method = ?, body = ? WHERE rid = ?',
      next.body === undefined ? 0 : 1,
      next.version,
      next.lastUpdated,
      next.method,
      next.body ?? null,
      rid,
    );
    return rid;
  }
}
