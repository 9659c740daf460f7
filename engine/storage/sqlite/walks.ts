// Walks: rows that an index holds in the order of their values, each to be tested until a page is full. By a sort key, where the order was
// asked for; by the values of a condition, where it was not.
import type { Condition, Leaf, SortKey } from '../../search/plan.ts';
import type { Compilation } from './compilation.ts';
import { keyTables, resourceColumns } from './compile-order.ts';
import { fromOf, ridOf, rowsOf, type Rows } from './leaf-rows.ts';
import { sql, word, yes, type Fragment } from './fragment.ts';

/** Rows of resources of one type, in the order of one key and then of rids. */
export interface Walk {
  readonly from: Fragment;
  readonly rid: Fragment;
  readonly key: Fragment;
  readonly where: Fragment;
  /** Whether the row is the one by which its resource sorts: to be asked last. */
  readonly best: Fragment;
  /** Whether a match can lack the key, so that some come after the walk. */
  readonly partial: boolean;
  /** Conditions that hold for all rows of the walk. */
  readonly met: readonly Condition[];
}

/**
 * All resources of the type that have a value of the key and meet those of the conditions that are about that very value. undefined
 * when no index holds the resources in this order.
 */
export function keyWalk(
  compilation: Compilation,
  key: SortKey,
  type: string,
  conditions: readonly Condition[],
): Walk | undefined {
  const row = compilation.alias();
  const walk =
    'parameter' in key.by
      ? parameterWalk(compilation, key, type, row)
      : resourceWalk(compilation, resourceColumns[key.by.kind], type, row);
  return walk && bounded(compilation, walk, { key, type, row, conditions });
}

function parameterWalk(
  compilation: Compilation,
  key: SortKey,
  type: string,
  row: Fragment,
): Walk | undefined {
  if (!('parameter' in key.by)) return undefined;
  const { table, column, walked } = keyTables[key.by.kind];
  if (walked === undefined) return undefined;
  const { low, high } = compilation.span(type);
  const parameter = compilation.names.find('parameter', key.by.parameter);
  return {
    from: sql`${word(table)} AS ${row}`,
    rid: sql`${row}.rid`,
    key: sql`${row}.${word(column)}`,
    where: sql`${row}.parameter = ${parameter} AND ${walked} AND ${row}.rid BETWEEN ${low} AND ${high}`,
    best: isBest(compilation, key, row),
    partial: true,
    met: [],
  };
}

/** Whether no other value of the same resource sorts before this one. */
function isBest(compilation: Compilation, key: SortKey, row: Fragment): Fragment {
  if (!('parameter' in key.by) || isSingle(compilation, key)) return yes;
  const { table, column, byRid } = keyTables[key.by.kind];
  if (byRid === undefined) return yes;
  const parameter = compilation.names.find('parameter', key.by.parameter);
  const other = compilation.alias();
  const better = sql`${other}.${word(column)} ${word(key.descending ? '>' : '<')} ${row}.${word(column)}`;
  return sql`NOT EXISTS (SELECT 1 FROM ${word(table)} AS ${other} INDEXED BY ${word(byRid)}
    WHERE ${other}.rid = ${row}.rid AND ${other}.parameter = ${parameter} AND ${better})`;
}

/** Whether each resource has one value of the key at most. */
function isSingle({ names }: Compilation, { by }: SortKey): boolean {
  if (!('parameter' in by)) return true;
  return keyTables[by.kind].counted && names.fact(names.find('parameter', by.parameter)).repeats === 0;
}

function resourceWalk(compilation: Compilation, column: string, type: string, row: Fragment): Walk {
  const number = compilation.names.find('type', type);
  return {
    from: sql`resource AS ${row}`,
    rid: sql`${row}.rid`,
    key: sql`${row}.${word(column)}`,
    where: sql`${row}.type = ${number} AND ${row}.live = 1`,
    best: yes,
    partial: false,
    met: [],
  };
}

interface Bounds {
  readonly key: SortKey;
  readonly type: string;
  readonly row: Fragment;
  readonly conditions: readonly Condition[];
}

/** Where a resource has one value only, what is asked of that value says where the walk begins and ends. */
function bounded(compilation: Compilation, walk: Walk, { key, type, row, conditions }: Bounds): Walk {
  if (!isSingle(compilation, key)) return walk;
  const met = conditions.filter((condition) => condition.op === 'leaf' && isOfKey(condition.leaf, key));
  const bounds = met.map((condition) => rowsOfLeaf(compilation, condition, type, row).where);
  return {
    ...walk,
    where: bounds.reduce((all, bound) => sql`${all} AND ${bound}`, walk.where),
    partial: walk.partial && met.length === 0,
    met,
  };
}

const isOfKey = (leaf: Leaf, { by }: SortKey): boolean =>
  leaf.kind === by.kind && (!('parameter' in leaf) || ('parameter' in by && leaf.parameter === by.parameter));

function rowsOfLeaf(compilation: Compilation, condition: Condition, type: string, row: Fragment): Rows {
  if (condition.op !== 'leaf' || condition.leaf.kind === 'missing') throw new Error('only a leaf has rows');
  return rowsOf(compilation, condition.leaf, type, row);
}

/** A condition whose rows lie in the order of a column, once the columns before it are known. */
export interface WalkedCondition {
  readonly condition: Condition;
  readonly leaf: Exclude<Leaf, { kind: 'missing' }>;
  readonly column: string;
  /** Tells the condition from the others of its search. */
  readonly name: string;
}

type ColumnOf = {
  readonly [Kind in Leaf['kind']]?: (leaf: Extract<Leaf, { kind: Kind }>) => string | undefined;
};

const columnOf: ColumnOf = {
  date: () => 'low',
  number: () => 'low',
  quantity: ({ unit }) => (unit === undefined ? undefined : 'low'),
  string: () => 'folded',
  composite: ({ parts: [first] }) =>
    first?.kind === 'token' && first.code !== undefined ? 'value2' : undefined,
  lastUpdated: () => 'updated',
};

/** undefined: its rows lie in the order of rids, or in none. */
export function walkedOf(condition: Condition): WalkedCondition | undefined {
  if (condition.op !== 'leaf' || condition.leaf.kind === 'missing') return undefined;
  const { leaf } = condition;
  const column = (columnOf[leaf.kind] as ((of: Leaf) => string | undefined) | undefined)?.(leaf);
  if (column === undefined) return undefined;
  return { condition, leaf, column, name: 'parameter' in leaf ? leaf.parameter : leaf.kind };
}

/** The resources that meet a condition, in the order of its values. */
export function conditionWalk(compilation: Compilation, walked: WalkedCondition, type: string): Walk {
  const { leaf, column, condition } = walked;
  const row = compilation.alias();
  const rows = rowsOf(compilation, leaf, type, row);
  const { low, high } = compilation.span(type);
  const rid = ridOf(rows, row);
  return {
    from: fromOf(rows, row, rows.led),
    rid,
    key: sql`${row}.${word(column)}`,
    where: rows.led === undefined ? sql`${rows.where} AND ${rid} BETWEEN ${low} AND ${high}` : rows.where,
    best: rows.once ? yes : isLeast(compilation, walked, type, row),
    partial: false,
    met: [condition],
  };
}

/** Whether no other row of the same resource meets the condition by a lesser value. */
function isLeast(
  compilation: Compilation,
  { leaf, column }: WalkedCondition,
  type: string,
  row: Fragment,
): Fragment {
  const other = compilation.alias();
  const rows = rowsOf(compilation, leaf, type, other);
  return sql`NOT EXISTS (SELECT 1 FROM ${fromOf(rows, other, rows.byRid)} WHERE ${rows.where} AND ${other}.rid = ${row}.rid
    AND ${other}.${word(column)} < ${row}.${word(column)})`;
}
