// Tables of codes: mappings/hl7v2/codesystems and mappings/codes.

/** A table's rows by key; a row is a text or a record of texts. */
export type Rows = ReadonlyMap<string, unknown>;

export interface Tables {
  /** Throws SyntaxError for a table that is not there. */
  rows(name: string): Rows;
}

/** A row, or one column of it; the row `*` answers for keys that have none. */
export function look(rows: Rows, key: string, column: string | undefined): unknown {
  const row = rows.get(key) ?? rows.get('*');
  if (row === undefined || row === null) return undefined;
  if (column === undefined) return row;
  return typeof row === 'object' && Object.hasOwn(row, column)
    ? (row as Readonly<Record<string, unknown>>)[column]
    : undefined;
}
