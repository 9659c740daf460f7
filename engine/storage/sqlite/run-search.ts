// Carries a search out on one connection: a page of matches with its bodies, and the places where its neighbours begin.
import type { Plan, SortKey, SystemPlan } from '../../search/plan.ts';
import type { SearchPage, StoredVersion } from '../resource-store.ts';
import { findMatches, type Match } from './compile-plan.ts';
import { countMatches, estimateMatches } from './count-matches.ts';
import type { Names } from './names.ts';
import { readPage } from './page-bytes.ts';
import { writePlace } from './page-place.ts';
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

function pageOf(names: Names, plan: Plan): Page {
  const { type, where, order, count, after, before } = plan;
  const found = findMatches(names, plan, count + 1);
  if (before === undefined) return pageForwards(found, count, after);
  if (found.length > 0) return pageBackwards(found, count);
  // What stood before the place has gone meanwhile: the beginning is there.
  return pageForwards(findMatches(names, { type, where, order, after }, count + 1), count, after);
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
function pageBackwards(found: readonly Match[], count: number): Page {
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

const newestFirst: readonly SortKey[] = [{ by: { kind: 'lastUpdated' }, descending: true }];

interface TypedMatch extends Match {
  readonly type: string;
}

export const runSystemSearch = (names: Names, plan: SystemPlan): SearchPage =>
  names.connection.snapshot(() => systemSearchPage(names, plan));

/** Each type gives its newest; the newest of those are the page. */
function systemSearchPage(names: Names, plan: SystemPlan): SearchPage {
  const page = plan.count === 0 ? undefined : systemPage(names, plan);
  const found = page && read(page, ({ type, rid }) => matched(names, type, rid));
  const counts = plan.total === 'accurate' || plan.count === 0;
  return {
    matches: found?.matches ?? [],
    next: found?.next,
    total: counts
      ? plan.parts.reduce((sum, { type, where }) => sum + countMatches(names, type, where), 0)
      : undefined,
  };
}

function systemPage(names: Names, { parts, count, after }: SystemPlan): Page<TypedMatch> {
  const found = parts.flatMap(({ type, where }): TypedMatch[] =>
    findMatches(names, { type, where, order: newestFirst, after }, count + 1).map((match) => ({
      ...match,
      type,
    })),
  );
  found.sort((one, other) => Number(other.keys[0]) - Number(one.keys[0]) || other.rid - one.rid);
  return pageForwards(found, count, undefined);
}
