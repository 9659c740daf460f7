// Index entries as rows of the index tables, and the difference between two versions' rows.
import { createHash } from 'node:crypto';
import type { IndexEntry } from '../../search/index-entry.ts';
import type { Connection, SqlValue } from './connection.ts';
import type { NameWriter } from './names.ts';
import { widthOf } from './span.ts';

/** Codes up to this length are kept as they are: shorter than most hashes, exact, and in order. */
const plainCodeLength = 64;
/** Stands in codes that are kept as a digest. */
export const digestMark = '\u0000';

/** A code as the index holds it: itself, or for a long one its beginning and its SHA-256. */
export function codeKey(code: string): string {
  if (code.length <= plainCodeLength && !code.includes(digestMark)) return code;
  return code.slice(0, 16) + digestMark + createHash('sha256').update(code).digest('base64url');
}

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

const rangeTable = indexTable('range_index', 'parameter', 'low', 'rid', 'high', 'unit', 'system');
const tables: Readonly<Record<IndexEntry['kind'], IndexTable>> = {
  token: indexTable('token_index', 'parameter', 'code', 'rid', 'system'),
  reference: indexTable('reference_index', 'parameter', 'target', 'rid'),
  uri: indexTable('uri_index', 'parameter', 'value', 'rid'),
  string: indexTable('string_index', 'parameter', 'folded', 'rid', 'value'),
  date: rangeTable,
  number: rangeTable,
  quantity: rangeTable,
};

/** Brings a resource's rows from those of the previous version to those of the next; rows of both stay as they are. */
export class IndexWriter {
  readonly #connection: Connection;
  readonly #names: NameWriter;

  constructor(connection: Connection, names: NameWriter) {
    this.#connection = connection;
    this.#names = names;
  }

  update(rid: number, next: readonly IndexEntry[], previous: readonly IndexEntry[]): void {
    if (previous.length === 0) {
      for (const entry of next) this.#change('insert', rid, entry);
      return;
    }
    const left = new Map(previous.map((entry) => [keyOf(entry), entry]));
    const added = next.filter((entry) => !left.delete(keyOf(entry)));
    for (const entry of left.values()) this.#change('remove', rid, entry);
    for (const entry of added) this.#change('insert', rid, entry);
  }

  #change(change: keyof IndexTable, rid: number, entry: IndexEntry): void {
    if (change === 'insert' && 'low' in entry) {
      this.#names.widen(this.#names.intern('parameter', entry.parameter), widthOf(entry.low, entry.high));
    }
    this.#connection.run(tables[entry.kind][change], ...this.#values(rid, entry));
  }

  #values(rid: number, entry: IndexEntry): SqlValue[] {
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
        return [parameter, entry.low, rid, entry.high, 0, 0];
      case 'quantity': {
        const [unit, system] = [names.intern('unit', entry.unit), names.intern('system', entry.system)];
        return [parameter, entry.low, rid, entry.high, unit, system];
      }
    }
  }
}

function keyOf(entry: IndexEntry): string {
  switch (entry.kind) {
    case 'token':
      return JSON.stringify([entry.parameter, entry.kind, entry.system, entry.code]);
    case 'reference':
      return JSON.stringify([entry.parameter, entry.kind, entry.target]);
    case 'uri':
      return JSON.stringify([entry.parameter, entry.kind, entry.value]);
    case 'string':
      return JSON.stringify([entry.parameter, entry.kind, entry.folded, entry.value]);
    case 'date':
    case 'number':
      return JSON.stringify([entry.parameter, entry.kind, String(entry.low), String(entry.high)]);
    case 'quantity':
      return JSON.stringify([
        entry.parameter,
        entry.kind,
        String(entry.low),
        String(entry.high),
        entry.unit,
        entry.system,
      ]);
  }
}
