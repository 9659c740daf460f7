// What a search makes SQLite do: each statement with SQLite's own plan of it, the rows that it gave and its time.
import { Connection, type FirstRows, type SqlValue } from './connection.ts';
import { requireLayout } from './migrations.ts';
import { NumberCache, Names } from './names.ts';
import type { ResourceReader, SearchPage } from '../resource-store.ts';
import { SqliteResourceReader } from './resource-store.ts';
import { runSearch, runSystemSearch } from './run-search.ts';
import { always } from './scope.ts';
import type { SearchQuestion } from './search-task.ts';
import { readByRidSql } from './version-row.ts';

interface ExplainedStatement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
  /** SQLite's plan, a line a step: https://sqlite.org/eqp.html */
  readonly steps: readonly string[];
  readonly rows: number;
  readonly ms: number;
}

export interface ExplainedSearch {
  /** In the order in which they ran; without those that only read the page's bodies. */
  readonly statements: readonly ExplainedStatement[];
  readonly matches: number;
  readonly total: number | undefined;
  /** Rows of indexes and resources that were looked at as candidates. */
  readonly candidates: number;
  readonly ms: number;
}

/** A connection that notes what it was asked. */
class NotingConnection extends Connection {
  readonly statements: ExplainedStatement[] = [];

  // See Connection.row.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  override row<Row>(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    const begin = performance.now();
    const row = super.row<Row>(sql, ...values);
    if (sql !== readByRidSql) this.#note(sql, values, row === undefined ? 0 : 1, performance.now() - begin);
    return row;
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  override rows<Row>(sql: string, ...values: readonly SqlValue[]): readonly Row[] {
    const begin = performance.now();
    const rows = super.rows<Row>(sql, ...values);
    this.#note(sql, values, rows.length, performance.now() - begin);
    return rows;
  }

  override rowsWithin<Row>(looked: number, sql: string, ...values: readonly SqlValue[]): FirstRows<Row> {
    const begin = performance.now();
    const found = super.rowsWithin<Row>(looked, sql, ...values);
    this.#note(sql, values, found.rows.length, performance.now() - begin);
    return found;
  }

  #note(sql: string, values: readonly SqlValue[], rows: number, ms: number): void {
    this.statements.push({
      sql: sql.replaceAll(/\s+/g, ' '),
      values,
      steps: this.#steps(sql, values),
      rows,
      ms,
    });
  }

  #steps(sql: string, values: readonly SqlValue[]): readonly string[] {
    const rows = super.rows<{ id: number; parent: number; detail: string }>(
      `EXPLAIN QUERY PLAN ${sql}`,
      ...values,
    );
    const depths = new Map<number, number>();
    return rows.map(({ id, parent, detail }) => {
      const depth = (depths.get(parent) ?? -1) + 1;
      depths.set(id, depth);
      return '  '.repeat(depth) + detail;
    });
  }
}

/**
 * Carries a search out on the file, beside an engine that may be running on it. `understand` makes the question of what it finds out
 * by looking: those looks are not told. Throws Refusal `unavailable` when the file's layout is another, and what `understand` throws.
 */
export async function explainSearch<Question extends SearchQuestion>(
  file: string,
  understand: (resources: Pick<ResourceReader, 'read' | 'search'>) => Promise<Question>,
): Promise<{ readonly question: Question; readonly explained: ExplainedSearch }> {
  const connection = new NotingConnection(file, {
    cacheKiB: 32_768,
    mapBytes: 0,
    busyTimeoutMs: 5_000,
    readOnly: true,
  });
  try {
    requireLayout(connection.database);
    const names = new Names(connection, new NumberCache());
    const question = await understand(new SqliteResourceReader(names, always));
    return { question, explained: explained(connection, names, question) };
  } finally {
    connection.close();
  }
}

function explained(connection: NotingConnection, names: Names, question: SearchQuestion): ExplainedSearch {
  const run = (): SearchPage =>
    'plan' in question ? runSearch(names, question.plan) : runSystemSearch(names, question.system);
  // Once to fill the page cache, as in an engine that runs.
  run();
  connection.statements.splice(0);
  const { matches, total, candidates } = connection.within(Infinity, () => ({
    ...run(),
    candidates: connection.looked,
  }));
  const { statements } = connection;
  const ms = statements.reduce((sum, statement) => sum + statement.ms, 0);
  return { statements, matches: matches.length, total, candidates, ms };
}
