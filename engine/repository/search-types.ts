// https://hl7.org/fhir/R4/http.html#search over several types: a system search, or all that a compartment holds.
import { fieldsOf } from '../kernel/fields.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { Answers } from '../search/answers.ts';
import type { Include, SearchRequest } from '../search/search-index.ts';
import type { Plan, SortKey, SystemPart, SystemPlan } from '../search/plan.ts';
import { admitType } from './admit.ts';
import { understand, type Asking } from './answer-questions.ts';
import { within } from './compartment.ts';
import { includedWith } from './include.ts';
import type { SearchChoice, SearchResult } from './repository.ts';
import { linksOf, pageLimits } from './search.ts';
import type { Reading } from './work.ts';

/** Newest first unless `_sort` says otherwise. Each type has to know all the parameters. */
export async function searchTypes(
  reading: Reading,
  types: readonly string[],
  query: string,
  choice: SearchChoice = {},
): Promise<SearchResult> {
  const { requests, plan } = await systemRequest(reading, types, query, choice);
  const [first] = requests;
  const page = await reading.resources.searchTypes(plan);
  return {
    matches: page.matches,
    included: await includedWith(reading, page.matches, includesOf(requests)),
    total: page.total,
    ...linksOf(first.self, first.plan, page),
    ignored: first.ignored,
    unfinished: [...new Set(requests.flatMap((request) => request.unfinished))],
  };
}

export interface SystemRequest {
  /** One a type, in the order of the plan's parts. */
  readonly requests: readonly [SearchRequest, ...SearchRequest[]];
  readonly plan: SystemPlan;
}

/** What a search over several types asks. Throws Refusal as `searchTypes`. */
export async function systemRequest(
  reading: Asking,
  types: readonly string[],
  query: string,
  choice: SearchChoice = {},
): Promise<SystemRequest> {
  const requests = await understand(reading, (answers) => {
    const read = (asked: string): readonly SearchRequest[] =>
      types.map((type) => requestOf(reading, type, asked, { ...choice, answers }));
    // What one type does not know is left out for all.
    const ignored = new Set(read(query).flatMap((request) => request.ignored));
    return read(without(query, ignored)).map((request) => ({ ...request, ignored: [...ignored] }));
  });
  const [first, ...others] = requests;
  if (!first) throw badRequest('a search is for one resource type at least', '_type');
  const plans = requests.map(({ plan }) => within(reading.parts, plan, choice.compartment));
  const { count, after, before, total: counting } = first.plan;
  const plan: SystemPlan = {
    parts: partsOf(plans),
    count,
    after,
    ...(before === undefined ? {} : { before }),
    total: counting === 'none' ? 'none' : 'accurate',
  };
  return { requests: [first, ...others], plan };
}

const newestFirst: readonly SortKey[] = [{ by: { kind: 'lastUpdated' }, descending: true }];

/** Throws Refusal `bad-request` where the types would have to be sorted by values that cannot be compared. */
function partsOf(plans: readonly Plan[]): readonly SystemPart[] {
  const kindsOf = ({ order }: Plan): string => order.map(({ by }) => by.kind).join();
  if (new Set(plans.map(kindsOf)).size > 1) {
    throw badRequest('these types are not sorted by values of one kind', '_sort');
  }
  return plans.map(({ type, where, order }) => ({
    type,
    where,
    order: order.length === 0 ? newestFirst : order,
  }));
}

const without = (query: string, keys: ReadonlySet<string>): string =>
  keys.size === 0
    ? query
    : String(new URLSearchParams([...new URLSearchParams(query)].filter(([key]) => !keys.has(key))));

function requestOf(
  { parts: { index, base } }: Asking,
  type: string,
  query: string,
  choice: SearchChoice & { readonly answers: Answers },
): SearchRequest {
  admitType(index, type);
  return index.request(type, query, { ...pageLimits(base(), choice), answers: choice.answers });
}

/** Each once. */
const includesOf = (requests: readonly SearchRequest[]): readonly Include[] => [
  ...new Map(
    requests.flatMap(({ includes }) => includes.map((include) => [JSON.stringify(include), include])),
  ).values(),
];

/** There are not as many types. */
const mostTypes = 200;

/** Takes `_type=Patient,Observation` out of a query. Throws Refusal `bad-request` where it is there too often. */
export function typesIn(query: string): { readonly types: readonly string[]; readonly query: string } {
  const pairs = query.split('&');
  const isType = (pair: string): boolean => pair.startsWith('_type=');
  const named = fieldsOf(pairs.filter(isType).join('&'), mostTypes).getAll('_type');
  return {
    types: [...new Set(named.flatMap((value) => value.split(',')))],
    query: pairs.filter((pair) => !isType(pair)).join('&'),
  };
}
