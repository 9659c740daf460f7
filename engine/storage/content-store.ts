// The port to large contents: bytes that are kept apart from the resource that they belong to, and never held whole. Promises, for every
// implementation: what is read is what was kept, byte for byte, or the reading fails; nobody sees a content before the version that
// names it is committed; what no version names goes again, also after a crash.
import { createHash } from 'node:crypto';

/** Content of this many bytes or more is kept apart; less stays in the resource. */
export const keptApartFrom = 256 * 1024;

export interface StoredContent {
  readonly id: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256, base64url. */
  readonly digest: string;
}

/** A content that is durable, and that a version may name until it is released. */
export interface KeptContent extends StoredContent {
  /** To be called once, after the transaction of the version that was to name it: it goes if none does. */
  release(): Promise<void>;
}

export type ContentStream = AsyncGenerator<Uint8Array, void, undefined>;

export interface ContentReader {
  /**
   * The bytes in order, piece by piece, however long the reader takes; others write meanwhile. Throws before the last piece when they are not
   * those that were kept, and when the content is taken away before the end.
   */
  read(content: StoredContent): ContentStream;
}

export interface ContentStore extends ContentReader {
  /** Writes `bytes` as they come, in short steps. Resolves when all are durable; when `bytes` throws, nothing stays. */
  keep(bytes: AsyncIterable<Uint8Array>): Promise<KeptContent>;
  /**
   * Takes away, in short steps, what no version names and nobody is keeping; how many contents. Asked before each step whether it is to stop: what
   * is left then, a later sweep takes.
   */
  sweep(isStopped?: () => boolean): Promise<number>;
}

/** Inside a transaction. */
export interface ContentWriter {
  /** Writes a content that is at hand whole: for a version of this transaction to name. */
  put(bytes: Uint8Array): Promise<StoredContent>;
}

/** As `StoredContent.digest` has it. */
export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64url');
