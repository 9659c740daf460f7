// The rows of large contents: a content is a number; its pieces are numbered with it, so that they lie side by side.
import { createHash } from 'node:crypto';
import { digestOf, type ContentWriter, type StoredContent } from '../content-store.ts';
import type { Connection } from './connection.ts';
import type { Scope } from './scope.ts';

/** Bytes of a piece, but for the last one. */
export const pieceBytes = 256 * 1024;

/** A content has less than 2^24 pieces: 4 TiB. */
const span = 2 ** 24;

/** The number of a piece; `place` counts from 0. */
const pieceNumber = (content: number, place: number): number => content * span + place;

/** A new content, of which nothing is known yet. Its number was never that of another one. */
export function beginContent(connection: Connection): number {
  const sql = `INSERT INTO content (size, digest) VALUES (0, '') RETURNING number`;
  const row = connection.row<{ number: number }>(sql);
  if (row === undefined) throw new Error('a content got no number');
  return row.number;
}

/** Writes `bytes` as pieces from this place on; the place after them. */
export function putPieces(connection: Connection, content: number, place: number, bytes: Uint8Array): number {
  let next = place;
  for (let start = 0; start < bytes.length; start += pieceBytes, next += 1) {
    const piece = bytes.subarray(start, start + pieceBytes);
    connection.run('INSERT INTO content_piece VALUES (?, ?)', pieceNumber(content, next), piece);
  }
  return next;
}

export function endContent(
  connection: Connection,
  content: number,
  size: number,
  digest: string,
): StoredContent {
  connection.run('UPDATE content SET size = ?, digest = ? WHERE number = ?', size, digest, content);
  return { id: String(content), size, digest };
}

export const readPiece = (connection: Connection, content: number, place: number): Uint8Array | undefined =>
  connection.row<{ bytes: Uint8Array }>(
    'SELECT bytes FROM content_piece WHERE number = ?',
    pieceNumber(content, place),
  )?.bytes;

/** Whether all pieces are there, and are together what was kept. */
export function isSound(connection: Connection, content: number): boolean {
  const sql = 'SELECT size, digest FROM content WHERE number = ?';
  const row = connection.row<{ size: number; digest: string }>(sql, content);
  const hash = createHash('sha256');
  let size = 0;
  let place = 0;
  for (
    let piece = readPiece(connection, content, place);
    piece;
    piece = readPiece(connection, content, place)
  ) {
    hash.update(piece);
    size += piece.length;
    place += 1;
  }
  return row?.size === size && row.digest === hash.digest('base64url');
}

/** What a version has apart from its body. */
export function contentOf(connection: Connection, rid: number, version: number): StoredContent | undefined {
  const row = connection.row<{ number: number; size: number; digest: string }>(
    'SELECT number, size, digest FROM content_use JOIN content ON number = content WHERE rid = ? AND version = ?',
    rid,
    version,
  );
  return row && { id: String(row.number), size: row.size, digest: row.digest };
}

export function useContent(
  connection: Connection,
  rid: number,
  version: number,
  content: StoredContent,
): void {
  connection.run('INSERT INTO content_use VALUES (?, ?, ?)', rid, version, Number(content.id));
}

/** Contents that no version names. */
export const unusedContents = (connection: Connection): readonly number[] =>
  connection
    .rows<{ number: number }>(
      'SELECT number FROM content WHERE number NOT IN (SELECT content FROM content_use)',
    )
    .map(({ number }) => number);

/** Takes the first so many pieces of a content that no version names; without any left, the content itself. Whether there is more to take. */
export function dropPieces(connection: Connection, content: number, limit: number): boolean {
  if (connection.row('SELECT 1 FROM content_use WHERE content = ?', content) !== undefined) return false;
  const dropped = connection.run(
    `DELETE FROM content_piece WHERE number IN
      (SELECT number FROM content_piece WHERE number >= ? AND number < ? ORDER BY number LIMIT ?)`,
    pieceNumber(content, 0),
    pieceNumber(content + 1, 0),
    limit,
  );
  if (dropped === limit) return true;
  connection.run('DELETE FROM content WHERE number = ?', content);
  return false;
}

export class SqliteContentWriter implements ContentWriter {
  readonly #connection: Connection;
  readonly #scope: Scope;

  constructor(connection: Connection, scope: Scope) {
    this.#connection = connection;
    this.#scope = scope;
  }

  async put(bytes: Uint8Array): Promise<StoredContent> {
    this.#scope.check();
    const content = beginContent(this.#connection);
    putPieces(this.#connection, content, 0, bytes);
    return endContent(this.#connection, content, bytes.length, digestOf(bytes));
  }
}
