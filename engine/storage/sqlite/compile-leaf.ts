// One condition on the index entries of one parameter as SQL: as a source of rids, and as a test of one rid at hand.
import type { Leaf } from '../../search/plan.ts';
import type { Compilation, Source } from './compilation.ts';
import { rowsByValue, type ValueTable } from './few-values.ts';
import { inTime, joined, sql, word, yes, type Fragment } from './fragment.ts';
import { fromOf, ridOf, rowsOf } from './leaf-rows.ts';
import { textQuery } from './text-index.ts';

/** Where the matches come from; undefined where only testing each resource tells (`missing`). */
export function leafSource(compilation: Compilation, leaf: Leaf, type: string): Source | undefined {
  const source = countedSource(compilation, leaf, type);
  return source && { ...source, where: sql`${source.where} AND ${inTime}` };
}

/** The same for one who looks at a few rows alone, and needs no more time for it than it has. */
export function countedSource(compilation: Compilation, leaf: Leaf, type: string): Source | undefined {
  if (leaf.kind === 'missing') return undefined;
  const row = compilation.alias();
  const rows = rowsOf(compilation, leaf, type, row);
  const { low, high } = compilation.span(type);
  const rid = ridOf(rows, row);
  const { ordered, once, leading = yes } = rows;
  const where = sql`${rows.where} AND ${leading}`;
  // Left to choose, SQLite would walk all resources of the type: it does not know how few have the asked id.
  if (rows.led !== undefined) return { rid, from: fromOf(rows, row, rows.led), where, ordered, once };
  return {
    rid,
    from: fromOf(rows, row),
    // The plus keeps it from the index, whose one bound of rids is the page's place: a parameter's rows are of one type anyway.
    where: sql`${where} AND +${rid} BETWEEN ${low} AND ${high}`,
    ordered,
    once,
  };
}

/** Whether the live resource `rid` matches. */
export function leafTest(compilation: Compilation, leaf: Leaf, type: string, rid: Fragment): Fragment {
  if (leaf.kind === 'missing') return missingTest(compilation, leaf.parameter, type, rid);
  const row = compilation.alias();
  const rows = rowsOf(compilation, leaf, type, row);
  if (!rows.probe) return inSource(compilation, leaf, type, rid);
  return sql`EXISTS (SELECT 1 FROM ${fromOf(rows, row, rows.byRid)} WHERE ${rows.where} AND ${row}.rid = ${rid})`;
}

function inSource(compilation: Compilation, leaf: Leaf, type: string, rid: Fragment): Fragment {
  const source = leafSource(compilation, leaf, type);
  if (source === undefined) throw new Error(`no rows for a leaf of kind ${leaf.kind}`);
  return sql`${rid} IN (SELECT ${source.rid} FROM ${source.from} WHERE ${source.where})`;
}

type HasValue = (compilation: Compilation, parameter: number, type: string, rid: Fragment) => Fragment;

/** Finds a rid's rows of a parameter by an index that begins with the rid. */
const probed =
  (table: string, index: string): HasValue =>
  (_compilation, parameter, _type, rid) =>
    sql`EXISTS (SELECT 1 FROM ${word(table)} INDEXED BY ${word(index)} WHERE rid = ${rid} AND parameter = ${parameter})`;

/** Looks for each value of a parameter that has few, or gathers all its rids once. */
const gathered =
  (table: ValueTable): HasValue =>
  (compilation, parameter, type, rid) => {
    const values = compilation.valuesToProbe(table, parameter, type);
    if (values !== undefined) {
      return sql`EXISTS (SELECT 1 FROM ${rowsByValue(compilation.alias(), { table, parameter, values, rid })})`;
    }
    const { low, high } = compilation.span(type);
    return sql`${rid} IN (SELECT rid FROM ${word(table)} WHERE parameter = ${parameter} AND rid BETWEEN ${low} AND ${high} AND ${inTime})`;
  };

/** Whether a resource has any value, by the table that the values are in. */
const hasValue: Readonly<Record<string, HasValue>> = {
  range_index: probed('range_index', 'range_by_rid'),
  string_index: probed('string_index', 'string_by_rid'),
  reference_index: probed('reference_index', 'reference_by_rid'),
  composite_index: probed('composite_index', 'composite_by_rid'),
  token_index: gathered('token_index'),
  uri_index: gathered('uri_index'),
};

function missingTest(compilation: Compilation, name: string, type: string, rid: Fragment): Fragment {
  const parameter = compilation.names.find('parameter', name);
  const used = Object.entries(hasValue).filter(([table]) => isUsed(compilation, table, parameter));
  const values = used.map(([, has]) => has(compilation, parameter, type, rid));
  return sql`NOT ${joined([...values, hasText(parameter, rid)], 'OR')}`;
}

/** A parameter's values are in one or two of the tables: the others need not be asked about each resource. */
function isUsed(compilation: Compilation, table: string, parameter: number): boolean {
  const query = `SELECT EXISTS (SELECT 1 FROM ${table} WHERE parameter = ?) AS used`;
  return compilation.names.connection.row<{ used: number }>(query, parameter)?.used === 1;
}

const hasText = (parameter: number, rid: Fragment): Fragment =>
  sql`${rid} IN (SELECT rowid FROM text_index WHERE text_index MATCH ${textQuery(parameter, [])} AND ${inTime})`;
