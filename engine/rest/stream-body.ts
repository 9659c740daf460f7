// Large answers written piece by piece: no more than a few pieces are in memory, however slow the client reads.
import type { ServerResponse } from 'node:http';
import type { BodyStream } from '../kernel/http-route.ts';

/** Text this short is sent whole, with its length (characters). */
const wholeLength = 1024 * 1024;
/** Small pieces are put together to this length before they are written (characters). */
const writtenLength = 64 * 1024;

/**
 * The pieces as one text when they are few, otherwise a stream that begins with what was taken already. What is refused while the
 * first of them are made is so answered with its own status.
 */
export async function textOrStream(pieces: AsyncIterable<string>): Promise<string | BodyStream> {
  const iterator = pieces[Symbol.asyncIterator]();
  const taken: string[] = [];
  let length = 0;
  while (length <= wholeLength) {
    const next = await iterator.next();
    if (next.done === true) return taken.join('');
    taken.push(next.value);
    length += next.value.length;
  }
  return continued(taken, iterator);
}

/** The same for pieces that are at hand. */
export function textOrPieces(pieces: Iterable<string>): string | BodyStream {
  const iterator = pieces[Symbol.iterator]();
  const taken: string[] = [];
  let length = 0;
  while (length <= wholeLength) {
    const next = iterator.next();
    if (next.done === true) return taken.join('');
    taken.push(next.value);
    length += next.value.length;
  }
  return rest(taken, iterator);
}

async function* rest(taken: readonly string[], iterator: Iterator<string>): BodyStream {
  yield* taken;
  for (let next = iterator.next(); next.done !== true; next = iterator.next()) yield next.value;
}

async function* continued(taken: readonly string[], iterator: AsyncIterator<string>): BodyStream {
  try {
    yield* taken;
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** Writes all pieces and ends the answer. Stops when the client goes away; rejects with what the stream throws. */
export async function writeStream(response: ServerResponse, body: BodyStream): Promise<void> {
  let waiting = '';
  for await (const piece of body) {
    if (typeof piece === 'string') {
      waiting += piece;
      if (waiting.length < writtenLength) continue;
      await write(response, waiting);
      waiting = '';
    } else {
      if (waiting !== '') await write(response, waiting);
      waiting = '';
      await writeThrough(response, piece);
    }
    if (response.destroyed) return;
  }
  response.end(waiting);
}

/** Resolves when the piece is needed no more. */
async function writeThrough(response: ServerResponse, piece: Uint8Array): Promise<void> {
  if (response.destroyed) return;
  await new Promise<void>((resolve) => {
    const goOn = (): void => {
      response.off('close', goOn);
      resolve();
    };
    response.on('close', goOn);
    response.write(piece, goOn);
  });
}

async function write(response: ServerResponse, piece: string): Promise<void> {
  if (response.destroyed || response.write(piece)) return;
  await new Promise<void>((resolve) => {
    const goOn = (): void => {
      response.off('drain', goOn).off('close', goOn);
      resolve();
    };
    response.on('drain', goOn).on('close', goOn);
  });
}
