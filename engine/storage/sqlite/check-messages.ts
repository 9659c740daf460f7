// Whether messages agree with what they are found by: their bytes with what was noted of them, and the keys and words of the search with
// what stands in the bytes.
import { hash } from 'node:crypto';
import type { Findable, FindableOf } from '../findable.ts';
import type { Connection } from './connection.ts';
import { indexedText } from './message-words.ts';
import { WordComparison } from './word-comparison.ts';

/** `name` is the message, or the number of one that is not there. */
export interface MessageQuestion {
  readonly sql: string;
  readonly problem: string;
}

const ofNobody = (table: string, of = 'message', sequence = 'sequence'): MessageQuestion => ({
  sql: `SELECT DISTINCT '${of} number ' || ${sequence} AS name FROM ${table}
    WHERE ${sequence} NOT IN (SELECT sequence FROM ${of})`,
  problem: `is not there, but in ${table}`,
});

const withoutBytes = (table: string, sequence: string): MessageQuestion => ({
  sql: `SELECT 'message ' || message.id AS name FROM ${table} JOIN message ON message.sequence = ${table}.${sequence}
    WHERE NOT EXISTS (SELECT 1 FROM message_raw WHERE message_raw.sequence = message.sequence)`,
  problem: `has no bytes, but words in ${table}`,
});

export const messageQuestions: readonly MessageQuestion[] = [
  ...['message_raw', 'message_mapped', 'message_answer', 'message_key', 'message_unindexed'].map((table) =>
    ofNobody(table),
  ),
  ofNobody('message_words_docsize', 'message', 'id'),
  withoutBytes('message_words_docsize', 'id'),
  {
    sql: `SELECT 'message ' || message.id AS name FROM message JOIN message_raw USING (sequence) WHERE state <> 'received'
      AND sequence NOT IN (SELECT id FROM message_words_docsize) AND sequence NOT IN (SELECT sequence FROM message_unindexed)`,
    problem: 'is neither in message_words nor in message_unindexed',
  },
  ...['delivery_payload', 'delivery_response'].map((table) => ofNobody(table, 'delivery')),
];

interface CheckedRow {
  readonly sequence: number;
  readonly id: string;
  readonly format: string;
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly has_words: number;
  readonly has_keys: number;
}

/** What has been worked on was given its keys; what has words was given both. */
const kept = `SELECT message.sequence, message.id, format, digest, bytes, docsize.id IS NOT NULL AS has_words,
    docsize.id IS NOT NULL OR state = 'processed' AS has_keys
  FROM message JOIN message_raw ON message_raw.sequence = message.sequence
  LEFT JOIN message_words_docsize AS docsize ON docsize.id = message.sequence ORDER BY message.sequence`;

/** Each difference as a sentence, without values. */
export function* messageProblems(connection: Connection, findableOf: FindableOf): Iterable<string> {
  const words = new WordComparison(connection, 'message_words');
  for (const row of connection.each<CheckedRow>(kept)) {
    if (hash('sha256', row.bytes) !== row.digest) yield `message ${row.id} has other bytes than came`;
    const findable = row.has_keys === 1 ? findableOf(row) : undefined;
    if (findable === undefined) continue;
    if (row.has_words === 1 && findable.isSure) expectWords(words, row, findable);
    yield* keyProblems(connection, row, findable);
    if (words.isFull) yield* otherWords(connection, words);
  }
  yield* otherWords(connection, words);
}

function* otherWords(connection: Connection, words: WordComparison): Iterable<string> {
  const sql = 'SELECT id FROM message WHERE sequence = ?';
  for (const sequence of words.take()) {
    const id = connection.row<{ id: string }>(sql, sequence)?.id ?? '';
    yield `message ${id} has other words in message_words`;
  }
}

function expectWords(words: WordComparison, { sequence }: CheckedRow, { text }: Findable): void {
  const expected = indexedText(text)
    .split(' ')
    .filter((word) => word !== '');
  words.expect(sequence, new Set(expected), expected.length);
}

function* keyProblems(
  connection: Connection,
  { sequence, id }: CheckedRow,
  { keys, holds }: Findable,
): Iterable<string> {
  const sql = 'SELECT name, value FROM message_key WHERE sequence = ?';
  const stored = connection.rows<{ name: string; value: string }>(sql, sequence);
  const isStored = new Set(stored.map(({ name, value }) => `${name}\0${value}`));
  for (const { name, value } of keys) {
    if (!isStored.has(`${name}\0${value}`)) yield `message ${id} lacks a key of ${name} in message_key`;
  }
  for (const { name, value } of stored) {
    if (!holds(value)) yield `message ${id} has a key of ${name} in message_key that does not stand in it`;
  }
}
