// Binary is stored as FHIR has it and handed over as the bytes that it stands for: https://hl7.org/fhir/R4/binary.html#rest
import { headerOf, type Headers } from '../auth/headers.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { FhirResource } from '../fhir/resource.ts';
import type { General } from './general.ts';

const mediaTypeSyntax = /^[a-z0-9!#$&^_.+-]{1,127}\/[a-z0-9!#$&^_.+-]{1,127}$/;
const fhirTypes = /^(?:application\/(?:fhir\+)?(?:json|xml)|text\/(?:json|xml))$/;
const literal = /^[A-Z][A-Za-z]{1,60}\/[A-Za-z0-9\-.]{1,64}$/;

const mediaTypeOf = (contentType: string): string => (contentType.split(';')[0] ?? '').trim().toLowerCase();

/** Whether a body sent to Binary is content of its own type, and not a resource in one of FHIR's formats. */
export function isContent(headers: Headers): boolean {
  const contentType = headerOf(headers, 'content-type');
  return contentType !== undefined && !fhirTypes.test(mediaTypeOf(contentType));
}

/** The Binary that content is to be, but for the content. Throws Refusal `bad-request` for headers that say nothing. */
export function binaryOf(headers: Headers, id: string): FhirResource {
  const contentType = headerOf(headers, 'content-type') ?? '';
  if (!mediaTypeSyntax.test(mediaTypeOf(contentType)) || !isPrintable(contentType)) {
    throw badRequest('the content type is none', 'Content-Type');
  }
  const context = headerOf(headers, 'x-security-context');
  if (context !== undefined && !literal.test(context)) {
    throw badRequest('a reference such as Patient/123 is expected', 'X-Security-Context');
  }
  return {
    resourceType: 'Binary',
    ...(id === '' ? {} : { id }),
    contentType,
    ...(context === undefined ? {} : { securityContext: { reference: context } }),
  };
}

/** Whether it can be said in a header. */
export const isPrintable = (text: string): boolean => /^[\x20-\x7e]{1,255}$/.test(text);

/** Whether the content itself is wanted: whenever no format of FHIR, nor a part of the resource, is asked for by name. */
export function wantsContent({ format, pretty, subset }: General, headers: Headers): boolean {
  if (format !== undefined || pretty || subset) return false;
  return !(headerOf(headers, 'accept') ?? '*/*')
    .split(',')
    .some((range) => fhirTypes.test(mediaTypeOf(range)));
}
