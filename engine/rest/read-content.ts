// The content of a Binary from a request's body: little of it as base64 for the resource, much of it kept apart while it comes in.
import type { IncomingMessage } from 'node:http';
import { freeBytes } from '../kernel/free-bytes.ts';
import { badRequest } from '../kernel/outcomes.ts';
import { keptApartFrom, type ContentStore, type KeptContent } from '../storage/content-store.ts';
import { GatheredBytes } from './gathered-bytes.ts';
import { refuseBody, tooLarge } from './read-body.ts';

export interface SentContent {
  /** Base64; empty where the content is kept. */
  readonly data: string;
  readonly kept: KeptContent | undefined;
}

/** Rejects as `readBody` does. What is kept must be released. */
export async function readContent(
  request: IncomingMessage,
  limit: number,
  contents: Pick<ContentStore, 'keep'>,
): Promise<SentContent> {
  refuseBody(request, limit);
  const bytes = bytesOf(request, limit);
  const first = new GatheredBytes();
  let length = 0;
  for (let next = await bytes.next(); next.done !== true; next = await bytes.next()) {
    first.push(next.value);
    length += next.value.length;
    if (length >= keptApartFrom) return { data: '', kept: await contents.keep(continued(first, bytes)) };
  }
  return { data: Buffer.concat(first.take()).toString('base64'), kept: undefined };
}

type Bytes = AsyncGenerator<Uint8Array, void, undefined>;

/** Each chunk is good until the next one is asked for. */
async function* continued(first: GatheredBytes, bytes: Bytes): Bytes {
  for (const chunk of first.take()) {
    yield chunk;
    freeBytes(chunk);
  }
  for await (const chunk of bytes) {
    yield chunk;
    freeBytes(chunk);
  }
}

/** As they come. The request is left open: who sends too much is to hear so. */
async function* bytesOf(request: IncomingMessage, limit: number): Bytes {
  let size = 0;
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Uint8Array>;
  for (let next = await nextOf(chunks); next.done !== true; next = await nextOf(chunks)) {
    size += next.value.length;
    if (size > limit) throw tooLarge(limit);
    yield next.value;
  }
  if (!request.complete) throw brokenOff();
}

const nextOf = async (chunks: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> => {
  try {
    return await chunks.next();
  } catch (error) {
    throw Object.assign(brokenOff(), { cause: error });
  }
};

const brokenOff = () => badRequest('the request broke off');
