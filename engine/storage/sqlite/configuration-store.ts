// Versions of configuration in SQLite: one row each.
import { conflict } from '../../kernel/outcomes.ts';
import type {
  ConfigurationReader,
  ConfigurationVersion,
  ConfigurationWriter,
} from '../configuration-store.ts';
import type { Connection } from './connection.ts';
import type { Scope } from './scope.ts';

type Row = Omit<ConfigurationVersion, 'body'> & { readonly body: string | null };

const columns = 'kind, name, version, at, by, comment, body';

const versionOf = ({ body, ...row }: Row): ConfigurationVersion => ({ ...row, body: body ?? undefined });

export class SqliteConfigurationReader implements ConfigurationReader {
  protected readonly connection: Connection;
  protected readonly scope: Scope;

  constructor(connection: Connection, scope: Scope) {
    this.connection = connection;
    this.scope = scope;
  }

  async current(kind: string): Promise<readonly ConfigurationVersion[]> {
    this.scope.check();
    const sql = `SELECT ${columns} FROM configuration AS one WHERE kind = ? AND body IS NOT NULL AND version = (
        SELECT max(version) FROM configuration WHERE kind = one.kind AND name = one.name) ORDER BY name`;
    return this.connection.rows<Row>(sql, kind).map(versionOf);
  }

  async history(kind: string, name: string): Promise<readonly ConfigurationVersion[]> {
    this.scope.check();
    const sql = `SELECT ${columns} FROM configuration WHERE kind = ? AND name = ? ORDER BY version DESC`;
    return this.connection.rows<Row>(sql, kind, name).map(versionOf);
  }
}

export class SqliteConfigurationWriter extends SqliteConfigurationReader implements ConfigurationWriter {
  async put(change: Omit<ConfigurationVersion, 'version'>, expected?: number): Promise<number> {
    this.scope.check();
    const { kind, name, at, by, comment, body } = change;
    const sql = 'SELECT coalesce(max(version), 0) AS newest FROM configuration WHERE kind = ? AND name = ?';
    const newest = this.connection.row<{ newest: number }>(sql, kind, name)?.newest ?? 0;
    if (expected !== undefined && expected !== newest) {
      throw conflict(
        `${kind} ${name} is at version ${newest} now, not ${expected}: read it again, then change it`,
      );
    }
    const values = [kind, name, newest + 1, at, by, comment, body ?? null];
    this.connection.run(`INSERT INTO configuration (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)`, ...values);
    return newest + 1;
  }
}
