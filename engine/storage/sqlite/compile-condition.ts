// A Condition of the search plan as SQL, in two forms: where its matches come from (a source of rids, led by an index), and
// whether one rid at hand matches (a test, a probe into an index). The smallest part of an `and` is its source, the others test.
import type { Condition, Leaf, ParameterName } from '../../search/plan.ts';
import { namedBy, namesOf } from './canonical-rows.ts';
import type { Source } from './compilation.ts';
import { leafSource, leafTest } from './compile-leaf.ts';
import { CountedConditions } from './counted-conditions.ts';
import { inTime, joined, listed, no, sql, yes, type Fragment } from './fragment.ts';

type PointsAt = Extract<Condition, { readonly op: 'points-at' }>;
type PointedAtBy = Extract<Condition, { readonly op: 'pointed-at-by' }>;

export class ConditionCompiler extends CountedConditions {
  subquery(condition: Condition, type: string): Fragment {
    const source = this.source(condition, type);
    return sql`SELECT ${source.rid} AS rid FROM ${source.from} WHERE ${source.where}`;
  }

  source(condition: Condition, type: string): Source {
    switch (condition.op) {
      case 'leaf':
        return this.#leafSource(condition.leaf, type) ?? this.#tested(condition, type);
      case 'and':
        return this.#smallestTested(this.partsOf(condition), type);
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

  /** Where the matches of all parts come from: the rows of one part, tested for the others. */
  ledBy(leading: Condition, parts: readonly Condition[], type: string): Source {
    const source = this.source(leading, type);
    const others = parts.filter((part) => part !== leading);
    return {
      ...source,
      where: sql`${source.where} AND ${this.testAll(others, type, source.rid)}`,
    };
  }

  testAll(parts: readonly Condition[], type: string, rid: Fragment): Fragment {
    return joined(
      parts.map((part) => this.test(part, type, rid)),
      'AND',
    );
  }

  /** Whether the live resource `rid` of this type matches. */
  test(condition: Condition, type: string, rid: Fragment): Fragment {
    switch (condition.op) {
      case 'every':
        return yes;
      case 'none':
        return no;
      case 'leaf':
        this.countLeaf();
        return leafTest(this, condition.leaf, type, rid);
      case 'and':
        return this.testAll(this.partsOf(condition), type, rid);
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

  #leafSource(leaf: Leaf, type: string): Source | undefined {
    this.countLeaf();
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
      once: true,
    };
  }

  #smallestTested(parts: readonly Condition[], type: string): Source {
    const leading = this.smallest(parts, type, this.limitOf(type)).part;
    return leading === undefined
      ? this.#tested({ op: 'and', of: parts }, type)
      : this.ledBy(leading, parts, type);
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
      once: false,
    };
  }

  #pointingSource(condition: PointsAt, type: string): Source {
    const row = this.alias();
    const { low, high } = this.span(type);
    const targets = this.#targets(condition);
    const parameter = this.names.find('parameter', condition.parameter);
    return {
      rid: sql`${row}.rid`,
      from: sql`reference_index AS ${row}`,
      where: sql`${row}.parameter = ${parameter} AND ${row}.target IN (${targets}) AND ${row}.rid BETWEEN ${low} AND ${high} AND ${inTime}`,
      ordered: false,
      once: false,
    };
  }

  #pointingTest(condition: PointsAt, rid: Fragment): Fragment {
    if (condition.by !== undefined) return this.#canonicalTest(condition, condition.by, rid);
    const row = this.alias();
    const { low, high } = this.span(condition.target);
    const parameter = this.names.find('parameter', condition.parameter);
    const target = sql`${row}.target`;
    return sql`EXISTS (SELECT 1 FROM reference_index AS ${row} INDEXED BY reference_by_rid
      WHERE ${row}.rid = ${rid} AND ${row}.parameter = ${parameter} AND ${target} BETWEEN ${low} AND ${high}
      AND ${this.#isLive(target)} AND ${this.test(condition.where, condition.target, target)})`;
  }

  #targets({ by, target, where }: PointsAt): Fragment {
    const matching = this.subquery(where, target);
    if (by === undefined) return matching;
    const names = namesOf(this, by);
    return sql`SELECT ${names.target} FROM ${names.from} WHERE ${names.rid} IN (${matching}) AND ${names.where}`;
  }

  #canonicalTest(condition: PointsAt, by: ParameterName, rid: Fragment): Fragment {
    const row = this.alias();
    const named = namedBy(this, by, condition.target, sql`${row}.target`);
    const parameter = this.names.find('parameter', condition.parameter);
    return sql`EXISTS (SELECT 1 FROM reference_index AS ${row} INDEXED BY reference_by_rid CROSS JOIN ${named.from}
      WHERE ${row}.rid = ${rid} AND ${row}.parameter = ${parameter} AND ${named.where}
      AND ${this.test(condition.where, condition.target, named.rid)})`;
  }

  #pointedAtSource(condition: PointedAtBy, type: string): Source {
    if (condition.by !== undefined) return this.#namedSource(condition, condition.by, type);
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
      once: false,
    };
  }

  #namedSource(condition: PointedAtBy, by: ParameterName, type: string): Source {
    const row = this.alias();
    const named = namedBy(this, by, type, sql`${row}.target`);
    const sources = this.subquery(condition.where, condition.source);
    const parameter = this.names.find('parameter', condition.parameter);
    return {
      rid: named.rid,
      from: sql`reference_index AS ${row} INDEXED BY reference_by_rid CROSS JOIN ${named.from}`,
      where: sql`${row}.rid IN (${sources}) AND ${row}.parameter = ${parameter} AND ${inTime} AND ${named.where}`,
      ordered: false,
      once: false,
    };
  }

  #pointedAtTest(condition: PointedAtBy, rid: Fragment): Fragment {
    if (condition.by !== undefined) return this.#namedTest(condition, condition.by, rid);
    const row = this.alias();
    const { low, high } = this.span(condition.source);
    const parameter = this.names.find('parameter', condition.parameter);
    const source = sql`${row}.rid`;
    return sql`EXISTS (SELECT 1 FROM reference_index AS ${row}
      WHERE ${row}.parameter = ${parameter} AND ${row}.target = ${rid} AND ${source} BETWEEN ${low} AND ${high}
      AND ${this.test(condition.where, condition.source, source)})`;
  }

  #namedTest(condition: PointedAtBy, by: ParameterName, rid: Fragment): Fragment {
    const row = this.alias();
    const { low, high } = this.span(condition.source);
    const names = namesOf(this, by);
    const parameter = this.names.find('parameter', condition.parameter);
    const source = sql`${row}.rid`;
    return sql`EXISTS (SELECT 1 FROM ${names.from} CROSS JOIN reference_index AS ${row}
      WHERE ${names.rid} = ${rid} AND ${names.where}
      AND ${row}.parameter = ${parameter} AND ${row}.target = ${names.target} AND ${source} BETWEEN ${low} AND ${high}
      AND ${this.test(condition.where, condition.source, source)})`;
  }

  /** A reference may point at what was deleted or never was. */
  #isLive(rid: Fragment): Fragment {
    const row = this.alias();
    return sql`EXISTS (SELECT 1 FROM resource AS ${row} WHERE ${row}.rid = ${rid} AND ${row}.live = 1)`;
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
