// Criteria that stand for one resource, or for those that are to be deleted: https://hl7.org/fhir/R4/http.html#ccreate, #cupdate, #cdelete.
import { multipleMatches, preconditionFailed, Refusal, unavailable } from '../kernel/outcomes.ts';
import type { SearchRequest } from '../search/search-index.ts';
import type { StoredVersion } from '../storage/resource-store.ts';
import { Answers } from '../search/answers.ts';
import { admitType } from './admit.ts';
import { understand } from './answer-questions.ts';
import type { Parts, Reading } from './work.ts';

/**
 * The one resource that matches, or undefined. Throws Refusal `multiple-matches` for more than one, `precondition-failed`
 * where the criteria leave everything in, and what a search refuses.
 */
export async function findOne(
  reading: Reading,
  type: string,
  criteria: string,
): Promise<StoredVersion | undefined> {
  const matches = await firstMatches(reading, type, criteria, 2);
  if (matches.length > 1) throw multipleMatches(withoutValues(type, criteria));
  return matches[0];
}

/** All that match. Throws Refusal `multiple-matches` for more than `limit`, and otherwise as `findOne`. */
export async function findAll(
  reading: Reading,
  type: string,
  criteria: string,
  limit: number,
): Promise<readonly StoredVersion[]> {
  const matches = await firstMatches(reading, type, criteria, limit + 1);
  if (matches.length <= limit) return matches;
  const text = `more than ${limit} resources match ${withoutValues(type, criteria)}; make the criteria more selective`;
  throw new Refusal('multiple-matches', text);
}

async function firstMatches(
  reading: Reading,
  type: string,
  criteria: string,
  count: number,
): Promise<readonly StoredVersion[]> {
  const { plan, unfinished } = await understand(reading, (answers) =>
    understood(reading.parts, type, criteria, answers),
  );
  if (unfinished.length > 0) throw notYet(unfinished);
  if (plan.where.op === 'every') {
    throw preconditionFailed(`the criteria for ${type} are empty: they would match any`);
  }
  const first = { ...plan, order: [], count, after: undefined, total: 'none' } as const;
  return (await reading.resources.search(first)).matches;
}

/** What is done on such a condition could be wrong: a second resource made of what is there already. */
const notYet = (codes: readonly string[]): Refusal =>
  unavailable(
    `not everything is indexed by ${codes.join(', ')} yet, so no condition can be decided by it; try again later`,
  );

/** One text for all spellings of the same criteria. Throws what a search refuses. */
export function normalCriteria(parts: Parts, type: string, criteria: string): string {
  const { self } = understood(parts, type, criteria, new Answers());
  return `${type}?${self.split('&').toSorted().join('&')}`;
}

function understood(parts: Parts, type: string, criteria: string, answers: Answers): SearchRequest {
  admitType(parts.index, type);
  const limits = { lenient: false, base: parts.base(), defaultCount: 2, maximumCount: 2, answers };
  return parts.index.request(type, bareQuery(type, criteria), limits);
}

/** `If-None-Exist` is written as a query, but also seen as `?…` and as `Patient?…`. */
export function bareQuery(type: string, criteria: string): string {
  const start = [`${type}?`, '?'].find((prefix) => criteria.startsWith(prefix)) ?? '';
  return criteria.slice(start.length);
}

/** `Patient?identifier=…`: values may tell who a patient is, and this text goes into logs. */
export function withoutValues(type: string, criteria: string): string {
  const names = [...new URLSearchParams(bareQuery(type, criteria)).keys()];
  return `${type}?${names.map((name) => `${name}=…`).join('&')}`;
}
