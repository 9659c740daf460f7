// A request's body as bytes, up to a limit.
import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import { decodedBody, notDecoded } from './compression.ts';

/** Bytes that are put together in a millisecond. */
const longBody = 2 ** 21;

/**
 * Rejects with Refusal `too-large` as soon as the limit (bytes) is passed, by what a compressed body holds too;
 * `unsupported-media-type` for one that is compressed otherwise than by gzip, and `bad-request` when the sender breaks off.
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  refuseLength(request, limit);
  const body = decodedBody(request);
  const keep = (chunk: Buffer): void => void chunks.push(chunk);
  await (body === request ? taken(request, limit, keep) : unzipped(request, body, limit, keep));
  return joined(chunks);
}

async function joined(chunks: readonly Buffer[]): Promise<Uint8Array> {
  if (chunks.length === 1 && chunks[0]) return chunks[0];
  const body = Buffer.concat(chunks);
  // What is made of it next takes its time too.
  if (body.length > longBody) await nextTurn();
  return body;
}

/** Throws what can be told from the headers of a body that is taken as it comes. */
export function refuseBody(request: IncomingMessage, limit: number): void {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Refusal('unsupported-media-type', 'content is taken uncompressed', 'Content-Encoding');
  }
  refuseLength(request, limit);
}

function refuseLength({ headers }: IncomingMessage, limit: number): void {
  if (Number(headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
}

function taken(request: IncomingMessage, limit: number, take: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let size = 0;
    const measure = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= limit) {
        take(chunk);
        return;
      }
      request.off('data', measure).pause();
      reject(tooLarge(limit));
    };
    request
      .on('data', measure)
      .once('end', () => resolve())
      .once('error', () => reject(badRequest('the request broke off')))
      // Every request closes; an error is made only of one that did so too early.
      .once('close', () => {
        if (!request.complete) reject(badRequest('the request broke off'));
      });
  });
}

/** As `taken`, of what was compressed: little can become much. */
function unzipped(
  request: IncomingMessage,
  body: Readable,
  limit: number,
  take: (chunk: Buffer) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let size = 0;
    const fail = (refusal: Refusal): void => {
      body.destroy();
      reject(refusal);
    };
    body
      .on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= limit) take(chunk);
        else fail(tooLarge(limit));
      })
      .once('end', () => resolve())
      .once('error', () => {
        request.resume();
        fail(notDecoded());
      });
    request.once('close', () => {
      if (!request.complete) fail(badRequest('the request broke off'));
    });
  });
}

/** `limit`: bytes. */
export const tooLarge = (limit: number): Refusal =>
  new Refusal('too-large', `a body may have ${limit} bytes at most; send it in parts`);
