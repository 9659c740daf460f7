// GET [base]/[type]?… and POST [base]/[type]/_search: https://hl7.org/fhir/R4/http.html#search
import type { Exchange, FhirAnswer, FhirParts, Interaction } from './interaction.ts';
import { lenientIn } from './prefer.ts';
import { refuseHiddenConditions } from './search-access.ts';
import { answerFound, askedOf } from './search-answer.ts';

export const searchTypeInteraction: Interaction = {
  name: 'search-type',
  method: 'GET',
  path: '/:type',
  access: 's',
  takes: 'nothing',
  capability: { level: 'type', codes: ['search-type'] },
  mayWait: true,
  answer: answerSearch,
};

export const postedSearchInteraction: Interaction = {
  name: 'search-type',
  method: 'POST',
  path: '/:type/_search',
  access: 's',
  takes: 'form',
  mayWait: true,
  answer: answerSearch,
};

async function answerSearch(parts: FhirParts, exchange: Exchange): Promise<FhirAnswer> {
  const { actor, type, headers } = exchange;
  const query = askedOf(exchange);
  const lenient = lenientIn(headers);
  refuseHiddenConditions(parts, actor, { type, query, lenient });
  const result = await parts.repository.as(actor).search(type, query, { lenient });
  return answerFound(exchange, `/${type}`, result);
}
