// How many rows conditions have, counted as far as it pays, so that the smallest leads a search and long walks are foreseen.
import { Refusal } from '../../kernel/outcomes.ts';
import type { Condition } from '../../search/plan.ts';
import { countedSource } from './compile-leaf.ts';
import { Compilation, type Source } from './compilation.ts';
import { mostTested, valuesToProbe, type ValueTable } from './few-values.ts';
import { inTime, sql } from './fragment.ts';
import { mostGathered } from './gather-limit.ts';
import type { Names } from './names.ts';
import { narrowed } from './narrow.ts';

/** More leaves than any honest search has. */
const leafLimit = 2000;

/** So many choices are walked side by side. */
const mostChoices = 50;

/** Counted rows of a source: exact below `limit` (of ids: at most), else `limit` (or more) or Infinity. */
interface Estimate {
  readonly rows: number;
  readonly limit: number;
}

interface Smallest {
  readonly part: Condition | undefined;
  readonly rows: number;
}

export abstract class CountedConditions extends Compilation {
  readonly #parts = new Map<Condition, readonly Condition[]>();
  readonly #estimates = new Map<Condition, Estimate>();
  /** Up to how many rows it pays to count what leads a search over a type. */
  readonly limitOf: (type: string) => number;
  readonly #values = new Map<string, readonly string[] | undefined>();
  #searched: { readonly where: Condition; readonly type: string } | undefined;
  #leaves = 0;

  constructor(names: Names, limitOf: (type: string) => number) {
    super(names);
    this.limitOf = limitOf;
  }

  abstract source(condition: Condition, type: string): Source;

  /** Says what is searched for: what it tests, and how often, follows from its smallest part. */
  searching(where: Condition, type: string): this {
    this.#searched = { where, type };
    return this;
  }

  override valuesToProbe(table: ValueTable, parameter: number, type?: string): readonly string[] | undefined {
    if (this.#searched === undefined || (type ?? this.#searched.type) !== this.#searched.type) {
      return undefined;
    }
    const key = `${table} ${parameter}`;
    if (this.#values.has(key)) return this.#values.get(key);
    // To count what leads the search may ask for the same again: a chain that comes back to its type. There they are gathered.
    this.#values.set(key, undefined);
    const values = this.#valuesToProbe(table, parameter, this.#searched);
    this.#values.set(key, values);
    return values;
  }

  #valuesToProbe(
    table: ValueTable,
    parameter: number,
    { where, type }: { readonly where: Condition; readonly type: string },
  ): readonly string[] | undefined {
    const { rows } = this.smallest(this.partsOf(where), type, mostTested);
    return rows < mostTested ? valuesToProbe(this.names, table, parameter, rows) : undefined;
  }

  /** What must all hold: the same parts each time they are asked for, so that each is counted once. */
  partsOf(condition: Condition): readonly Condition[] {
    if (condition.op !== 'and') return condition.op === 'every' ? [] : [condition];
    const parts = this.#parts.get(condition) ?? narrowed(this.names, condition.of);
    this.#parts.set(condition, parts);
    return parts;
  }

  /** Whether the rows of a condition, or of each choice of it, lie in the order of rids: they are counted and walked quickly. */
  isOrdered(condition: Condition, type: string): boolean {
    if (condition.op === 'leaf') return countedSource(this, condition.leaf, type)?.ordered === true;
    if (condition.op !== 'or' || condition.of.length > mostChoices) return false;
    return condition.of.every((choice) => choice.op === 'leaf' && this.isOrdered(choice, type));
  }

  /** Whether one of these that must all hold has fewer rows than that, and few enough to be gathered. */
  isFewerThan(parts: readonly Condition[], type: string, rows: number): boolean {
    const most = Math.min(rows, mostGathered);
    return this.smallest(parts, type, most).rows < most;
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
        return this.smallest(this.partsOf(condition), type, limit).rows;
      case 'or':
        return condition.of.reduce((sum, part) => sum + this.estimate(part, type, limit), 0);
      case 'points-at':
        return this.#estimateOver(condition, condition.target, type, limit);
      case 'pointed-at-by':
        return this.#estimateOver(condition, condition.source, type, limit);
      case 'leaf': {
        // Each id is of one resource at most: nothing to count.
        if (condition.leaf.kind === 'id') return condition.leaf.values.length;
        this.countLeaf();
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
  smallest(parts: readonly Condition[], type: string, limit: number): Smallest {
    let least: Smallest = { part: undefined, rows: Infinity };
    for (const part of parts.toSorted((one, other) => this.#counted(one) - this.#counted(other))) {
      const rows = this.estimate(part, type, Math.min(limit, least.rows));
      if (rows < least.rows) least = { part, rows };
    }
    return least;
  }

  /** Where it is known how many rows there are, so many. */
  #counted(condition: Condition): number {
    const known = this.#estimates.get(condition);
    return known !== undefined && known.rows < known.limit ? known.rows : Infinity;
  }

  /** A join is counted only when what it joins with is small: otherwise counting would cost what the search costs. */
  #estimateOver(
    condition: Extract<Condition, { where: Condition }>,
    joinedType: string,
    type: string,
    limit: number,
  ): number {
    const inner = this.estimate(condition.where, joinedType);
    if (inner === 0) return 0;
    return inner >= this.limitOf(joinedType) ? Infinity : this.#count(this.source(condition, type), limit);
  }

  #count(source: Source, limit: number): number {
    const { many, connection } = this.names;
    const rows = sql`SELECT 1 FROM ${source.from} WHERE ${source.where}`;
    const key = JSON.stringify([rows.text, rows.values]);
    const known = many.rows(key, limit);
    if (known !== undefined) return known;
    const counted = sql`SELECT count(*) AS rows FROM (${rows} LIMIT ${limit})`;
    const found = connection.row<{ rows: number }>(counted.text, ...counted.values)?.rows ?? 0;
    many.note(key, found, limit);
    return found;
  }

  protected countLeaf(): void {
    this.#leaves += 1;
    if (this.#leaves > 3 * leafLimit) {
      throw new Refusal(
        'too-large',
        `the search has too many conditions; ${leafLimit} are carried out at most`,
      );
    }
  }
}
