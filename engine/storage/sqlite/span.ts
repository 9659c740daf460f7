// The nine comparisons of ranges as SQL. https://hl7.org/fhir/R4/search.html#prefix
import type { Span } from '../../search/plan.ts';
import { sql, type Fragment } from './fragment.ts';

type Comparison = (low: Fragment, high: Fragment, span: Span, widest: number) => Fragment;

/** Sums and differences of decimals are a little off: by so much of their size at most. */
const inexactness = 8 * Number.EPSILON;

/** Not less than high - low; Infinity for a range that is open. */
export const widthOf = (low: number, high: number): number =>
  Number.isFinite(high - low) ? high - low + (Math.abs(low) + Math.abs(high)) * inexactness : Infinity;

/** What reaches beyond `point` and is no wider than `widest` begins here at the earliest. */
const earliest = (point: number, widest: number): number =>
  Number.isFinite(point) && Number.isFinite(widest)
    ? point - widest - (Math.abs(point) + widest) * inexactness
    : -Infinity;

/** Stored [low, high) against asked [span.low, span.high). Where `high` is compared, a bound on `low` leads the index. */
const comparisons: Readonly<Record<Span['comparator'], Comparison>> = {
  eq: (low, high, span) =>
    sql`(${low} >= ${span.low} AND ${low} <= ${span.high} AND ${high} <= ${span.high})`,
  ne: (low, high, span) => sql`(${low} < ${span.low} OR ${high} > ${span.high})`,
  gt: (low, high, span, widest) => sql`(${low} >= ${earliest(span.high, widest)} AND ${high} > ${span.high})`,
  lt: (low, _high, span) => sql`${low} < ${span.low}`,
  ge: (low, high, span, widest) =>
    sql`(${low} >= ${Math.min(span.low, earliest(span.high, widest))} AND (${high} > ${span.high} OR ${low} >= ${span.low}))`,
  le: (low, high, span) =>
    sql`(${low} <= ${span.high} AND (${low} < ${span.low} OR ${high} <= ${span.high}))`,
  sa: (low, _high, span) => sql`${low} >= ${span.high}`,
  eb: (low, high, span) => sql`(${low} <= ${span.low} AND ${high} <= ${span.low})`,
  ap: (low, high, span, widest) =>
    sql`(${low} >= ${earliest(span.low, widest)} AND ${low} < ${span.high} AND ${high} > ${span.low})`,
};

/** `widest`: no stored range is wider. */
export const comparedRange = (low: Fragment, high: Fragment, span: Span, widest: number): Fragment =>
  comparisons[span.comparator](low, high, span, widest);

/** The same for instants, which last one millisecond: [instant, instant + 1). Every comparison is one the index can lead. */
const instantComparisons: Readonly<Record<Span['comparator'], (instant: Fragment, span: Span) => Fragment>> =
  {
    eq: (instant, span) => sql`(${instant} >= ${span.low} AND ${instant} < ${span.high})`,
    ne: (instant, span) => sql`(${instant} < ${span.low} OR ${instant} >= ${span.high})`,
    gt: (instant, span) => sql`${instant} >= ${span.high}`,
    lt: (instant, span) => sql`${instant} < ${span.low}`,
    ge: (instant, span) => sql`${instant} >= ${span.low}`,
    le: (instant, span) => sql`${instant} < ${span.high}`,
    sa: (instant, span) => sql`${instant} >= ${span.high}`,
    eb: (instant, span) => sql`${instant} < ${span.low}`,
    ap: (instant, span) => sql`(${instant} >= ${span.low} AND ${instant} < ${span.high})`,
  };

export const comparedInstant = (instant: Fragment, span: Span): Fragment =>
  instantComparisons[span.comparator](instant, span);
