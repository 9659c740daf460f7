// A request's body as bytes, up to a limit.
import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { badRequest, Refusal } from '../kernel/outcomes.ts';

/** Bytes that are put together in a millisecond. */
const longBody = 2 ** 21;

/**
 * Rejects with Refusal `too-large` as soon as the limit (bytes) is passed, `unsupported-media-type` for a compressed body, and
 * `bad-request` when the sender breaks off.
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  refuseBody(request, limit);
  await taken(request, limit, (chunk) => void chunks.push(chunk));
  if (chunks.length === 1 && chunks[0]) return chunks[0];
  const body = Buffer.concat(chunks);
  // What is made of it next takes its time too.
  if (body.length > longBody) await nextTurn();
  return body;
}

/** Throws what can be told from the headers. */
export function refuseBody({ headers }: IncomingMessage, limit: number): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Refusal('unsupported-media-type', 'bodies are taken uncompressed', 'Content-Encoding');
  }
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

/** `limit`: bytes. */
export const tooLarge = (limit: number): Refusal =>
  new Refusal('too-large', `a body may have ${limit} bytes at most; send it in parts`);
