// Binary is stored as FHIR has it and handed over as the bytes that it stands for: https://hl7.org/fhir/R4/binary.html#rest
import { headerOf, type Headers } from '../auth/headers.ts';
import type { BodyStream } from '../kernel/http-route.ts';
import { badRequest } from '../kernel/outcomes.ts';
import { parseResource } from '../fhir/exact-json.ts';
import type { FhirResource } from '../fhir/resource.ts';
import type { General } from './general.ts';
import type { FhirAnswer } from './interaction.ts';

/** Base64 characters that are decoded at once; a multiple of four. */
const decodedAtOnce = 256 * 1024;

const mediaTypeSyntax = /^[a-z0-9!#$&^_.+-]{1,127}\/[a-z0-9!#$&^_.+-]{1,127}$/;
const fhirTypes = /^(?:application\/(?:fhir\+)?(?:json|xml)|text\/(?:json|xml))$/;
const literal = /^[A-Z][A-Za-z]{1,60}\/[A-Za-z0-9\-.]{1,64}$/;

const mediaTypeOf = (contentType: string): string => (contentType.split(';')[0] ?? '').trim().toLowerCase();

/** Whether a body sent to Binary is content of its own type, and not a resource in one of FHIR's formats. */
export function isContent(headers: Headers): boolean {
  const contentType = headerOf(headers, 'content-type');
  return contentType !== undefined && !fhirTypes.test(mediaTypeOf(contentType));
}

/** Content (base64) as the Binary that it is to be. Throws Refusal `bad-request` for headers that say nothing. */
export function binaryOf(data: string, headers: Headers, id: string): FhirResource {
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
    ...(data === '' ? {} : { data }),
  };
}

const isPrintable = (text: string): boolean => /^[\x20-\x7e]{1,255}$/.test(text);

/** The content of a Binary for those who do not ask for it in a format of FHIR; any other answer as it is. */
export function contentOf(answer: FhirAnswer): FhirAnswer {
  if (answer.status !== 200 || typeof answer.body !== 'string') return answer;
  const [{ contentType, securityContext }, data] = factsAndData(answer.body);
  if (typeof contentType !== 'string' || !isPrintable(contentType)) return answer;
  const context = referenceOf(securityContext);
  return {
    status: 200,
    headers: {
      ...answer.headers,
      'content-type': contentType,
      // What somebody stored must not run as a page of this server.
      'content-security-policy': "sandbox; default-src 'none'",
      ...(context === undefined ? {} : { 'x-security-context': context }),
    },
    body: decoded(data),
  };
}

const dataMark = '"data":"';

/** What is told of the content, and the content as base64: cut out of the text, which may be very long, and not parsed. */
function factsAndData(body: string): readonly [FhirResource, string] {
  const start = body.indexOf(dataMark) + dataMark.length;
  const isOnly = start >= dataMark.length && !body.includes(dataMark, start);
  const end = body.indexOf('"', start);
  const data = isOnly ? body.slice(start, end) : '';
  const facts = parseResource(isOnly ? body.slice(0, start) + body.slice(end) : body);
  // What was escaped or has spaces, or is not the Binary's own, is read the longer way.
  if (isOnly && facts['data'] === '' && !/[^A-Za-z0-9+/=]/.test(data)) return [facts, data];
  const { data: whole } = parseResource(body);
  return [facts, typeof whole === 'string' ? whole.replaceAll(/\s/g, '') : ''];
}

function referenceOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('reference' in value)) return undefined;
  return typeof value.reference === 'string' && isPrintable(value.reference) ? value.reference : undefined;
}

async function* decoded(data: string): BodyStream {
  for (let start = 0; start < data.length; start += decodedAtOnce) {
    yield Buffer.from(data.slice(start, start + decodedAtOnce), 'base64');
  }
}

/** Whether the content itself is wanted: whenever no format of FHIR, nor a part of the resource, is asked for by name. */
export function wantsContent({ format, pretty, subset }: General, headers: Headers): boolean {
  if (format !== undefined || pretty || subset) return false;
  return !(headerOf(headers, 'accept') ?? '*/*')
    .split(',')
    .some((range) => fhirTypes.test(mediaTypeOf(range)));
}
