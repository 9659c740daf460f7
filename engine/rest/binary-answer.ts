// A Binary on its way out: as the bytes that it stands for, or as a resource with them in it. Neither is ever held whole.
import type { BodyStream, HttpAnswer } from '../kernel/http-route.ts';
import { parseResource, writeJson } from '../fhir/exact-json.ts';
import type { FhirResource } from '../fhir/resource.ts';
import { unmarked } from '../fhir/subset.ts';
import type { ContentReader, StoredContent } from '../storage/content-store.ts';
import { presented, type FormatParts, type Wish } from './answer-format.ts';
import { isPrintable } from './binary.ts';
import type { FhirAnswer } from './interaction.ts';

/** Base64 characters that are decoded at once; a multiple of four. */
const decodedAtOnce = 256 * 1024;

/** The content of a Binary for those who do not ask for it in a format of FHIR; undefined where it cannot be told of what type it is. */
export function contentAnswer(answer: FhirAnswer, contents: ContentReader): HttpAnswer | undefined {
  if (answer.status !== 200 || typeof answer.body !== 'string') return undefined;
  const [{ contentType, securityContext }, data] = factsAndData(answer.body);
  if (typeof contentType !== 'string' || !isPrintable(contentType)) return undefined;
  const context = referenceOf(securityContext);
  const { content } = answer;
  const length = content?.size ?? decodedLength(data);
  return {
    status: 200,
    headers: {
      ...answer.headers,
      'content-type': contentType,
      // What somebody stored must not run as a page of this server.
      'content-security-policy': "sandbox; default-src 'none'",
      ...(length === undefined ? {} : { 'content-length': String(length) }),
      ...(context === undefined ? {} : { 'x-security-context': context }),
    },
    body: content === undefined ? decoded(data) : contents.read(content),
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

/** Bytes; undefined for what is not written as base64 should be. */
function decodedLength(data: string): number | undefined {
  const isRegular = data.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(data);
  return isRegular ? Buffer.byteLength(data, 'base64') : undefined;
}

async function* decoded(data: string): BodyStream {
  for (let start = 0; start < data.length; start += decodedAtOnce) {
    yield Buffer.from(data.slice(start, start + decodedAtOnce), 'base64');
  }
}

/**
 * A Binary whose content is kept apart, as the client wants it: written with a mark in the place of its data, which is then led in as
 * base64. A part without data has no such mark.
 */
export async function wholeBinary(
  parts: FormatParts,
  answer: FhirAnswer & { readonly body: string; readonly content: StoredContent },
  wish: Wish,
  contents: ContentReader,
): Promise<HttpAnswer> {
  const { content } = answer;
  const body = writeJson({ ...unmarked(parseResource(answer.body)), data: content.digest });
  const { status, headers, body: text } = await presented(parts, { ...answer, body }, wish);
  if (typeof text !== 'string') throw new Error('a resource was presented as something else than text');
  // The data is the last element of a Binary.
  const place = text.lastIndexOf(`"${content.digest}"`) + 1;
  const whole = { status, ...(headers && { headers }) };
  if (place === 0) return { ...whole, body: text };
  const [before, after] = [text.slice(0, place), text.slice(place + content.digest.length)];
  return { ...whole, body: withBase64(before, contents.read(content), after) };
}

async function* withBase64(before: string, bytes: AsyncIterable<Uint8Array>, after: string): BodyStream {
  yield before;
  yield* base64Of(bytes);
  yield after;
}

/** Three bytes are four characters: what is left of a piece waits for the next one. */
async function* base64Of(bytes: AsyncIterable<Uint8Array>): BodyStream {
  let rest: Uint8Array = new Uint8Array();
  for await (const piece of bytes) {
    const joined =
      rest.length === 0
        ? Buffer.from(piece.buffer, piece.byteOffset, piece.length)
        : Buffer.concat([rest, piece]);
    const whole = joined.length - (joined.length % 3);
    yield joined.toString('base64', 0, whole);
    // A copy: the piece is good no longer.
    rest = Buffer.from(joined.subarray(whole));
  }
  if (rest.length > 0) yield Buffer.from(rest).toString('base64');
}
