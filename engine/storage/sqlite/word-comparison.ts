// The words that resources or messages should be found by, against those that their index has. The index cannot be asked which words a document
// has, but how many, and which documents have a word: as many words, and each of them there, are the same words.
import type { Connection } from './connection.ts';
import { wordQuery } from './text-index.ts';

/** So many are held at a time, of some thousands of documents. */
const mostHeld = 500_000;

export class WordComparison {
  readonly #connection: Connection;
  readonly #docSizeSql: string;
  readonly #documentsSql: string;
  #ridsOf = new Map<string, number[]>();
  #held = 0;
  #differing = new Set<number>();

  constructor(connection: Connection, index: 'text_index' | 'message_words') {
    this.#connection = connection;
    this.#docSizeSql = `SELECT word_count(sz) AS words FROM ${index}_docsize WHERE id = ?`;
    this.#documentsSql = `SELECT rowid AS rid FROM ${index} WHERE ${index} MATCH ? AND rowid BETWEEN ? AND ?`;
  }

  /** To be told of documents in the order of their numbers. `count`: with each word as often as it stands there. */
  expect(rid: number, words: ReadonlySet<string>, count = words.size): void {
    const stored = this.#connection.row<{ words: number }>(this.#docSizeSql, rid)?.words ?? 0;
    if (stored !== count) this.#differing.add(rid);
    for (const word of words) {
      const rids = this.#ridsOf.get(word);
      if (rids === undefined) this.#ridsOf.set(word, [rid]);
      else rids.push(rid);
    }
    this.#held += words.size;
  }

  get isFull(): boolean {
    return this.#held >= mostHeld;
  }

  /** Those of the documents told since the last time that have other words. */
  take(): readonly number[] {
    for (const [word, rids] of this.#ridsOf) this.#lookFor(word, rids);
    const differing = [...this.#differing];
    this.#ridsOf = new Map();
    this.#held = 0;
    this.#differing = new Set();
    return differing;
  }

  #lookFor(word: string, rids: readonly number[]): void {
    const [first = 0, last = first] = [rids[0], rids.at(-1)];
    const documents = this.#connection.rows<{ rid: number }>(
      this.#documentsSql,
      wordQuery(word),
      first,
      last,
    );
    const found = new Set(documents.map(({ rid }) => rid));
    for (const rid of rids) if (!found.has(rid)) this.#differing.add(rid);
  }
}
