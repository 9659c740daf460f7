// https://hl7.org/fhir/R4/http.html#search over several types: a system search, or all that a compartment holds.
import { badRequest } from '../kernel/outcomes.ts';
import type { Answers } from '../search/answers.ts';
import type { Include, SearchRequest } from '../search/search-index.ts';
import type { SystemPlan } from '../search/plan.ts';
import { admitType } from './admit.ts';
import { understand } from './answer-questions.ts';
import { within } from './compartment.ts';
import { includedWith } from './include.ts';
import type { SearchChoice, SearchResult } from './repository.ts';
import { nextPage, pageLimits } from './search.ts';
import type { Reading } from './work.ts';

/** Newest first. Each type has to know all the parameters. */
export async function searchTypes(
  reading: Reading,
  types: readonly string[],
  query: string,
  choice: SearchChoice = {},
): Promise<SearchResult> {
  const requests = await understand(reading, (answers) =>
    types.map((type) => requestOf(reading, type, query, { ...choice, answers })),
  );
  const [first] = requests;
  if (!first) throw badRequest('a search is for one resource type at least', '_type');
  const plans = requests.map(({ plan }) => within(reading.parts, plan, choice.compartment));
  const { count, after, total: counting } = first.plan;
  const plan: SystemPlan = { parts: plans, count, after, total: counting === 'none' ? 'none' : 'accurate' };
  const { matches, next, total } = await reading.resources.searchTypes(plan);
  return {
    matches,
    included: await includedWith(reading, matches, includesOf(requests)),
    total,
    self: first.self,
    next: next === undefined ? undefined : nextPage(first.self, next),
    ignored: first.ignored,
  };
}

function requestOf(
  { parts: { index, base } }: Reading,
  type: string,
  query: string,
  choice: SearchChoice & { readonly answers: Answers },
): SearchRequest {
  admitType(index, type);
  const request = index.request(type, query, { ...pageLimits(base(), choice), answers: choice.answers });
  const [key, ...more] = request.plan.order;
  const isUsual = key === undefined || (key.by.kind === 'lastUpdated' && key.descending && more.length === 0);
  if (!isUsual) throw badRequest('a search over several types is sorted by -_lastUpdated', '_sort');
  return request;
}

/** Each once. */
const includesOf = (requests: readonly SearchRequest[]): readonly Include[] => [
  ...new Map(
    requests.flatMap(({ includes }) => includes.map((include) => [JSON.stringify(include), include])),
  ).values(),
];
