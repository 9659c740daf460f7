// The words that resources should be found by, against those that the text index has. The index cannot be asked which words a document
// has, but how many, and which documents have a word: as many words, and each of them there, are the same words.
import type { Connection } from './connection.ts';
import { wordQuery } from './text-index.ts';

/** So many are held at a time, of some thousands of resources. */
const mostHeld = 500_000;

const docSizeSql = 'SELECT word_count(sz) AS words FROM text_index_docsize WHERE id = ?';
const documentsSql = 'SELECT rowid AS rid FROM text_index WHERE text_index MATCH ? AND rowid BETWEEN ? AND ?';

export class WordComparison {
  readonly #connection: Connection;
  #ridsOf = new Map<string, number[]>();
  #held = 0;
  #differing = new Set<number>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** To be told of resources in the order of their rids. */
  expect(rid: number, words: ReadonlySet<string>): void {
    const stored = this.#connection.row<{ words: number }>(docSizeSql, rid)?.words ?? 0;
    if (stored !== words.size) this.#differing.add(rid);
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

  /** Those of the resources told since the last time that have other words. */
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
    const documents = this.#connection.rows<{ rid: number }>(documentsSql, wordQuery(word), first, last);
    const found = new Set(documents.map(({ rid }) => rid));
    for (const rid of rids) if (!found.has(rid)) this.#differing.add(rid);
  }
}
