// Index entries as rows of the index tables, and the difference between two versions' rows.
import type { IndexEntry } from '../../search/index-entry.ts';
import type { Condition } from '../../search/plan.ts';
import { codeKey } from './code-key.ts';
import { compositeColumns, compositeValues } from './composite-parts.ts';
import type { Connection, SqlValue } from './connection.ts';
import type { NameWriter } from './names.ts';
import { widthOf } from './span.ts';
import { asksForText, type TextIndex } from './text-index.ts';

/** Words are kept by the text index; all other values are rows. */
type RowEntry = Exclude<IndexEntry, { kind: 'text' }>;

interface IndexTable {
  readonly insert: string;
  readonly remove: string;
}

function indexTable(table: string, ...columns: readonly string[]): IndexTable {
  const places = columns.map(() => '?').join(', ');
  const keys = columns.map((column) => `${column} = ?`).join(' AND ');
  return {
    insert: `INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${places})`,
    remove: `DELETE FROM ${table} WHERE ${keys}`,
  };
}

const rangeTable = indexTable('range_index', 'parameter', 'unit', 'low', 'rid', 'high', 'system');
const tables: Readonly<Record<RowEntry['kind'], IndexTable>> = {
  token: indexTable('token_index', 'parameter', 'code', 'rid', 'system'),
  reference: indexTable('reference_index', 'parameter', 'target', 'rid'),
  uri: indexTable('uri_index', 'parameter', 'value', 'rid'),
  string: indexTable('string_index', 'parameter', 'folded', 'rid', 'value'),
  date: rangeTable,
  number: rangeTable,
  quantity: rangeTable,
  // Latitude as low, longitude as high.
  position: rangeTable,
  composite: indexTable('composite_index', ...compositeColumns),
};

/** Brings a resource's rows from those of the previous version to those of the next; rows of both stay as they are. */
export class IndexWriter {
  readonly #connection: Connection;
  readonly #names: NameWriter;
  readonly #texts: TextIndex;

  constructor(connection: Connection, names: NameWriter, texts: TextIndex) {
    this.#connection = connection;
    this.#names = names;
    this.#texts = texts;
  }

  update(rid: number, next: readonly IndexEntry[], previous: readonly IndexEntry[]): void {
    this.#texts.update(rid, next, previous);
    this.#updateRows(rid, next.filter(isRow), previous.filter(isRow));
  }

  /** Writes what is held back, where a search in this transaction would miss it. */
  settleFor(wheres: readonly Condition[]): void {
    if (wheres.some(asksForText)) this.#texts.flush();
  }

  #updateRows(rid: number, next: readonly RowEntry[], previous: readonly RowEntry[]): void {
    for (const parameter of repeated(next)) this.#names.repeat(this.#names.intern('parameter', parameter));
    if (previous.length === 0) {
      for (const entry of next) this.#change('insert', rid, entry);
      return;
    }
    const left = new Map(previous.map((entry) => [keyOf(entry), entry]));
    const added = next.filter((entry) => !left.delete(keyOf(entry)));
    for (const entry of left.values()) this.#change('remove', rid, entry);
    for (const entry of added) this.#change('insert', rid, entry);
  }

  #change(change: keyof IndexTable, rid: number, entry: RowEntry): void {
    if (change === 'insert' && 'low' in entry) {
      this.#names.widen(this.#names.intern('parameter', entry.parameter), widthOf(entry.low, entry.high));
    }
    this.#connection.run(tables[entry.kind][change], ...this.#values(rid, entry));
  }

  #values(rid: number, entry: RowEntry): SqlValue[] {
    const names = this.#names;
    const parameter = names.intern('parameter', entry.parameter);
    switch (entry.kind) {
      case 'token':
        return [parameter, codeKey(entry.code), rid, names.intern('system', entry.system)];
      case 'reference':
        return [parameter, names.internTarget(entry.target), rid];
      case 'uri':
        return [parameter, entry.value, rid];
      case 'string':
        return [parameter, entry.folded, rid, entry.value];
      case 'date':
      case 'number':
        return [parameter, 0, entry.low, rid, entry.high, 0];
      case 'quantity': {
        const [unit, system] = [names.intern('unit', entry.unit), names.intern('system', entry.system)];
        return [parameter, unit, entry.low, rid, entry.high, system];
      }
      case 'position':
        return [parameter, 0, entry.latitude, rid, entry.longitude, 0];
      case 'composite':
        return compositeValues(names, parameter, rid, entry);
    }
  }
}

/** The parameters of ranges and strings of which there are several. */
function repeated(entries: readonly RowEntry[]): ReadonlySet<string> {
  const [once, again] = [new Set<string>(), new Set<string>()];
  for (const entry of entries) {
    if (!('low' in entry) && entry.kind !== 'string') continue;
    if (once.has(entry.parameter)) again.add(entry.parameter);
    once.add(entry.parameter);
  }
  return again;
}

const isRow = (entry: IndexEntry): entry is RowEntry => entry.kind !== 'text';

/** Alike for entries that make the same row. JSON tells no infinity from another. */
function keyOf(entry: RowEntry): string {
  const json = JSON.stringify(entry);
  return 'low' in entry ? `${json}${entry.low} ${entry.high}` : json;
}
