// https://hl7.org/fhir/R4/http.html#search over one type.
import type { Plan } from '../search/plan.ts';
import type { SearchOptions } from '../search/search-index.ts';
import type { SearchPage } from '../storage/resource-store.ts';
import { admitType } from './admit.ts';
import { understand } from './answer-questions.ts';
import { within } from './compartment.ts';
import { includedWith } from './include.ts';
import type { SearchChoice, SearchResult } from './repository.ts';
import type { Reading } from './work.ts';

/** Matches per page where the query does not say, and at most. */
const defaultCount = 20;
const maximumCount = 1000;

export async function search(
  reading: Reading,
  type: string,
  query: string,
  choice: SearchChoice = {},
): Promise<SearchResult> {
  const { index, base } = reading.parts;
  admitType(index, type);
  const limits = pageLimits(base(), choice);
  const { plan, includes, self, ignored, unfinished } = await understand(reading, (answers) =>
    index.request(type, query, { ...limits, answers }),
  );
  const page = await reading.resources.search(within(reading.parts, plan, choice.compartment));
  return {
    matches: page.matches,
    included: await includedWith(reading, page.matches, includes),
    total: page.total,
    ...linksOf(self, plan, page),
    ignored,
    unfinished,
  };
}

export const pageLimits = (base: string, choice: SearchChoice): SearchOptions => ({
  lenient: choice.lenient ?? false,
  base,
  defaultCount,
  maximumCount,
});

/** The queries of this page and of those that it leads to. */
export function linksOf(
  self: string,
  { after, before }: Pick<Plan, 'after' | 'before'>,
  { next, previous }: Pick<SearchPage, 'next' | 'previous'>,
): Pick<SearchResult, 'self' | 'first' | 'next' | 'previous'> {
  return {
    self,
    first: after === undefined && before === undefined ? undefined : self,
    next: next === undefined ? undefined : pageFrom(self, '_page', next),
    previous: previous === undefined ? undefined : pageFrom(self, '_back', previous),
  };
}

const pageFrom = (self: string, key: '_page' | '_back', place: string): string =>
  `${self}${self === '' ? '' : '&'}${key}=${encodeURIComponent(place)}`;
