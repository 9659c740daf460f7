// Index entries as rows of the index tables, and the difference between two versions' rows.
import type { IndexEntry } from '../../search/index-entry.ts';
import type { Condition } from '../../search/plan.ts';
import type { Connection } from './connection.ts';
import { rowOf, type IndexRow } from './entry-rows.ts';
import type { HeldRows } from './held-rows.ts';
import { deleteFrom, indexTables, isRow, type RowEntry } from './index-tables.ts';
import type { NameWriter } from './names.ts';
import { widthOf } from './span.ts';
import { asksForText, type TextIndex } from './text-index.ts';

const deletions = new Map(indexTables.map((table) => [table, deleteFrom(table)]));

/** Brings a resource's rows from those of the previous version to those of the next; rows of both stay as they are. */
export class IndexWriter {
  readonly #connection: Connection;
  readonly #names: NameWriter;
  readonly #texts: TextIndex;
  readonly #held: HeldRows;

  constructor(connection: Connection, names: NameWriter, texts: TextIndex, held: HeldRows) {
    this.#connection = connection;
    this.#names = names;
    this.#texts = texts;
    this.#held = held;
  }

  update(rid: number, next: readonly IndexEntry[], previous: readonly IndexEntry[]): void {
    this.#texts.update(rid, next, previous);
    this.#updateRows(rid, next.filter(isRow), previous.filter(isRow));
  }

  /** Writes all rows of a resource, whatever is there, and takes out those that are named and not its own. */
  mend(rid: number, entries: readonly IndexEntry[], stale: readonly IndexRow[], words: boolean): void {
    const rows = entries.filter(isRow).map((entry) => rowOf(this.#names, rid, entry));
    const own = new Set(rows.map((row) => JSON.stringify(row)));
    for (const row of stale) {
      if (!own.has(JSON.stringify(row))) this.#remove(row);
    }
    this.#updateRows(rid, entries.filter(isRow), []);
    if (words) this.#texts.rewrite(rid, entries);
  }

  /** Writes what is held back, where a search in this transaction would miss it. */
  settleFor(wheres: readonly Condition[]): void {
    this.settleRows();
    if (wheres.some(asksForText)) this.#texts.flush();
  }

  /** Writes the rows that are held back: before this transaction reads any. */
  settleRows(): void {
    this.#held.flush();
  }

  #updateRows(rid: number, next: readonly RowEntry[], previous: readonly RowEntry[]): void {
    for (const parameter of repeated(next)) this.#names.repeat(this.#names.intern('parameter', parameter));
    if (previous.length === 0) {
      for (const entry of next) this.#insert(rid, entry);
      return;
    }
    const left = new Map(previous.map((entry) => [keyOf(entry), entry]));
    const added = next.filter((entry) => !left.delete(keyOf(entry)));
    for (const entry of left.values()) this.#remove(rowOf(this.#names, rid, entry));
    for (const entry of added) this.#insert(rid, entry);
  }

  #widen(entry: RowEntry): void {
    const width = widestOf(entry);
    if (width > 0) this.#names.widen(this.#names.intern('parameter', entry.parameter), width);
  }

  #insert(rid: number, entry: RowEntry): void {
    this.#widen(entry);
    const row = rowOf(this.#names, rid, entry);
    if (entry.kind === 'reference') this.#names.pointing.note(Number(row.values[0]), Number(row.values[1]));
    this.#held.hold(row);
  }

  /** What is held may be just this row. */
  #remove(row: IndexRow): void {
    this.#held.flush();
    this.#connection.run(deletions.get(row.table) ?? deleteFrom(row.table), ...row.values);
  }
}

/** The width of an entry's range, or of the widest among a composite's. */
export function widestOf(entry: RowEntry): number {
  if (entry.kind === 'composite') return Math.max(...entry.parts.map(widestOf));
  return 'low' in entry ? widthOf(entry.low, entry.high) : 0;
}

/** The parameters of ranges and strings of which there are several. */
export function repeated(entries: readonly RowEntry[]): ReadonlySet<string> {
  const [once, again] = [new Set<string>(), new Set<string>()];
  for (const entry of entries) {
    if (!('low' in entry) && entry.kind !== 'string') continue;
    if (once.has(entry.parameter)) again.add(entry.parameter);
    once.add(entry.parameter);
  }
  return again;
}

/** Alike for entries that make the same row. JSON tells no infinity from another. */
function keyOf(entry: RowEntry): string {
  const json = JSON.stringify(entry);
  return 'low' in entry ? `${json}${entry.low} ${entry.high}` : json;
}
