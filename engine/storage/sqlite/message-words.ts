// The index of the words in messages: one document a message. Only which message has which word is kept. What waits to be processed is not in
// it yet; what is not in it after that (its channel wants no index, it cannot be read, it is too long) is in `message_unindexed`. The bytes
// of both are looked through instead.
// https://sqlite.org/fts5.html
import type { Connection } from './connection.ts';
import { isWord, longestWord, wordsOf, type Term } from './message-terms.ts';

/** So much of a message's text is in the index. */
const mostCharacters = 100_000;

const lookedThrough = 'INSERT OR IGNORE INTO message_unindexed (sequence) VALUES (?)';

/**
 * What is set is held until the end of the commit group and then written in one piece, because the index writes a segment of its own at every
 * savepoint.
 */
export class MessageWords {
  readonly #connection: Connection;
  readonly #onUndone: (undo: () => void) => void;
  /** undefined: it is looked through unless it is in the index already. */
  #pending = new Map<number, string | undefined>();

  constructor(connection: Connection, onUndone: (undo: () => void) => void) {
    this.#connection = connection;
    this.#onUndone = onUndone;
  }

  set(sequence: number, text: string): void {
    this.#hold(sequence, text);
  }

  /** It waits no longer: if nothing is set of it, it is looked through. */
  leave(sequence: number): void {
    if (!this.#pending.has(sequence)) this.#hold(sequence, undefined);
  }

  /** Their bytes are gone. */
  forget(sequences: readonly number[]): void {
    const pending = this.#pending;
    for (const sequence of sequences) {
      const before = pending.get(sequence);
      if (!pending.delete(sequence)) continue;
      this.#onUndone(() => pending.set(sequence, before));
    }
    const gone = JSON.stringify(sequences);
    const these = 'IN (SELECT value FROM json_each(?))';
    this.#connection.run(`DELETE FROM message_unindexed WHERE sequence ${these}`, gone);
    this.#connection.run(
      `DELETE FROM message_words WHERE rowid IN (SELECT id FROM message_words_docsize WHERE id ${these})`,
      gone,
    );
  }

  /** Before the end of the commit group, and before a search for text in a transaction. In the order of the rows, as the index wants it. */
  flush(): void {
    if (this.#pending.size === 0) return;
    const flushed = this.#pending;
    this.#pending = new Map();
    this.#onUndone(() => (this.#pending = flushed));
    for (const [sequence, text] of [...flushed].sort(([one], [other]) => one - other)) {
      this.#write(sequence, text);
    }
  }

  #hold(sequence: number, text: string | undefined): void {
    const pending = this.#pending;
    const had = pending.has(sequence);
    const before = pending.get(sequence);
    pending.set(sequence, text);
    this.#onUndone(() => (had ? pending.set(sequence, before) : pending.delete(sequence)));
  }

  #write(sequence: number, text: string | undefined): void {
    const isThere = 'SELECT 1 AS found FROM message_words_docsize WHERE id = ?';
    const known = this.#connection.row(isThere, sequence) !== undefined;
    if (text === undefined) {
      if (!known) this.#connection.run(lookedThrough, sequence);
      return;
    }
    if (known) this.#connection.run('DELETE FROM message_words WHERE rowid = ?', sequence);
    const insert = 'INSERT INTO message_words (rowid, words) VALUES (?, ?)';
    this.#connection.run(insert, sequence, indexedText(text));
    const isWhole = text.length <= mostCharacters;
    this.#connection.run(
      isWhole ? 'DELETE FROM message_unindexed WHERE sequence = ?' : lookedThrough,
      sequence,
    );
  }
}

/** The words of a text, separated by spaces, as far as the index has them. */
export const indexedText = (text: string): string => wordsOf(text.slice(0, mostCharacters));

/** Beginnings of more words than these are looked for in the bytes: so many words lead to enough of them quickly. */
const mostWords = 200;

/**
 * What the index is asked for, so that nothing is missed that has all the terms; undefined where it knows nothing of them. `isExact`: what it
 * finds does have them.
 */
export function indexQuery(
  connection: Connection,
  terms: readonly Term[],
): { readonly match: string; readonly isExact: boolean } | undefined {
  const asked = terms.map((term) => {
    const words = indexedWords(term);
    const known = words.flatMap((word) => alternatives(connection, word) ?? []);
    return { known, isExact: isWord(term) && known.length === 1 };
  });
  const parts = asked.flatMap(({ known }) => known);
  if (parts.length === 0) return undefined;
  return { match: parts.join(' AND '), isExact: asked.every(({ isExact }) => isExact) };
}

/** Of a piece of text, the words that it has whole; of one word, itself. */
function indexedWords(term: Term): readonly Term[] {
  if (isWord(term)) return [term];
  const words = term.text.match(/[\p{L}\p{N}]+/gu) ?? [];
  const goesOn = term.isOpen && /[\p{L}\p{N}]$/u.test(term.text);
  return words
    .map((word, at): Term => ({ text: word, isOpen: goesOn && at === words.length - 1 }))
    .filter(({ isOpen }) => words.length === 1 || !isOpen)
    .map(({ text, isOpen }) =>
      text.length < longestWord ? { text, isOpen } : { text: text.slice(0, longestWord), isOpen: false },
    );
}

/** The word, or any that it is the beginning of; undefined where these are many. */
function alternatives(connection: Connection, { text, isOpen }: Term): string | undefined {
  if (!isOpen) return `"${text}"`;
  const words: string[] = [];
  let next = wordFrom(connection, text);
  while (next?.startsWith(text) === true) {
    if (words.length === mostWords) return undefined;
    words.push(`"${next}"`);
    next = wordFrom(connection, `${next}\u0001`);
  }
  // Nothing begins so: nothing is found, but what is not in the index.
  return words.length === 0 ? `"${text}"` : `(${words.join(' OR ')})`;
}

const wordFrom = (connection: Connection, from: string): string | undefined =>
  connection.row<{ term: string }>('SELECT term FROM message_word WHERE term >= ? LIMIT 1', from)?.term;
