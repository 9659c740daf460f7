// What all searches have in common: where the query comes from, and the searchset that answers it.
import { headerOf } from '../auth/headers.ts';
import { searchsetPieces } from '../fhir/bundles.ts';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import { outcomeOf } from '../repository/search-outcome.ts';
import type { SearchResult } from '../repository/repository.ts';
import type { Exchange, FhirAnswer } from './interaction.ts';
import { refuseHiddenResults } from './search-access.ts';
import { textOrPieces } from './stream-body.ts';

/** The query of the url, and that of the form where one was posted. */
export const askedOf = (exchange: Exchange): string =>
  [exchange.query, formText(exchange)].filter((part) => part !== '').join('&');

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

/** `path`: what was searched, under the base; `asked`: parameters that the result does not know of. */
export function answerFound(exchange: Exchange, path: string, result: SearchResult, asked = ''): FhirAnswer {
  const { actor, base } = exchange;
  refuseHiddenResults(actor, result.included);
  const url = (query: string): string => {
    const whole = [asked, query].filter((part) => part !== '').join('&');
    return `${base}${path}${whole === '' ? '' : '?'}${whole}`;
  };
  const outcome = outcomeOf(result);
  const pieces = searchsetPieces({
    base,
    self: url(result.self),
    first: result.first === undefined ? undefined : url(result.first),
    previous: result.previous === undefined ? undefined : url(result.previous),
    next: result.next === undefined ? undefined : url(result.next),
    total: result.total,
    matches: result.matches,
    included: result.included,
    ...(outcome === undefined ? {} : { outcome: JSON.stringify(outcome) }),
  });
  return { status: 200, byEntry: true, body: textOrPieces(pieces) };
}
