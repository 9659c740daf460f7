// The words of human text, in SQLite's full-text index: one document a resource, each word led by its parameter's number
// (`17:anaemia`), and the bare `17:` says that the resource has text under that parameter. https://sqlite.org/fts5.html
import type { IndexEntry } from '../../search/index-entry.ts';
import type { Condition, Leaf } from '../../search/plan.ts';
import type { Connection } from './connection.ts';
import type { Numbers } from './names.ts';

/** Documents that are written in a few milliseconds: no more are held. */
const mostHeld = 2_000;

/** All of these words, as the index is asked for them; without words: any text of the parameter. */
export function textQuery(parameter: number, words: Extract<Leaf, { kind: 'text' }>['words']): string {
  const terms = words.map(({ word, prefix }) => `${phrase(`${parameter}:${word}`)}${prefix ? ' *' : ''}`);
  return terms.length === 0 ? phrase(`${parameter}:`) : terms.join(' AND ');
}

/** One word as `wordsOf` gives it, for those that have it. */
export const wordQuery = (word: string): string => phrase(word);

/** The index ends its texts at a zero, and parts words at spaces: neither is in a folded word. */
const phrase = (term: string): string => `"${wordKey(term).replaceAll('"', '""')}"`;
const partsWords = /[\u0000\s\p{Z}]/u;
const allThatParts = new RegExp(partsWords, 'gu');
const wordKey = (word: string): string =>
  partsWords.test(word) ? word.replaceAll(allThatParts, '\uFFFD') : word;

/** Whether the answer depends on this index: on words, or on there being none. */
export function asksForText(condition: Condition): boolean {
  switch (condition.op) {
    case 'every':
    case 'none':
      return false;
    case 'leaf':
      return condition.leaf.kind === 'text' || condition.leaf.kind === 'missing';
    case 'and':
    case 'or':
      return condition.of.some(asksForText);
    case 'not':
      return asksForText(condition.of);
    case 'points-at':
    case 'pointed-at-by':
      return asksForText(condition.where);
  }
}

/**
 * Keeps the index. What is set is held until the end of the commit group and then written in one piece, because the index
 * writes a segment of its own at every savepoint.
 */
export class TextIndex {
  readonly #connection: Connection;
  readonly #numbers: Numbers;
  readonly #onUndone: (undo: () => void) => void;
  #pending = new Map<number, TextChange>();

  constructor(connection: Connection, numbers: Numbers, onUndone: (undo: () => void) => void) {
    this.#connection = connection;
    this.#numbers = numbers;
    this.#onUndone = onUndone;
  }

  update(rid: number, next: readonly IndexEntry[], previous: readonly IndexEntry[]): void {
    const words = wordsOf(this.#numbers, next).join(' ');
    const replaced = wordsOf(this.#numbers, previous).join(' ');
    if (words !== replaced) this.#hold(rid, { words, stored: replaced !== '' });
  }

  /** Whatever the index has of the resource, afterwards it has this. */
  rewrite(rid: number, entries: readonly IndexEntry[]): void {
    this.#hold(rid, { words: wordsOf(this.#numbers, entries).join(' '), stored: true });
  }

  /** Writes what is held: before the end of the commit group, and before a search in a transaction that has changed texts. */
  flush(): void {
    if (this.#pending.size === 0) return;
    const flushed = this.#pending;
    this.#pending = new Map();
    this.#onUndone(() => (this.#pending = flushed));
    for (const [rid, { words, stored }] of flushed) {
      if (stored) this.#connection.run('DELETE FROM text_index WHERE rowid = ?', rid);
      if (words !== '') {
        this.#connection.run('INSERT INTO text_index (rowid, words) VALUES (?, ?)', rid, words);
      }
    }
  }

  #hold(rid: number, change: TextChange): void {
    const pending = this.#pending;
    const before = pending.get(rid);
    // What the index itself holds was said by the first change.
    pending.set(rid, before === undefined ? change : { ...change, stored: before.stored });
    this.#onUndone(() => (before === undefined ? pending.delete(rid) : pending.set(rid, before)));
    if (pending.size >= mostHeld) this.flush();
  }
}

/** The words under which a resource is found; none where it has no text. */
export function wordsOf(numbers: Numbers, entries: readonly IndexEntry[]): readonly string[] {
  const marked: string[] = [];
  for (const entry of entries) {
    if (entry.kind !== 'text') continue;
    const mark = `${numbers.intern('parameter', entry.parameter)}:`;
    marked.push(mark);
    for (const word of new Set(entry.folded.split(' '))) if (word !== '') marked.push(mark + wordKey(word));
  }
  return marked;
}

interface TextChange {
  /** Separated by spaces; '' when there are none any more. */
  readonly words: string;
  /** The index has an older document of the resource. */
  readonly stored: boolean;
}
