// A request's body as bytes, up to a limit.
import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import type { BodyRoom, BodyShare } from './body-room.ts';
import { decodedBody, notDecoded } from './compression.ts';
import { GatheredBytes } from './gathered-bytes.ts';

export interface BodyLimits {
  /** Bytes. */
  readonly body: number;
  /** Of the content of a Binary, sent as what it is, bytes. */
  readonly content: number;
  /** What all bodies have together. */
  readonly room: BodyRoom;
}

/** Bytes that are put together in a millisecond. */
const longBody = 2 ** 21;

/**
 * Rejects with Refusal `too-large` as soon as the limit (bytes) is passed, by what a compressed body holds too; `unavailable` where
 * `share` has no room for it; `unsupported-media-type` for one that is compressed otherwise than by gzip, and `bad-request` when the
 * sender breaks off. What it holds is for the caller to release, also when it rejects.
 */
export async function readBody(
  request: IncomingMessage,
  limit: number,
  share: BodyShare,
): Promise<Uint8Array> {
  refuseLength(request, limit);
  const refusal = share.refusing(lengthOf(request));
  if (refusal !== undefined) throw refusal;
  const body = decodedBody(request);
  const pieces = new GatheredBytes();
  let size = 0;
  const keep: Take = (piece) => {
    size += piece.length;
    if (size > limit) return tooLarge(limit);
    pieces.push(piece);
    return share.take(piece.length);
  };
  await (body === request ? taken(request, keep) : unzipped(request, body, keep));
  return joined(pieces.take());
}

async function joined(chunks: readonly Uint8Array[]): Promise<Uint8Array> {
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

function refuseLength(request: IncomingMessage, limit: number): void {
  if (lengthOf(request) > limit) throw tooLarge(limit);
}

const lengthOf = ({ headers }: IncomingMessage): number => Number(headers['content-length'] ?? 0);

/** Takes a piece; answers why no more is taken. */
type Take = (piece: Buffer) => Refusal | undefined;

function taken(request: IncomingMessage, take: Take): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (piece: Buffer): void => {
      const refusal = take(piece);
      if (refusal === undefined) return;
      passOver(request.off('data', next), refusal);
      reject(refusal);
    };
    request
      .on('data', next)
      .once('end', () => resolve())
      .once('error', () => reject(badRequest('the request broke off')))
      // Every request closes; an error is made only of one that did so too early.
      .once('close', () => {
        if (!request.complete) reject(badRequest('the request broke off'));
      });
  });
}

/** What is left of a body that is refused. Of one that is too large nothing more is read: its connection is ended. */
function passOver(request: IncomingMessage, { code }: Refusal): void {
  if (code === 'too-large') request.pause();
  else request.resume();
}

/** As `taken`, of what was compressed: little can become much. */
function unzipped(request: IncomingMessage, body: Readable, take: Take): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (refusal: Refusal): void => {
      body.destroy();
      passOver(request, refusal);
      reject(refusal);
    };
    body
      .on('data', (piece: Buffer) => {
        const refusal = take(piece);
        if (refusal !== undefined) fail(refusal);
      })
      .once('end', () => resolve())
      .once('error', () => fail(notDecoded()));
    request.once('close', () => {
      if (!request.complete) fail(badRequest('the request broke off'));
    });
  });
}

/** `limit`: bytes. */
export const tooLarge = (limit: number): Refusal =>
  new Refusal('too-large', `a body may have ${limit} bytes at most; send it in parts`);
