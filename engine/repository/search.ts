// https://hl7.org/fhir/R4/http.html#search over one type.
import type { SearchOptions } from '../search/search-index.ts';
import { admitType } from './admit.ts';
import { within } from './compartment.ts';
import { understand } from './answer-questions.ts';
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
  const { plan, includes, self, ignored } = await understand(reading, (answers) =>
    index.request(type, query, { ...pageLimits(base(), choice), answers }),
  );
  const asked = within(reading.parts, plan, choice.compartment);
  const { matches, next, total } = await reading.resources.search(asked);
  return {
    matches,
    included: await includedWith(reading, matches, includes),
    total,
    self,
    next: next === undefined ? undefined : nextPage(self, next),
    ignored,
  };
}

export const pageLimits = (base: string, choice: SearchChoice): SearchOptions => ({
  lenient: choice.lenient ?? false,
  base,
  defaultCount,
  maximumCount,
});

export const nextPage = (self: string, place: string): string =>
  `${self}${self === '' ? '' : '&'}_page=${encodeURIComponent(place)}`;
