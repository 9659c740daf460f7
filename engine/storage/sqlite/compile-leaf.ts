// One condition on the index entries of one parameter as SQL: a table from kind of leaf to its rows and its probe.
import type { Leaf } from '../../search/plan.ts';
import type { Compilation, Source } from './compilation.ts';
import { sql, word, type Fragment } from './fragment.ts';
import { codeKey } from './index-rows.ts';
import { comparedInstant, comparedRange } from './span.ts';

/** The rows of one leaf in its index table, row alias `row`. */
interface Rows {
  readonly table: string;
  readonly where: Fragment;
  /** One rid is found without reading others: by the primary key, or by the named index. */
  readonly probe: boolean;
  readonly byRid?: string;
  /** The index that leads to the rows as a source, where they know their type without it. */
  readonly led?: string;
  readonly ordered: boolean;
}

/** Where the matches come from; undefined where only testing each resource tells (`missing`). */
export function leafSource(compilation: Compilation, leaf: Leaf, type: string): Source | undefined {
  const row = compilation.alias();
  const rows = rowsOf(compilation, leaf, type, row);
  if (rows === undefined) return undefined;
  const { low, high } = compilation.span(type);
  const rid = sql`${row}.rid`;
  // Left to choose, SQLite would walk all resources of the type: it does not know how few have the asked id.
  if (rows.led !== undefined) {
    return {
      rid,
      from: sql`${word(rows.table)} AS ${row} INDEXED BY ${word(rows.led)}`,
      where: rows.where,
      ordered: rows.ordered,
    };
  }
  return {
    rid,
    from: sql`${word(rows.table)} AS ${row}`,
    where: sql`${rows.where} AND ${rid} BETWEEN ${low} AND ${high}`,
    ordered: rows.ordered,
  };
}

/** Whether the live resource `rid` matches. */
export function leafTest(compilation: Compilation, leaf: Leaf, type: string, rid: Fragment): Fragment {
  if (leaf.kind === 'missing') return missingTest(compilation, leaf.parameter, type, rid);
  const row = compilation.alias();
  const rows = rowsOf(compilation, leaf, type, row);
  if (rows?.probe !== true) return inSource(compilation, leaf, type, rid);
  const index = word(rows.byRid === undefined ? '' : `INDEXED BY ${rows.byRid}`);
  return sql`EXISTS (SELECT 1 FROM ${word(rows.table)} AS ${row} ${index} WHERE ${rows.where} AND ${row}.rid = ${rid})`;
}

function inSource(compilation: Compilation, leaf: Leaf, type: string, rid: Fragment): Fragment {
  const source = leafSource(compilation, leaf, type);
  if (source === undefined) throw new Error(`no rows for a leaf of kind ${leaf.kind}`);
  return sql`${rid} IN (SELECT ${source.rid} FROM ${source.from} WHERE ${source.where})`;
}

function rowsOf(compilation: Compilation, leaf: Leaf, type: string, row: Fragment): Rows | undefined {
  switch (leaf.kind) {
    case 'token':
      return tokenRows(compilation, leaf, row);
    case 'reference':
      return {
        table: 'reference_index',
        where: sql`${parameterOf(compilation, leaf, row)} AND ${row}.target = ${compilation.names.findTarget(leaf.target)}`,
        probe: true,
        ordered: true,
      };
    case 'uri':
      return uriRows(compilation, leaf, row);
    case 'string':
      return stringRows(compilation, leaf, row);
    case 'date':
    case 'number':
      return rangeRows(sql`${parameterOf(compilation, leaf, row)} AND ${comparedIn(compilation, leaf, row)}`);
    case 'quantity':
      return quantityRows(compilation, leaf, row);
    case 'id':
      return resourceRows(
        compilation,
        type,
        row,
        'resource_by_id',
        sql`${row}.id IN (SELECT value FROM json_each(${JSON.stringify(leaf.values)}))`,
      );
    case 'lastUpdated':
      return resourceRows(
        compilation,
        type,
        row,
        'resource_by_updated',
        comparedInstant(sql`${row}.updated`, leaf),
      );
    case 'missing':
      return undefined;
  }
}

function parameterOf(
  compilation: Compilation,
  leaf: { readonly parameter: string },
  row: Fragment,
): Fragment {
  return sql`${row}.parameter = ${compilation.names.find('parameter', leaf.parameter)}`;
}

type LeafOf<Kind extends Leaf['kind']> = Extract<Leaf, { kind: Kind }>;

function tokenRows(compilation: Compilation, leaf: LeafOf<'token'>, row: Fragment): Rows {
  let where = parameterOf(compilation, leaf, row);
  if (leaf.code !== undefined) where = sql`${where} AND ${row}.code = ${codeKey(leaf.code)}`;
  if (leaf.system !== undefined) {
    where = sql`${where} AND ${row}.system = ${compilation.names.find('system', leaf.system)}`;
  }
  const byCode = leaf.code !== undefined;
  return { table: 'token_index', where, probe: byCode, ordered: byCode };
}

/** `below`: the value itself and what continues it after a slash; '0' is the character after '/'. */
function uriRows(compilation: Compilation, leaf: LeafOf<'uri'>, row: Fragment): Rows {
  const parameter = parameterOf(compilation, leaf, row);
  if (leaf.match === 'exact') {
    const where = sql`${parameter} AND ${row}.value = ${leaf.value}`;
    return { table: 'uri_index', where, probe: true, ordered: true };
  }
  const stem = leaf.value.endsWith('/') ? leaf.value.slice(0, -1) : leaf.value;
  const [inside, end] = [`${stem}/`, `${stem}0`];
  const where = sql`${parameter} AND ${row}.value >= ${leaf.value} AND ${row}.value < ${end} AND (${row}.value = ${leaf.value} OR ${row}.value >= ${inside})`;
  return { table: 'uri_index', where, probe: false, ordered: false };
}

function stringRows(compilation: Compilation, leaf: LeafOf<'string'>, row: Fragment): Rows {
  const matches = {
    prefix: () => prefixed(sql`${row}.folded`, leaf.value),
    contains: () => sql`instr(${row}.folded, ${leaf.value}) > 0`,
    exact: () => sql`${row}.value = ${leaf.value}`,
  };
  const where = sql`${parameterOf(compilation, leaf, row)} AND ${matches[leaf.match]()}`;
  return { table: 'string_index', where, probe: true, byRid: 'string_by_rid', ordered: false };
}

/** No text that begins with the prefix is greater than the prefix followed by the last code point. */
function prefixed(column: Fragment, prefix: string): Fragment {
  return sql`(${column} >= ${prefix} AND ${column} < ${`${prefix}\u{10FFFF}`})`;
}

function comparedIn(
  compilation: Compilation,
  leaf: LeafOf<'date' | 'number' | 'quantity'>,
  row: Fragment,
): Fragment {
  const widest = compilation.names.widest(compilation.names.find('parameter', leaf.parameter));
  return comparedRange(sql`${row}.low`, sql`${row}.high`, leaf, widest);
}

function rangeRows(where: Fragment): Rows {
  return { table: 'range_index', where, probe: true, byRid: 'range_by_rid', ordered: false };
}

function quantityRows(compilation: Compilation, leaf: LeafOf<'quantity'>, row: Fragment): Rows {
  let where = sql`${parameterOf(compilation, leaf, row)} AND ${comparedIn(compilation, leaf, row)}`;
  if (leaf.unit !== undefined) {
    where = sql`${where} AND ${row}.unit = ${compilation.names.find('unit', leaf.unit)}`;
  }
  if (leaf.system !== undefined) {
    where = sql`${where} AND ${row}.system = ${compilation.names.find('system', leaf.system)}`;
  }
  return rangeRows(where);
}

function resourceRows(
  compilation: Compilation,
  type: string,
  row: Fragment,
  led: string,
  where: Fragment,
): Rows {
  const number = compilation.names.find('type', type);
  return {
    table: 'resource',
    where: sql`${row}.type = ${number} AND ${row}.live = 1 AND ${where}`,
    probe: true,
    led,
    ordered: false,
  };
}

/** Tables of which a rid's rows can be found, and those of which all rows of the parameter are gathered once. */
const probed = [
  ['range_index', 'range_by_rid'],
  ['string_index', 'string_by_rid'],
  ['reference_index', 'reference_by_rid'],
] as const;
const gathered = ['token_index', 'uri_index'] as const;

function missingTest(compilation: Compilation, name: string, type: string, rid: Fragment): Fragment {
  const parameter = compilation.names.find('parameter', name);
  const { low, high } = compilation.span(type);
  const probes = probed.map(
    ([table, index]) =>
      sql`EXISTS (SELECT 1 FROM ${word(table)} INDEXED BY ${word(index)} WHERE rid = ${rid} AND parameter = ${parameter})`,
  );
  const sets = gathered.map(
    (table) =>
      sql`${rid} IN (SELECT rid FROM ${word(table)} WHERE parameter = ${parameter} AND rid BETWEEN ${low} AND ${high})`,
  );
  return sql`NOT (${[...probes, ...sets].reduce((all, term) => sql`${all} OR ${term}`)})`;
}
