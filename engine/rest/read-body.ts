// A request's body as bytes, up to a limit.
import type { IncomingMessage } from 'node:http';
import { badRequest, Refusal } from '../kernel/outcomes.ts';

/**
 * Rejects with Refusal `too-large` as soon as the limit (bytes) is passed, `unsupported-media-type` for a compressed body, and
 * `bad-request` when the sender breaks off.
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Refusal('unsupported-media-type', 'bodies are taken uncompressed', 'Content-Encoding');
  }
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  return collect(request, limit);
}

function collect(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= limit) return void chunks.push(chunk);
      request.off('data', take).pause();
      reject(tooLarge(limit));
    };
    request
      .on('data', take)
      .once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
      .once('error', () => reject(badRequest('the request broke off')))
      // Every request closes; an error is made only of one that did so too early.
      .once('close', () => {
        if (!request.complete) reject(badRequest('the request broke off'));
      });
  });
}

const tooLarge = (limit: number): Refusal =>
  new Refusal('too-large', `a body may have ${limit} bytes at most; send it in parts`);
