// The index tables by name and columns: what is written, compared and mended row by row.
import type { IndexEntry } from '../../search/index-entry.ts';
import { compositeColumns } from './composite-parts.ts';

/** Words are kept by the text index; all other values are rows. */
export type RowEntry = Exclude<IndexEntry, { kind: 'text' }>;

export const isRow = (entry: IndexEntry): entry is RowEntry => entry.kind !== 'text';

export interface IndexTable {
  readonly name: string;
  readonly columns: readonly string[];
}

const tokenTable: IndexTable = { name: 'token_index', columns: ['parameter', 'code', 'rid', 'system'] };
const referenceTable: IndexTable = { name: 'reference_index', columns: ['parameter', 'target', 'rid'] };
const uriTable: IndexTable = { name: 'uri_index', columns: ['parameter', 'value', 'rid'] };
const stringTable: IndexTable = { name: 'string_index', columns: ['parameter', 'folded', 'rid', 'value'] };
const rangeTable: IndexTable = {
  name: 'range_index',
  columns: ['parameter', 'unit', 'low', 'rid', 'high', 'system'],
};
const compositeTable: IndexTable = { name: 'composite_index', columns: compositeColumns };

export const indexTables: readonly IndexTable[] = [
  tokenTable,
  referenceTable,
  uriTable,
  stringTable,
  rangeTable,
  compositeTable,
];

export const tableOf: Readonly<Record<RowEntry['kind'], IndexTable>> = {
  token: tokenTable,
  reference: referenceTable,
  uri: uriTable,
  string: stringTable,
  date: rangeTable,
  number: rangeTable,
  quantity: rangeTable,
  // Latitude as low, longitude as high.
  position: rangeTable,
  composite: compositeTable,
};

/** So many rows at once; a row that is there already stays as it is. */
export function insertInto({ name, columns }: IndexTable, rows = 1): string {
  const row = `(${columns.map(() => '?').join(', ')})`;
  const values = Array.from({ length: rows }, () => row).join(', ');
  return `INSERT OR IGNORE INTO ${name} (${columns.join(', ')}) VALUES ${values}`;
}

export function deleteFrom({ name, columns }: IndexTable): string {
  return `DELETE FROM ${name} WHERE ${columns.map((column) => `${column} = ?`).join(' AND ')}`;
}
