// Carries a search out on one connection: a page of matches with its bodies, and the places where its neighbours begin.
import type { Plan, SystemPlan } from '../../search/plan.ts';
import type { SearchPage, StoredVersion } from '../resource-store.ts';
import { findMatches, type FoundPlan, type Match } from './compile-plan.ts';
import { countMatches, estimateMatches } from './count-matches.ts';
import type { Names } from './names.ts';
import { readPage } from './page-bytes.ts';
import { writePlace, type SortValue } from './page-place.ts';
import { readByRidSql, versionOf, type VersionRow } from './version-row.ts';

export const runSearch = (names: Names, plan: Plan): SearchPage =>
  names.connection.snapshot(() => searchPage(names, plan));

function searchPage(names: Names, plan: Plan): SearchPage {
  const page = plan.count === 0 ? emptyPage : pageOf(names, plan);
  return {
    ...read(page, ({ rid }) => matched(names, plan.type, rid)),
    previous: page.previous,
    total: totalOf(names, plan),
  };
}

interface Page<Found extends Match = Match> {
  readonly matches: readonly Found[];
  readonly next: string | undefined;
  readonly previous: string | undefined;
}

/** A page that is cut off because of its size goes on where it ends. */
function read<Found extends Match>(
  page: Page<Found>,
  readOne: (match: Found) => StoredVersion,
): Pick<SearchPage, 'matches' | 'next'> {
  const matches = readPage(page.matches, readOne);
  const isWhole = matches.length === page.matches.length;
  return { matches, next: isWhole ? page.next : placeOf(page.matches[matches.length - 1]) };
}

const emptyPage: Page = { matches: [], next: undefined, previous: undefined };

const pageOf = (names: Names, plan: Plan): Page =>
  pageAt(plan, ({ after, before }, limit) => {
    const { type, where, order } = plan;
    return findMatches(
      names,
      { type, where, order, after, ...(before === undefined ? {} : { before }) },
      limit,
    );
  });

type At = Pick<FoundPlan, 'after' | 'before'>;

/** `find` reads matches away from a place, so many at most. */
function pageAt<Found extends Match>(
  { after, before, count }: At & Pick<Plan, 'count'>,
  find: (at: At, limit: number) => readonly Found[],
): Page<Found> {
  if (before === undefined) return pageForwards(find({ after }, count + 1), count, after);
  const found = find({ after, before }, count + 1);
  if (found.length > 0) return pageBackwards(found, count);
  // What stood before the place has gone meanwhile: the beginning is there.
  return pageForwards(find({ after }, count + 1), count, after);
}

function pageForwards<Found extends Match>(
  found: readonly Found[],
  count: number,
  after: string | undefined,
): Page<Found> {
  const matches = found.slice(0, count);
  return {
    matches,
    next: found.length > matches.length ? placeOf(matches.at(-1)) : undefined,
    previous: after === undefined ? undefined : placeOf(matches[0]),
  };
}

/** `found` was read away from the place. What the page is before is still there, most likely. */
function pageBackwards<Found extends Match>(found: readonly Found[], count: number): Page<Found> {
  const matches = found.slice(0, count).reverse();
  return {
    matches,
    next: placeOf(matches.at(-1)),
    previous: found.length > count ? placeOf(matches[0]) : undefined,
  };
}

const placeOf = (match: Match | undefined): string | undefined => match && writePlace(match);

function totalOf(names: Names, plan: Plan): number | undefined {
  if (plan.total === 'accurate' || plan.count === 0) return countMatches(names, plan.type, plan.where);
  return plan.total === 'estimate' ? estimateMatches(names, plan.type, plan.where) : undefined;
}

function matched(names: Names, type: string, rid: number): StoredVersion {
  const row = names.connection.row<VersionRow>(readByRidSql, rid);
  if (row === undefined) throw new Error('an index row points at no resource');
  return versionOf(type, row);
}

interface TypedMatch extends Match {
  readonly type: string;
}

export const runSystemSearch = (names: Names, plan: SystemPlan): SearchPage =>
  names.connection.snapshot(() => systemSearchPage(names, plan));

function systemSearchPage(names: Names, plan: SystemPlan): SearchPage {
  const page = plan.count === 0 ? { ...emptyPage, matches: [] } : systemPage(names, plan);
  const counts = plan.total === 'accurate' || plan.count === 0;
  return {
    ...read(page, ({ type, rid }) => matched(names, type, rid)),
    previous: page.previous,
    total: counts
      ? plan.parts.reduce((sum, { type, where }) => sum + countMatches(names, type, where), 0)
      : undefined,
  };
}

/** Each type gives those of its own that are next to the place; the next of those are the page. */
const systemPage = (names: Names, plan: SystemPlan): Page<TypedMatch> =>
  pageAt(plan, (at, limit) =>
    plan.parts
      .flatMap(({ type, where, order }): TypedMatch[] =>
        findMatches(names, { type, where, order, ...at }, limit).map((match) => ({ ...match, type })),
      )
      .sort(comparison(plan.parts[0]?.order ?? [], at.before === undefined ? 1 : -1))
      .slice(0, limit),
  );

/** As the indexes run (see compile-order.ts): missing values last, ties by rid the way of the first key. `way` -1: backwards. */
function comparison(order: Plan['order'], way: 1 | -1): (one: Match, other: Match) => number {
  const ties = order[0]?.descending === true ? -1 : 1;
  return (one, other) => {
    for (const [place, { descending }] of order.entries()) {
      const compared = compareValues(one.keys[place] ?? null, other.keys[place] ?? null, descending);
      if (compared !== 0) return way * compared;
    }
    return way * ties * (one.rid - other.rid);
  };
}

function compareValues(one: SortValue, other: SortValue, descending: boolean): number {
  if (one === other) return 0;
  if (one === null) return 1;
  if (other === null) return -1;
  const compared =
    typeof one === 'number' && typeof other === 'number'
      ? one - other
      : Buffer.compare(Buffer.from(String(one)), Buffer.from(String(other)));
  return descending ? -compared : compared;
}
