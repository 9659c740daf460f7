// GET [base]/[type]?… and POST [base]/[type]/_search: https://hl7.org/fhir/R4/http.html#search
import { headerOf } from '../auth/headers.ts';
import { searchsetPieces } from '../fhir/bundles.ts';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import type { Exchange, FhirAnswer, FhirParts, Interaction } from './interaction.ts';
import { preferenceOf } from './prefer.ts';
import { refuseHiddenConditions, refuseHiddenResults } from './search-access.ts';
import { textOrPieces } from './stream-body.ts';

export const searchTypeInteraction: Interaction = {
  name: 'search-type',
  method: 'GET',
  path: '/:type',
  access: 's',
  takes: 'nothing',
  capability: { level: 'type', codes: ['search-type'] },
  answer: (parts, exchange) => answerSearch(parts, exchange, exchange.query),
};

export const postedSearchInteraction: Interaction = {
  name: 'search-type',
  method: 'POST',
  path: '/:type/_search',
  access: 's',
  takes: 'form',
  answer: (parts, exchange) => {
    const form = formText(exchange);
    return answerSearch(parts, exchange, [exchange.query, form].filter((part) => part !== '').join('&'));
  },
};

function formText({ headers, body }: Exchange): string {
  if (body.length === 0) return '';
  const [mediaType = ''] = (headerOf(headers, 'content-type') ?? '').split(';');
  if (mediaType.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    throw new Refusal('unsupported-media-type', 'a posted search is a form', 'Content-Type');
  }
  const text = Buffer.from(body).toString('latin1');
  if (/[^\x20-\x7e]/.test(text)) throw badRequest('a form is percent-encoded ASCII');
  return text;
}

async function answerSearch(parts: FhirParts, exchange: Exchange, query: string): Promise<FhirAnswer> {
  const { actor, type, base, headers } = exchange;
  const { lenient } = preferenceOf(headers);
  refuseHiddenConditions(parts.index, actor, { type, query, lenient, base });
  const result = await parts.repository.as(actor).search(type, query, { lenient });
  refuseHiddenResults(actor, result.included);
  const url = (asked: string): string => `${base}/${type}${asked === '' ? '' : '?'}${asked}`;
  const pieces = searchsetPieces({
    base,
    self: url(result.self),
    next: result.next === undefined ? undefined : url(result.next),
    total: result.total,
    matches: result.matches,
    included: result.included,
    ...(result.ignored.length === 0 ? {} : { outcome: ignoredOutcome(result.ignored) }),
  });
  return { status: 200, body: textOrPieces(pieces) };
}

function ignoredOutcome(ignored: readonly string[]): string {
  const diagnostics = `these parameters are not known and were left out: ${ignored.join(', ')}`;
  const issue = [{ severity: 'warning', code: 'not-supported', diagnostics }];
  return JSON.stringify({ resourceType: 'OperationOutcome', issue });
}
