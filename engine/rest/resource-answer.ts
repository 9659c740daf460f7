// A stored version as an answer: https://hl7.org/fhir/R4/http.html#versioning
import type { OperationOutcome } from '@medplum/fhirtypes';
import { headerOf, type Headers } from '../auth/headers.ts';
import type { Written } from '../repository/repository.ts';
import type { StoredVersion } from '../storage/resource-store.ts';
import type { Exchange, FhirAnswer } from './interaction.ts';
import { httpDate } from './http-date.ts';
import { preferenceOf, type Preference } from './prefer.ts';

/** 200 with the body as it is stored, or 304 when the client has this version. */
export function answerStored(stored: StoredVersion, headers: Headers): FhirAnswer {
  const facts = versionHeaders(stored);
  if (isKnown(stored, facts.etag, headers)) return { status: 304, headers: facts };
  const { body = '', content } = stored;
  return { status: 200, headers: facts, body, ...(content && { content }) };
}

const versionHeaders = (
  stored: StoredVersion,
): { readonly etag: string; readonly 'last-modified': string } => ({
  etag: `W/"${stored.version}"`,
  'last-modified': httpDate(stored.lastUpdated),
});

/** https://hl7.org/fhir/R4/http.html#cread */
function isKnown(stored: StoredVersion, etag: string, headers: Headers): boolean {
  const known = headerOf(headers, 'if-none-match');
  if (known !== undefined) return known === '*' || known.split(',').some((one) => sameEtag(one, etag));
  const since = headerOf(headers, 'if-modified-since');
  // HTTP dates count seconds.
  return since !== undefined && Math.floor(stored.lastUpdated / 1000) * 1000 <= Date.parse(since);
}

const sameEtag = (written: string, etag: string): boolean => {
  const trimmed = written.trim();
  return trimmed === etag || `W/${trimmed}` === etag;
};

/** 201 or 200, with what the client prefers to get back. */
export function answerWritten({ stored, outcome }: Written, exchange: Exchange): FhirAnswer {
  const { version, type, id } = stored;
  const location = `${exchange.base}/${type}/${id}/_history/${version}`;
  const preference = preferenceOf(exchange.headers);
  const headers = { ...versionHeaders(stored), location, ...appliedHeader(preference) };
  const status = outcome === 'created' ? 201 : 200;
  switch (preference.return) {
    case 'minimal':
      return { status, headers };
    case 'OperationOutcome':
      return { status, headers, body: JSON.stringify(told(`${type}/${id} is ${outcome}`)) };
    case 'representation':
      return { status, headers, body: stored.body ?? '' };
  }
}

/** https://www.rfc-editor.org/rfc/rfc7240#section-3 */
const appliedHeader = ({ stated, return: returned }: Preference): Readonly<Record<string, string>> =>
  stated ? { 'Preference-Applied': `return=${returned}` } : {};

/** An outcome with nothing wrong in it. */
export const told = (diagnostics: string): OperationOutcome => ({
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'information', code: 'informational', diagnostics }],
});

/** 204, and which version the deletion is; who prefers an outcome gets 200 with one. */
export function answerDeleted(written: Written | undefined, requestHeaders: Headers): FhirAnswer {
  const headers = written && { etag: `W/"${written.stored.version}"` };
  if (preferenceOf(requestHeaders).return !== 'OperationOutcome') {
    return { status: 204, ...(headers && { headers }) };
  }
  const text = written
    ? `${written.stored.type}/${written.stored.id} is deleted`
    : 'nothing was there to be deleted';
  return { status: 200, ...(headers && { headers }), body: JSON.stringify(told(text)) };
}
