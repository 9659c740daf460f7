// Bodies by gzip, both ways: https://www.rfc-editor.org/rfc/rfc9110#section-8.4 A page of resources has a tenth of its length so.
import type { IncomingMessage } from 'node:http';
import { pipeline, Readable, type Transform } from 'node:stream';
import { promisify } from 'node:util';
import { constants, createGunzip, createGzip, gzip } from 'node:zlib';
import { headerOf } from '../auth/headers.ts';
import type { BodyStream, HttpAnswer } from '../kernel/http-route.ts';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import { isStream } from './answer.ts';

/** Shorter texts go out as they are (characters): they fit into a few packets. */
const worthwhile = 4 * 1024;
/** What is compressed at once of a stream (characters). */
const gatheredLength = 64 * 1024;

/** Resources become hardly smaller by more effort. */
const effort = { level: constants.Z_BEST_SPEED };
const zip = promisify<string, typeof effort, Buffer>(gzip);

const texts = /^application\/(?:fhir\+)?(?:json|xml)\b/;

/** Whether the client takes the answer compressed, and it is worth it. */
export const isToCompress = ({ body, headers }: HttpAnswer, request: IncomingMessage): boolean =>
  takesGzip(request) && isLong(body) && isCompressible(headers);

const isLong = (body: HttpAnswer['body']): body is string | BodyStream =>
  typeof body === 'string' ? body.length >= worthwhile : body !== undefined && isStream(body);

export async function compressed(answer: HttpAnswer): Promise<HttpAnswer> {
  const { body, headers } = answer;
  if (!isLong(body)) return answer;
  return {
    ...answer,
    headers: encoded(headers),
    body: typeof body === 'string' ? await zip(body, effort) : zipped(body),
  };
}

/** A HEAD tells the length of what is there. */
function takesGzip({ method, headers }: IncomingMessage): boolean {
  const accepted = headerOf(headers, 'accept-encoding');
  return accepted !== undefined && method !== 'HEAD' && accepted.split(',').some(namesGzip);
}

function namesGzip(one: string): boolean {
  const [name = '', ...parameters] = one.split(';').map((part) => part.trim().toLowerCase());
  return name === 'gzip' && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
}

/** What has a length already is the content of somebody's file. */
const isCompressible = (headers: HttpAnswer['headers'] = {}): boolean =>
  headers['content-length'] === undefined && texts.test(headers['content-type'] ?? '');

const encoded = (headers: HttpAnswer['headers']): Readonly<Record<string, string>> => ({
  ...headers,
  'content-encoding': 'gzip',
  vary: 'accept-encoding, origin',
});

/** Leaving it leaves the body too; what the body throws is thrown here. */
async function* zipped(body: BodyStream): BodyStream {
  yield* through(Readable.from(gathered(body)), createGzip(effort));
}

async function* gathered(body: BodyStream): BodyStream {
  let waiting = '';
  for await (const piece of body) {
    if (typeof piece === 'string') {
      waiting += piece;
      if (waiting.length < gatheredLength) continue;
      yield waiting;
      waiting = '';
    } else {
      if (waiting !== '') yield waiting;
      waiting = '';
      // A copy: the next piece is asked for before this one is compressed.
      yield Buffer.from(piece);
    }
  }
  if (waiting !== '') yield waiting;
}

/** How it ends is heard of by whoever reads. */
function through(source: Readable, transform: Transform): AsyncIterable<Uint8Array> {
  pipeline(source, transform, () => undefined);
  return transform;
}

/** What of a body is the body itself. Throws Refusal `unsupported-media-type` for encodings that are not taken. */
export function decodedBody(request: IncomingMessage): Readable {
  const encoding = headerOf(request.headers, 'content-encoding')?.toLowerCase() ?? 'identity';
  if (encoding === 'identity') return request;
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    throw new Refusal(
      'unsupported-media-type',
      'bodies are taken uncompressed or by gzip',
      'Content-Encoding',
    );
  }
  return request.pipe(createGunzip());
}

/** Of a body that cannot be decoded. */
export const notDecoded = (): Refusal => badRequest('the body is not gzip, or broke off', 'Content-Encoding');
