// GET [base]/[type]?… and POST [base]/[type]/_search: https://hl7.org/fhir/R4/http.html#search
import type { Exchange, FhirAnswer, FhirParts, Interaction } from './interaction.ts';
import { lenientIn } from './prefer.ts';
import { refuseHiddenConditions } from './search-access.ts';
import { answerFound, askedOf } from './search-answer.ts';

const searchType = { name: 'search-type', access: 's', mayWait: true, answer: answerSearch } as const;

/** By POST as a form, and by GET at the same path, as some clients do. */
export const searchTypeInteractions: readonly Interaction[] = [
  {
    ...searchType,
    method: 'GET',
    path: '/:type',
    takes: 'nothing',
    capability: { level: 'type', codes: ['search-type'] },
  },
  { ...searchType, method: 'GET', path: '/:type/_search', takes: 'nothing' },
  { ...searchType, method: 'POST', path: '/:type/_search', takes: 'form' },
];

async function answerSearch(parts: FhirParts, exchange: Exchange): Promise<FhirAnswer> {
  const { actor, type, headers } = exchange;
  const query = askedOf(exchange);
  const lenient = lenientIn(headers);
  refuseHiddenConditions(parts, actor, { type, query, lenient });
  const result = await parts.repository.as(actor).search(type, query, { lenient });
  return answerFound(exchange, `/${type}`, result);
}
