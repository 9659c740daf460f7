// Large contents in SQLite: written while they come in, a few pieces a transaction, and read piece by piece.
import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ContentStore, ContentStream, KeptContent, StoredContent } from '../content-store.ts';
import type { Connection } from './connection.ts';
import {
  beginContent,
  dropPieces,
  endContent,
  pieceBytes,
  putPieces,
  readPiece,
  unusedContents,
} from './content-rows.ts';
import type { GroupCommit } from './group-commit.ts';

/** Bytes of one transaction: few enough that an acknowledgement does not wait for it, and enough for what its fsync costs. */
const writtenAtOnce = 4 * pieceBytes;
/** Pieces that one transaction takes away. */
const droppedAtOnce = 16;

export class SqliteContentStore implements ContentStore {
  readonly #reader: Connection;
  readonly #writer: Connection;
  readonly #commit: GroupCommit;
  /** Contents that a version may still come to name. */
  readonly #kept = new Set<number>();

  /** `reader`: for contents alone, so that they push nothing else out of its pages. */
  constructor(reader: Connection, writer: Connection, commit: GroupCommit) {
    this.#reader = reader;
    this.#writer = writer;
    this.#commit = commit;
  }

  async keep(bytes: AsyncIterable<Uint8Array>): Promise<KeptContent> {
    const number = await this.#step(() => {
      const begun = beginContent(this.#writer);
      this.#kept.add(begun);
      return begun;
    });
    try {
      const content = await this.#written(number, bytes);
      return { ...content, release: () => this.#release(number) };
    } catch (error) {
      await this.#release(number);
      throw error;
    }
  }

  async #written(number: number, bytes: AsyncIterable<Uint8Array>): Promise<StoredContent> {
    const hash = createHash('sha256');
    let place = 0;
    let size = 0;
    for await (const slice of slicesOf(bytes, writtenAtOnce)) {
      hash.update(slice);
      size += slice.length;
      place = await this.#step(() => putPieces(this.#writer, number, place, slice));
    }
    return this.#step(() => endContent(this.#writer, number, size, hash.digest('base64url')));
  }

  async *read({ id, size, digest }: StoredContent): ContentStream {
    const hash = createHash('sha256');
    let left = size;
    for (let place = 0; left > 0; place += 1) {
      const piece = readPiece(this.#reader, Number(id), place);
      if (piece === undefined || piece.length > left) {
        throw new Error('a stored content is not whole any more');
      }
      hash.update(piece);
      left -= piece.length;
      if (left === 0 && hash.digest('base64url') !== digest) {
        throw new Error('a stored content is not what was kept: the file is damaged');
      }
      yield piece;
      await nextTurn();
    }
  }

  async sweep(isStopped = () => false): Promise<number> {
    const unused = unusedContents(this.#reader).filter((number) => !this.#kept.has(number));
    let swept = 0;
    for (const number of unused) if (await this.#drop(number, isStopped)) swept += 1;
    return swept;
  }

  close(): void {
    this.#reader.close();
  }

  async #release(number: number): Promise<void> {
    this.#kept.delete(number);
    await this.#drop(number);
  }

  /** Whether it came to its end. */
  async #drop(number: number, isStopped = () => false): Promise<boolean> {
    while (!isStopped()) {
      if (!(await this.#step(() => dropPieces(this.#writer, number, droppedAtOnce)))) return true;
      await nextTurn();
    }
    return false;
  }

  /** Acknowledgements and reads go first. */
  #step<T>(work: () => T): Promise<T> {
    return this.#commit.run(async () => work(), { canWait: true });
  }
}

/** The same bytes in slices of one length, but for the last one. Each is good until the next one is asked for. */
async function* slicesOf(bytes: AsyncIterable<Uint8Array>, length: number): ContentStream {
  const slice = new Uint8Array(length);
  let filled = 0;
  for await (const chunk of bytes) {
    for (let start = 0; start < chunk.length;) {
      const part = chunk.subarray(start, start + length - filled);
      slice.set(part, filled);
      filled += part.length;
      start += part.length;
      if (filled < length) continue;
      yield slice;
      filled = 0;
    }
  }
  if (filled > 0) yield slice.subarray(0, filled);
}
