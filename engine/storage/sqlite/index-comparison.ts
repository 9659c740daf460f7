// What the index tables should have, by the resources, against what they have. The rows that should be there are put into temporary
// tables, and both are compared row by row, the one way and the other.
import type { IndexEntry } from '../../search/index-entry.ts';
import type { Connection } from './connection.ts';
import { rowOf, type IndexRow } from './entry-rows.ts';
import { repeated, widestOf } from './index-rows.ts';
import { indexTables, insertInto, isRow, type IndexTable } from './index-tables.ts';
import { KnownNames } from './known-names.ts';
import type { Names } from './names.ts';
import { wordsOf } from './text-index.ts';
import { WordComparison } from './word-comparison.ts';

/** The entries that the definitions give for a resource, from its JSON text. */
export type EntriesOf = (body: string) => readonly IndexEntry[];

export type IndexDifference =
  | { readonly kind: 'missing' | 'stale'; readonly rid: number; readonly row: IndexRow }
  /** The words of the resource's text are others. */
  | { readonly kind: 'words'; readonly rid: number }
  /** What is noted of a parameter (its widest range, whether it repeats) is too little for this resource. */
  | { readonly kind: 'fact'; readonly rid: number; readonly parameter: string };

const expected = ({ name }: IndexTable): string => `expected_${name}`;

export class IndexComparison {
  readonly #connection: Connection;
  readonly #names: Names;
  readonly #known: KnownNames;
  readonly #entriesOf: EntriesOf;
  readonly #words: WordComparison;

  constructor(names: Names, entriesOf: EntriesOf) {
    this.#connection = names.connection;
    this.#names = names;
    this.#known = new KnownNames(names);
    this.#entriesOf = entriesOf;
    this.#words = new WordComparison(this.#connection, 'text_index');
    this.#prepare();
  }

  /** All differences of the resources with these rids, both inclusive. */
  *differences(low: number, high: number): Iterable<IndexDifference> {
    this.#clear();
    yield* this.#expect(low, high);
    for (const table of indexTables) {
      yield* this.#rows(table, 'missing', low, high);
      yield* this.#rows(table, 'stale', low, high);
    }
    yield* this.#documentsOfNobody(low, high);
  }

  #prepare(): void {
    for (const table of indexTables) {
      const key = table.columns.join(', ');
      this.#connection.database.exec(
        `CREATE TEMP TABLE ${expected(table)} (${this.#columnsOf(table)}, PRIMARY KEY (${key})) WITHOUT ROWID`,
      );
    }
  }

  /** Of the same types as in the table itself: otherwise the one's order could not be used to find the other's rows. */
  #columnsOf({ name }: IndexTable): string {
    const sql = 'SELECT name, type FROM pragma_table_info(?)';
    const columns = this.#connection.rows<{ name: string; type: string }>(sql, name);
    return columns.map((column) => `${column.name} ${column.type === 'ANY' ? '' : column.type}`).join(', ');
  }

  #clear(): void {
    for (const table of indexTables) this.#connection.run(`DELETE FROM ${expected(table)}`);
  }

  *#expect(low: number, high: number): Iterable<IndexDifference> {
    const sql = 'SELECT rid, body FROM resource WHERE rid BETWEEN ? AND ? AND live = 1';
    for (const { rid, body } of this.#connection.each<{ rid: number; body: string }>(sql, low, high)) {
      const entries = this.#entriesOf(body);
      for (const entry of entries.filter(isRow)) {
        const { table, values } = rowOf(this.#known, rid, entry);
        this.#connection.run(insertInto({ ...table, name: expected(table) }), ...values);
      }
      this.#words.expect(rid, new Set(wordsOf(this.#known, entries)));
      if (this.#words.isFull) yield* this.#otherWords();
      for (const parameter of this.#underrated(entries)) yield { kind: 'fact', rid, parameter };
    }
    yield* this.#otherWords();
  }

  #underrated(entries: readonly IndexEntry[]): ReadonlySet<string> {
    const rows = entries.filter(isRow);
    const factOf = (parameter: string): ReturnType<Names['fact']> =>
      this.#names.fact(this.#names.find('parameter', parameter));
    const narrow = rows.filter((entry) => widestOf(entry) > factOf(entry.parameter).widest);
    const single = [...repeated(rows)].filter((parameter) => factOf(parameter).repeats === 0);
    return new Set([...narrow.map(({ parameter }) => parameter), ...single]);
  }

  *#rows(table: IndexTable, kind: 'missing' | 'stale', low: number, high: number): Iterable<IndexDifference> {
    const names = [expected(table), `main.${table.name}`];
    const [looked, compared] = kind === 'missing' ? names : names.reverse();
    const same = table.columns.map((column) => `other.${column} = one.${column}`).join(' AND ');
    const columns = table.columns.map((column) => `one.${column}`).join(', ');
    const sql = `SELECT ${columns} FROM ${looked ?? ''} AS one WHERE one.rid BETWEEN ? AND ?
      AND NOT EXISTS (SELECT 1 FROM ${compared ?? ''} AS other WHERE ${same})`;
    for (const row of this.#connection.each<Readonly<Record<string, string | number>>>(sql, low, high)) {
      const values = table.columns.map((column) => row[column] ?? null);
      yield { kind, rid: Number(row['rid']), row: { table, values } };
    }
  }

  *#otherWords(): Iterable<IndexDifference> {
    for (const rid of this.#words.take()) yield { kind: 'words', rid };
  }

  /** Words of what is not there, or not there any more. */
  *#documentsOfNobody(low: number, high: number): Iterable<IndexDifference> {
    const sql = `SELECT id AS rid FROM text_index_docsize
      WHERE id BETWEEN ? AND ? AND id NOT IN (SELECT rid FROM resource WHERE rid BETWEEN ? AND ? AND live = 1)`;
    for (const { rid } of this.#connection.each<{ rid: number }>(sql, low, high, low, high)) {
      yield { kind: 'words', rid };
    }
  }
}
