// Formats: this server speaks JSON. https://hl7.org/fhir/R4/http.html#mime-type
import { Refusal } from '../kernel/outcomes.ts';

export const fhirJson = 'application/fhir+json; charset=utf-8';

const offered = new Set(['application/fhir+json', 'application/json', 'application/*', '*/*', 'text/json']);
/** `+` in a query is a space to those who did not encode it. */
const formats = new Set([
  'json',
  'application/json',
  'application/fhir+json',
  'application/fhir json',
  'text/json',
]);
const received = new Set(['application/fhir+json', 'application/json']);

export interface General {
  /** The query without these parameters. */
  readonly query: string;
  readonly format: string | undefined;
  readonly pretty: boolean;
}

/** Takes out the parameters that go with every interaction: https://hl7.org/fhir/R4/http.html#parameters */
export function generalParameters(query: string): General {
  if (!query.includes('_format=') && !query.includes('_pretty=')) {
    return { query, format: undefined, pretty: false };
  }
  const kept = query.split('&').filter((pair) => !/^_(?:format|pretty)=/.test(pair));
  const parameters = new URLSearchParams(query);
  return {
    query: kept.join('&'),
    format: parameters.get('_format') ?? undefined,
    pretty: parameters.get('_pretty') === 'true',
  };
}

/** Throws Refusal `not-acceptable` when the client takes no JSON; `_format` counts more than Accept. */
export function checkAcceptable(format: string | undefined, accept: string | undefined): void {
  if (format !== undefined) {
    if (!formats.has(format)) throw notAcceptable('_format');
    return;
  }
  if (accept === undefined || offered.has(accept)) return;
  if (!accept.split(',').some(isOffered)) throw notAcceptable('Accept');
}

function isOffered(range: string): boolean {
  const [mediaType = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
  return offered.has(mediaType) && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
}

const notAcceptable = (place: string): Refusal =>
  new Refusal('not-acceptable', 'answers come as application/fhir+json only', place);

/** Throws Refusal `unsupported-media-type` for a body that is not FHIR JSON in UTF-8. */
export function checkContentType(contentType: string | undefined): void {
  const [mediaType = '', ...parameters] = (contentType ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.replaceAll('"', '');
  if (received.has(mediaType) && (charset === undefined || charset === 'charset=utf-8')) return;
  throw new Refusal('unsupported-media-type', 'a body is application/fhir+json in UTF-8', 'Content-Type');
}
