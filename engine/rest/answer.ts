// An answer on its way out. Headers that every answer has are set here and nowhere else.
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { BodyStream, HttpAnswer } from '../kernel/http-route.ts';
import { writeStream } from './stream-body.ts';

export interface Sending {
  readonly correlationId: string;
  /** Of a session that goes on. */
  readonly setCookie: string | undefined;
  /** The server is about to stop, or the rest of the request is not wanted: the connection is not to be used again. */
  readonly last: boolean;
}

const json = 'application/json; charset=utf-8';
const text = 'text/plain; charset=utf-8';

/** For HEAD Node leaves the body out by itself. */
export function send(response: ServerResponse, answer: HttpAnswer, sending: Sending): void {
  if (answer.stream !== undefined) {
    stream(response, answer.stream, { ...fixedHeaders(sending), ...answer.headers });
    return;
  }
  const [body, mediaType] = bodyOf(answer);
  const headers = headersOf(mediaType, sending);
  if (hasLength(answer.status)) headers['content-length'] = Buffer.byteLength(body);
  response.writeHead(answer.status, Object.assign(headers, answer.headers));
  response.end(body);
}

/** Sends an answer whose body is a stream; rejects with what the stream throws. A HEAD gets the headers alone. */
export async function sendStream(
  response: ServerResponse,
  answer: HttpAnswer,
  body: BodyStream,
  sending: Sending,
): Promise<void> {
  response.writeHead(answer.status, Object.assign(headersOf(undefined, sending), answer.headers));
  if (response.req.method === 'HEAD') {
    response.end();
    await body.return();
  } else await writeStream(response, body);
}

export const isStream = (body: HttpAnswer['body']): body is BodyStream =>
  typeof body === 'object' && Symbol.asyncIterator in body;

function headersOf(mediaType: string | undefined, sending: Sending): Record<string, string | number> {
  const { setCookie, last } = sending;
  const headers: Record<string, string | number> = fixedHeaders(sending);
  if (mediaType !== undefined) headers['content-type'] = mediaType;
  if (setCookie !== undefined) headers['set-cookie'] = setCookie;
  if (last) headers['connection'] = 'close';
  return headers;
}

/** What others wrote (a message, an answer of a receiver) is shown as what it says it is: even HTML must do nothing here. */
const nothingRuns = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const fixedHeaders = ({ correlationId }: Sending): Record<string, string> => ({
  'x-request-id': correlationId,
  'content-security-policy': nothingRuns,
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
});

/** The source is left when the connection closes, whoever closes it. */
function stream(
  response: ServerResponse,
  source: AsyncIterable<string>,
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(200, headers);
  response.flushHeaders();
  const pieces = Readable.from(source);
  response.once('close', () => pieces.destroy());
  pieces.pipe(response);
}

const hasLength = (status: number): boolean => status !== 204 && status !== 304;

function bodyOf({ body }: HttpAnswer): readonly [string | Uint8Array, string | undefined] {
  if (body === undefined) return ['', undefined];
  if (typeof body === 'string') return [body, text];
  if (body instanceof Uint8Array) return [body, 'application/octet-stream'];
  return [JSON.stringify(body), json];
}
