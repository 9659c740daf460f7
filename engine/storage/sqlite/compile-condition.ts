// A Condition of the search plan as SQL, in two forms: where its matches come from (a source of rids, led by an index), and
// whether one rid at hand matches (a test, a probe into an index). The smallest part of an `and` is its source, the others test.
import { Refusal } from '../../kernel/outcomes.ts';
import type { Condition, Leaf } from '../../search/plan.ts';
import { inTime, joined, listed, no, sql, yes, type Fragment } from './fragment.ts';
import { countedSource, leafSource, leafTest } from './compile-leaf.ts';
import { Compilation, type Source } from './compilation.ts';
import type { Names } from './names.ts';
import { narrowed } from './narrow.ts';

/** More leaves than any honest search has. */
const leafLimit = 2000;

/** Counted rows of a source: exact below `limit` (of ids: at most), else `limit` (or more) or Infinity. */
interface Estimate {
  readonly rows: number;
  readonly limit: number;
}

export class ConditionCompiler extends Compilation {
  readonly #parts = new Map<Condition, readonly Condition[]>();
  readonly #estimates = new Map<Condition, Estimate>();
  /** Up to how many rows it pays to count what leads a search over a type. */
  readonly limitOf: (type: string) => number;
  #leaves = 0;

  constructor(names: Names, limitOf: (type: string) => number) {
    super(names);
    this.limitOf = limitOf;
  }

  subquery(condition: Condition, type: string): Fragment {
    const source = this.source(condition, type);
    return sql`SELECT ${source.rid} AS rid FROM ${source.from} WHERE ${source.where}`;
  }

  source(condition: Condition, type: string): Source {
    switch (condition.op) {
      case 'leaf':
        return this.#leafSource(condition.leaf, type) ?? this.#tested(condition, type);
      case 'and':
        return this.#smallestTested(this.#partsOf(condition), type);
      case 'or':
        return this.#union(condition.of, type);
      case 'points-at':
        return this.#pointingSource(condition, type);
      case 'pointed-at-by':
        return this.#pointedAtSource(condition, type);
      case 'every':
      case 'none':
      case 'not':
        return this.#tested(condition, type);
    }
  }

  /** Whether the live resource `rid` of this type matches. */
  test(condition: Condition, type: string, rid: Fragment): Fragment {
    switch (condition.op) {
      case 'every':
        return yes;
      case 'none':
        return no;
      case 'leaf':
        this.#countLeaf();
        return leafTest(this, condition.leaf, type, rid);
      case 'and':
        return joined(
          this.#partsOf(condition).map((part) => this.test(part, type, rid)),
          'AND',
        );
      case 'or':
        return joined(
          condition.of.map((part) => this.test(part, type, rid)),
          'OR',
        );
      case 'not':
        return sql`NOT ${this.test(condition.of, type, rid)}`;
      case 'points-at':
        return this.#pointingTest(condition, rid);
      case 'pointed-at-by':
        return this.#pointedAtTest(condition, rid);
    }
  }

  /** How many rows the source gives, counted up to the limit; Infinity where there is no index to lead it. */
  estimate(condition: Condition, type: string, limit = this.limitOf(type)): number {
    const known = this.#estimates.get(condition);
    if (known !== undefined && (known.rows < known.limit || known.limit >= limit)) return known.rows;
    const rows = this.#estimate(condition, type, limit);
    this.#estimates.set(condition, { rows, limit });
    return rows;
  }

  #estimate(condition: Condition, type: string, limit: number): number {
    switch (condition.op) {
      case 'none':
        return 0;
      case 'every':
      case 'not':
        return Infinity;
      case 'and':
        return this.#smallest(this.#partsOf(condition), type, limit).rows;
      case 'or':
        return condition.of.reduce((sum, part) => sum + this.estimate(part, type, limit), 0);
      case 'points-at':
        return this.#estimateOver(condition, condition.target, type, limit);
      case 'pointed-at-by':
        return this.#estimateOver(condition, condition.source, type, limit);
      case 'leaf': {
        // Each id is of one resource at most: nothing to count.
        if (condition.leaf.kind === 'id') return condition.leaf.values.length;
        this.#countLeaf();
        const source = countedSource(this, condition.leaf, type);
        if (source === undefined) return Infinity;
        // Where each row is a match, the limit alone ends the counting soon.
        return this.#count(
          source.ordered ? source : { ...source, where: sql`${source.where} AND ${inTime}` },
          limit,
        );
      }
    }
  }

  /** The part with the fewest rows. What has more than the fewest so far need not be counted to its end. */
  #smallest(
    parts: readonly Condition[],
    type: string,
    limit: number,
  ): { readonly part: Condition | undefined; readonly rows: number } {
    let least: { part: Condition | undefined; rows: number } = { part: undefined, rows: Infinity };
    for (const part of parts) {
      const rows = this.estimate(part, type, Math.min(limit, least.rows));
      if (rows < least.rows) least = { part, rows };
    }
    return least;
  }

  /** A join is counted only when what it joins with is small: otherwise counting would cost what the search costs. */
  #estimateOver(
    condition: Extract<Condition, { where: Condition }>,
    joinedType: string,
    type: string,
    limit: number,
  ): number {
    const inner = this.estimate(condition.where, joinedType);
    return inner >= this.limitOf(joinedType) ? Infinity : this.#count(this.source(condition, type), limit);
  }

  #count(source: Source, limit: number): number {
    const { many, connection } = this.names;
    const rows = sql`SELECT 1 FROM ${source.from} WHERE ${source.where}`;
    const key = JSON.stringify([rows.text, rows.values]);
    if (many.has(key, limit)) return limit;
    const counted = sql`SELECT count(*) AS rows FROM (${rows} LIMIT ${limit})`;
    const found = connection.row<{ rows: number }>(counted.text, ...counted.values)?.rows ?? 0;
    if (found >= limit) many.note(key, found);
    return found;
  }

  /** The same parts each time they are asked for, so that each is counted once. */
  #partsOf(condition: Extract<Condition, { of: readonly Condition[] }>): readonly Condition[] {
    const parts = this.#parts.get(condition) ?? narrowed(this.names, condition.of);
    this.#parts.set(condition, parts);
    return parts;
  }

  #leafSource(leaf: Leaf, type: string): Source | undefined {
    this.#countLeaf();
    return leafSource(this, leaf, type);
  }

  /** All live resources of the type, tested one by one. */
  #tested(condition: Condition, type: string): Source {
    const row = this.alias();
    const rid = sql`${row}.rid`;
    const test = this.test(condition, type, rid);
    const number = this.names.find('type', type);
    return {
      rid,
      from: sql`resource AS ${row}`,
      where: sql`${row}.type = ${number} AND ${row}.live = 1 AND ${inTime} AND ${test}`,
      ordered: false,
    };
  }

  #smallestTested(parts: readonly Condition[], type: string): Source {
    const leading = this.#smallest(parts, type, this.limitOf(type)).part;
    if (leading === undefined) return this.#tested({ op: 'and', of: parts }, type);
    const source = this.source(leading, type);
    const others = parts.filter((part) => part !== leading);
    return {
      ...source,
      where: sql`${source.where} AND ${this.test({ op: 'and', of: others }, type, source.rid)}`,
    };
  }

  #union(parts: readonly Condition[], type: string): Source {
    if (parts.some((part) => this.estimate(part, type) === Infinity)) {
      return this.#tested({ op: 'or', of: parts }, type);
    }
    const row = this.alias();
    const queries = parts.map((part) => this.subquery(part, type));
    return {
      rid: sql`${row}.rid`,
      from: sql`(${union(queries)}) AS ${row}`,
      where: yes,
      ordered: false,
    };
  }

  #pointingSource(condition: Extract<Condition, { op: 'points-at' }>, type: string): Source {
    const row = this.alias();
    const { low, high } = this.span(type);
    const targets = this.subquery(condition.where, condition.target);
    const parameter = this.names.find('parameter', condition.parameter);
    return {
      rid: sql`${row}.rid`,
      from: sql`reference_index AS ${row}`,
      where: sql`${row}.parameter = ${parameter} AND ${row}.target IN (${targets}) AND ${row}.rid BETWEEN ${low} AND ${high} AND ${inTime}`,
      ordered: false,
    };
  }

  #pointingTest(condition: Extract<Condition, { op: 'points-at' }>, rid: Fragment): Fragment {
    const row = this.alias();
    const { low, high } = this.span(condition.target);
    const parameter = this.names.find('parameter', condition.parameter);
    const target = sql`${row}.target`;
    return sql`EXISTS (SELECT 1 FROM reference_index AS ${row} INDEXED BY reference_by_rid
      WHERE ${row}.rid = ${rid} AND ${row}.parameter = ${parameter} AND ${target} BETWEEN ${low} AND ${high}
      AND ${this.#isLive(target)} AND ${this.test(condition.where, condition.target, target)})`;
  }

  #pointedAtSource(condition: Extract<Condition, { op: 'pointed-at-by' }>, type: string): Source {
    const row = this.alias();
    const { low, high } = this.span(type);
    const sources = this.subquery(condition.where, condition.source);
    const parameter = this.names.find('parameter', condition.parameter);
    const target = sql`${row}.target`;
    return {
      rid: target,
      from: sql`reference_index AS ${row} INDEXED BY reference_by_rid`,
      where: sql`${row}.rid IN (${sources}) AND ${row}.parameter = ${parameter} AND ${target} BETWEEN ${low} AND ${high} AND ${inTime} AND ${this.#isLive(target)}`,
      ordered: false,
    };
  }

  #pointedAtTest(condition: Extract<Condition, { op: 'pointed-at-by' }>, rid: Fragment): Fragment {
    const row = this.alias();
    const { low, high } = this.span(condition.source);
    const parameter = this.names.find('parameter', condition.parameter);
    const source = sql`${row}.rid`;
    return sql`EXISTS (SELECT 1 FROM reference_index AS ${row}
      WHERE ${row}.parameter = ${parameter} AND ${row}.target = ${rid} AND ${source} BETWEEN ${low} AND ${high}
      AND ${this.test(condition.where, condition.source, source)})`;
  }

  /** A reference may point at what was deleted or never was. */
  #isLive(rid: Fragment): Fragment {
    const row = this.alias();
    return sql`EXISTS (SELECT 1 FROM resource AS ${row} WHERE ${row}.rid = ${rid} AND ${row}.live = 1)`;
  }

  #countLeaf(): void {
    this.#leaves += 1;
    if (this.#leaves > 3 * leafLimit) {
      throw new Refusal(
        'too-large',
        `the search has too many conditions; ${leafLimit} are carried out at most`,
      );
    }
  }
}

/** SQLite takes at most 500 queries in one compound; more are nested. */
const compoundLimit = 200;

function union(queries: readonly Fragment[]): Fragment {
  if (queries.length <= compoundLimit) return unionOf(queries);
  const groups: Fragment[] = [];
  for (let start = 0; start < queries.length; start += compoundLimit) {
    groups.push(sql`SELECT rid FROM (${unionOf(queries.slice(start, start + compoundLimit))})`);
  }
  return union(groups);
}

function unionOf(queries: readonly Fragment[]): Fragment {
  return queries.length === 0 ? sql`SELECT NULL AS rid WHERE 0` : listed(queries, ' UNION ALL ');
}
