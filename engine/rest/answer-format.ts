// Bodies between the JSON that all interactions speak and what the client speaks: XML, written for the eye, or only a part.
import { isUtf8 } from 'node:buffer';
import { parseResource, writeJson } from '../fhir/exact-json.ts';
import type { FhirResource } from '../fhir/resource.ts';
import type { Shapes } from '../fhir/shapes/shape.ts';
import { subsetEntries, subsetOf } from '../fhir/subset.ts';
import type { FhirXml } from '../fhir/xml/fhir-xml.ts';
import type { BodyStream, HttpAnswer } from '../kernel/http-route.ts';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import { headerOf, type Headers } from '../auth/headers.ts';
import { createBreath } from '../repository/breath.ts';
import { inForm, jsonForm, xmlForm, type BundleForm } from './answer-pieces.ts';
import { cutEntries } from './async/cut-entries.ts';
import { wrappedJson, wrappedXml, type Response } from './async/wrapped-form.ts';
import { generalParameters, type General } from './general.ts';
import { fhirPath, type FhirAnswer } from './interaction.ts';
import { answerFormat, fhirJson, fhirXml, type Format } from './negotiate.ts';

export interface FormatParts {
  readonly xml: FhirXml;
  readonly shapes: () => Shapes;
}

export interface Wish {
  readonly format: Format;
  readonly general: General;
  /** Whether the answer is a list of resources, not a resource itself. */
  readonly many: boolean;
}

/** The answer as the client wants it. JSON that is wanted whole goes out as it is, and so does what names its own type. */
export async function presented(parts: FormatParts, answer: FhirAnswer, wish: Wish): Promise<HttpAnswer> {
  const { status, headers, body } = answer;
  if (body === undefined) return { status, ...(headers && { headers }) };
  if (isPlain(wish) || headers?.['content-type'] !== undefined) {
    return { status, headers: { 'content-type': fhirJson, ...headers }, body };
  }
  if (typeof body !== 'string' && answer.byEntry === true) {
    return {
      status,
      headers: { ...headers, 'content-type': mediaTypes[wish.format] },
      body: inForm(body, formOf(parts, wish)),
    };
  }
  if (answer.result !== undefined && wish.general.subset === undefined) {
    const { resource, response } = answer.result;
    return {
      status,
      headers: { ...headers, 'content-type': mediaTypes[wish.format] },
      body: inForm(cutEntries(resource), wrappedFormOf(parts, wish, response)),
    };
  }
  return formatted(parts, { ...answer, body: await whole(body) }, wish);
}

const mediaTypes: Readonly<Record<Format, string>> = { json: fhirJson, xml: fhirXml };

function formOf(parts: FormatParts, wish: Wish): BundleForm {
  const { pretty, carried } = wish.general;
  const change = {
    head: (head: FhirResource) => linked(head, carried),
    entry: (entry: unknown) => {
      const { entry: entries } = part(parts, { resourceType: 'Bundle', entry: [entry] }, wish);
      return (entries as readonly unknown[])[0];
    },
  };
  return wish.format === 'json'
    ? jsonForm(pretty, change)
    : xmlForm(pretty, (bundle) => parts.xml.write(bundle, { pretty }), change);
}

const wrappedFormOf = ({ xml }: FormatParts, { format, general }: Wish, response: Response): BundleForm =>
  format === 'json'
    ? wrappedJson(general.pretty, response)
    : wrappedXml((bundle) => xml.write(bundle, { pretty: general.pretty }), response);

/** What is made of the whole; longer streams are refused (characters). */
const mostGathered = 64 * 1024 * 1024;

async function whole(body: string | BodyStream): Promise<string> {
  if (typeof body === 'string') return body;
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  let length = 0;
  for await (const piece of body) {
    pieces.push(typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true }));
    length += piece.length;
    if (length > mostGathered) {
      throw new Refusal('too-large', 'so much comes as plain JSON only, or in pages by _count');
    }
  }
  return pieces.join('');
}

const isPlain = ({ format, general }: Wish): boolean =>
  format === 'json' && !general.pretty && !general.subset;

function formatted(
  parts: FormatParts,
  { status, headers, body }: FhirAnswer & { readonly body: string },
  wish: Wish,
): HttpAnswer {
  return {
    status,
    headers: { ...headers, 'content-type': mediaTypes[wish.format] },
    body: textOf(parts, shown(parts, body, wish), wish),
  };
}

function shown(parts: Pick<FormatParts, 'shapes'>, body: string, wish: Wish): FhirResource {
  const complete = part(parts, parseResource(body), wish);
  return wish.many ? linked(complete, wish.general.carried) : complete;
}

/** The answer as a resource, as much of it as is wanted; undefined where it has none. */
export async function shownResource(
  parts: Pick<FormatParts, 'shapes'>,
  { body }: FhirAnswer,
  wish: Wish,
): Promise<FhirResource | undefined> {
  return body === undefined ? undefined : shown(parts, await whole(body), wish);
}

function part(
  { shapes }: Pick<FormatParts, 'shapes'>,
  resource: FhirResource,
  { general, many }: Wish,
): FhirResource {
  const { subset } = general;
  if (!subset || resource.resourceType === 'OperationOutcome') return resource;
  const isList = many && resource.resourceType === 'Bundle';
  return isList ? subsetEntries(resource, subset, shapes()) : subsetOf(resource, subset, shapes());
}

const textOf = ({ xml }: FormatParts, resource: FhirResource, { format, general }: Wish): string => {
  if (format === 'xml') return xml.write(resource, { pretty: general.pretty });
  return general.pretty ? JSON.stringify(resource, undefined, 2) : writeJson(resource);
};

/** The next page is to look like this one. */
function linked(resource: FhirResource, carried: string): FhirResource {
  const links = resource['link'];
  if (resource.resourceType !== 'Bundle' || !Array.isArray(links)) return resource;
  return { ...resource, link: links.map((link: Link) => ({ ...link, url: withQuery(link.url, carried) })) };
}

interface Link {
  readonly relation: string;
  readonly url: string;
}

const withQuery = (url: string, query: string): string =>
  query === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`;

/** A refusal under the FHIR base in the format that was asked for; a wish that cannot be understood or met is not heeded. */
export function presentedRefusal(
  parts: FormatParts,
  answer: HttpAnswer,
  url: string,
  requestHeaders: Headers,
): HttpAnswer {
  const { status, headers, body } = answer;
  const isOurs = url.startsWith(fhirPath) && headers?.['content-type'] === fhirJson;
  if (!isOurs || typeof body !== 'string') return answer;
  try {
    const wish = refusalWish(url, requestHeaders);
    return isPlain(wish) ? answer : formatted(parts, { status, headers, body }, wish);
  } catch (error) {
    if (error instanceof Refusal) return answer;
    throw error;
  }
}

function refusalWish(url: string, headers: Headers): Wish {
  const general = { ...generalParameters(queryOf(url)), subset: undefined };
  return { format: answerFormat(general.format, headerOf(headers, 'accept')), general, many: false };
}

export function queryOf(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? '' : url.slice(mark + 1);
}

/** A body of XML as the JSON that all interactions take. Throws Refusal `bad-request`. */
export async function jsonBody({ xml }: FormatParts, body: Uint8Array): Promise<Uint8Array> {
  if (!isUtf8(body)) throw badRequest('the body is not UTF-8');
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  return Buffer.from(writeJson(await xml.readLong(text, createBreath())));
}
