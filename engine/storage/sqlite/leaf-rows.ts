// The rows of an index table that satisfy one condition: a table from kind of leaf to its rows.
import type { Leaf } from '../../search/plan.ts';
import { codeKey } from './code-key.ts';
import { comparedString, comparedUri, comparedVersions } from './compare-text.ts';
import type { Compilation } from './compilation.ts';
import { partsTest } from './composite-parts.ts';
import { sql, word, yes, type Fragment } from './fragment.ts';
import { emptyNumber, kinds } from './names.ts';
import { comparedPosition } from './near.ts';
import type { NarrowerLeaf } from './narrow.ts';
import { comparedInstant, comparedRange } from './span.ts';
import { textQuery } from './text-index.ts';

/** The rows of one leaf in its index table, row alias `row`. */
export interface Rows {
  readonly table: string;
  readonly where: Fragment;
  /** What narrows the rows only where they are a source: it is true of all rows of the table. */
  readonly leading?: Fragment;
  /** Values whose rows are looked for one after the other: joined before the table. */
  readonly values?: Fragment;
  /** The column of rids where it is not `rid`. */
  readonly rid?: string;
  /** One rid is found without reading others: by the primary key, or by the named index. */
  readonly probe: boolean;
  readonly byRid?: string;
  /** The index that leads to the rows as a source, where they know their type without it. */
  readonly led?: string;
  /** The rows come in the order of their rids. */
  readonly ordered: boolean;
  /** No two of the rows are of one resource. */
  readonly once: boolean;
}

type LeafOf<Kind extends Leaf['kind']> = Extract<Leaf, { kind: Kind }>;
type RowsLeaf = Exclude<Leaf, { kind: 'missing' }>;

export function rowsOf(compilation: Compilation, leaf: RowsLeaf, type: string, row: Fragment): Rows {
  switch (leaf.kind) {
    case 'token':
      return tokenRows(compilation, leaf, row);
    case 'token-in':
      return tokensRows(compilation, leaf, row);
    case 'reference':
      return {
        table: 'reference_index',
        where: sql`${parameterOf(compilation, leaf, row)} AND ${row}.target = ${compilation.names.findTarget(leaf.target)}`,
        probe: true,
        ordered: true,
        once: true,
      };
    case 'canonical':
      return canonicalRows(compilation, leaf, row);
    case 'uri':
      return uriRows(compilation, leaf, row);
    case 'string':
      return stringRows(compilation, leaf, row);
    case 'date':
    case 'number':
    case 'quantity':
      return spanRows(compilation, leaf, row);
    case 'near':
      return rangeRows(
        sql`${parameterOf(compilation, leaf, row)} AND ${row}.unit = 0 AND ${comparedPosition(sql`${row}.low`, sql`${row}.high`, leaf)}`,
        false,
      );
    case 'composite':
      return compositeRows(compilation, leaf, row);
    case 'text':
      return textRows(compilation, leaf, row);
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
  }
}

function parameterOf(
  compilation: Compilation,
  leaf: { readonly parameter: string },
  row: Fragment,
): Fragment {
  return sql`${row}.parameter = ${compilation.names.find('parameter', leaf.parameter)}`;
}

function tokenRows(compilation: Compilation, leaf: LeafOf<'token'>, row: Fragment): Rows {
  let where = parameterOf(compilation, leaf, row);
  if (leaf.code !== undefined) where = sql`${where} AND ${row}.code = ${codeKey(leaf.code)}`;
  if (leaf.system !== undefined) {
    where = sql`${where} AND ${row}.system = ${compilation.names.find('system', leaf.system)}`;
  }
  const byCode = leaf.code !== undefined;
  const once = byCode && leaf.system !== undefined;
  return { table: 'token_index', where, probe: byCode, ordered: byCode, once };
}

/** Up to so many codes are looked for at one rid; the rows of more are gathered once. */
const mostProbed = 16;

function tokensRows(compilation: Compilation, leaf: LeafOf<'token-in'>, row: Fragment): Rows {
  const asked = leaf.codes.flatMap(({ system, codes }) => {
    const number = compilation.names.find('system', system);
    return codes.map((code) => [codeKey(code), number] as const);
  });
  const value = compilation.alias();
  return {
    table: 'token_index',
    values: sql`json_each(${JSON.stringify(asked)}) AS ${value}`,
    where: sql`${parameterOf(compilation, leaf, row)} AND ${row}.code = ${value}.value ->> 0 AND ${row}.system = ${value}.value ->> 1`,
    probe: asked.length <= mostProbed,
    ordered: false,
    once: false,
  };
}

/** What references point at outside of this server is kept as it is written, under the pseudo type. */
function canonicalRows(compilation: Compilation, leaf: LeafOf<'canonical'>, row: Fragment): Rows {
  const target = compilation.alias();
  return {
    table: 'reference_index',
    where: sql`${parameterOf(compilation, leaf, row)} AND ${row}.target IN (SELECT ${target}.rid FROM resource AS ${target}
      INDEXED BY resource_by_id WHERE ${target}.type = ${emptyNumber} AND ${comparedVersions(sql`${target}.id`, leaf.value)})`,
    probe: true,
    byRid: 'reference_by_rid',
    ordered: false,
    once: false,
  };
}

function uriRows(compilation: Compilation, leaf: LeafOf<'uri'>, row: Fragment): Rows {
  const where = sql`${parameterOf(compilation, leaf, row)} AND ${comparedUri(sql`${row}.value`, leaf)}`;
  const exact = leaf.match === 'exact';
  return { table: 'uri_index', where, probe: exact, ordered: exact, once: exact };
}

function stringRows(compilation: Compilation, leaf: LeafOf<'string'>, row: Fragment): Rows {
  const compared = comparedString(sql`${row}.folded`, sql`${row}.value`, leaf);
  const where = sql`${parameterOf(compilation, leaf, row)} AND ${compared}`;
  const once = isSingle(compilation, leaf);
  return { table: 'string_index', where, probe: true, byRid: 'string_by_rid', ordered: false, once };
}

/** Whether no resource has several values of the parameter: known of ranges and strings. */
const isSingle = ({ names }: Compilation, leaf: { readonly parameter: string }): boolean =>
  names.fact(names.find('parameter', leaf.parameter)).repeats === 0;

type SpanLeaf = LeafOf<'date' | 'number' | 'quantity'>;

/** The ranges of one unit lie together, so the unit is always said. */
function spanRows(compilation: Compilation, leaf: SpanLeaf & NarrowerLeaf, row: Fragment): Rows {
  const { names } = compilation;
  const { widest } = names.fact(names.find('parameter', leaf.parameter));
  const where = [leaf, ...(leaf.narrower ?? [])]
    .map((span) => comparedRange(sql`${row}.low`, sql`${row}.high`, span, widest))
    .reduce((all, compared) => sql`${all} AND ${compared}`);
  const rows = rangeRows(
    sql`${parameterOf(compilation, leaf, row)} AND ${unitOf(compilation, leaf, row)} AND ${where}`,
    isSingle(compilation, leaf),
  );
  const isOfAnyUnit = leaf.kind === 'quantity' && leaf.unit === undefined;
  return isOfAnyUnit ? { ...rows, leading: sql`${row}.unit IN (${unitNumbers})` } : rows;
}

/** As a source, a quantity of any unit is looked for unit by unit. */
const unitNumbers = sql`SELECT 0 UNION ALL SELECT number FROM name WHERE kind = ${kinds.unit}`;

function unitOf({ names }: Compilation, leaf: SpanLeaf, row: Fragment): Fragment {
  if (leaf.kind !== 'quantity') return sql`${row}.unit = 0`;
  const ofUnit = leaf.unit === undefined ? yes : sql`${row}.unit = ${names.find('unit', leaf.unit)}`;
  const ofSystem =
    leaf.system === undefined ? yes : sql`${row}.system = ${names.find('system', leaf.system)}`;
  return sql`${ofUnit} AND ${ofSystem}`;
}

function rangeRows(where: Fragment, once: boolean): Rows {
  return { table: 'range_index', where, probe: true, byRid: 'range_by_rid', ordered: false, once };
}

function compositeRows(compilation: Compilation, leaf: LeafOf<'composite'>, row: Fragment): Rows {
  const { widest } = compilation.names.fact(compilation.names.find('parameter', leaf.parameter));
  return {
    table: 'composite_index',
    where: sql`${parameterOf(compilation, leaf, row)} AND ${partsTest(compilation, leaf.parts, row, widest)}`,
    probe: true,
    byRid: 'composite_by_rid',
    ordered: false,
    once: false,
  };
}

function textRows(compilation: Compilation, leaf: LeafOf<'text'>, row: Fragment): Rows {
  const parameter = compilation.names.find('parameter', leaf.parameter);
  return {
    table: 'text_index',
    where: sql`${row}.text_index MATCH ${textQuery(parameter, leaf.words)}`,
    rid: 'rowid',
    probe: false,
    ordered: true,
    once: true,
  };
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
    once: true,
  };
}

/** The column of the rows' rids. */
export const ridOf = (rows: Rows, row: Fragment): Fragment => sql`${row}.${word(rows.rid ?? 'rid')}`;

/** The rows' tables, for a FROM clause, by an index or as SQLite chooses. CROSS JOIN keeps the values first. */
export function fromOf(rows: Rows, row: Fragment, index?: string): Fragment {
  const by = index === undefined ? '' : `INDEXED BY ${index}`;
  const table = sql`${word(rows.table)} AS ${row} ${word(by)}`;
  return rows.values === undefined ? table : sql`${rows.values} CROSS JOIN ${table}`;
}
