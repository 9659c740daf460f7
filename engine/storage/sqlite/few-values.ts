// Tokens and URIs have no order by rid. Where few resources are to be looked at, and a parameter has few different values, each value is looked
// for at each of them, instead of gathering all that the parameter has.
import { sql, word, type Fragment } from './fragment.ts';
import type { Names } from './names.ts';

/** Where the values of a parameter are that have no order by rid. */
const valueColumns = { token_index: 'code', uri_index: 'value' } as const;
export type ValueTable = keyof typeof valueColumns;

/** To step from value to value, and to look for each of them at each resource: about a microsecond each. */
const mostValues = 2_000;
const mostLooks = 100_000;
/** Characters of all values: they are read anew at each resource. */
const mostText = 50_000;

/** Resources beyond which nothing is looked for one by one. */
export const mostTested = 20_000;

/** All values of a parameter, in order; undefined where to look for each of them at so many resources costs more than to gather its rows. */
export function valuesToProbe(
  names: Names,
  table: ValueTable,
  parameter: number,
  tested: number,
): readonly string[] | undefined {
  const most = Math.min(mostValues, Math.floor(mostLooks / Math.max(1, tested)));
  const values = differentValues(names, table, parameter, most + 1);
  const text = values.reduce((length, value) => length + value.length, 0);
  if (values.length > most || text > mostText) return undefined;
  const looks = Math.max(1, tested) * values.length;
  return hasMoreRows(names, table, parameter, looks) ? values : undefined;
}

/** The rows of one resource, alias `row`, for a FROM clause with its WHERE: value by value. */
export function rowsByValue(
  row: Fragment,
  {
    table,
    parameter,
    values,
    rid,
  }: {
    readonly table: ValueTable;
    readonly parameter: number;
    readonly values: readonly string[];
    readonly rid: Fragment;
  },
): Fragment {
  const value = word(`${row.text}_value`);
  return sql`json_each(${JSON.stringify(values)}) AS ${value} CROSS JOIN ${word(table)} AS ${row}
    WHERE ${row}.parameter = ${parameter} AND ${row}.${word(valueColumns[table])} = ${value}.value AND ${row}.rid = ${rid}`;
}

/** From each value the index leads to the next one. */
function differentValues(
  { connection }: Names,
  table: ValueTable,
  parameter: number,
  limit: number,
): readonly string[] {
  const least = `SELECT min(${valueColumns[table]}) FROM ${table} WHERE parameter = ?`;
  const query = `WITH RECURSIVE known (value) AS
    (SELECT (${least}) UNION ALL SELECT (${least} AND ${valueColumns[table]} > known.value) FROM known WHERE known.value IS NOT NULL)
    SELECT value FROM known WHERE value IS NOT NULL LIMIT ?`;
  return connection.rows<{ value: string }>(query, parameter, parameter, limit).map(({ value }) => value);
}

function hasMoreRows({ connection }: Names, table: ValueTable, parameter: number, than: number): boolean {
  const query = `SELECT count(*) AS rows FROM (SELECT 1 FROM ${table} WHERE parameter = ? LIMIT ?)`;
  return (connection.row<{ rows: number }>(query, parameter, than + 1)?.rows ?? 0) > than;
}
