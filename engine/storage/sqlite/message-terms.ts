// What a person looks for in messages: words, and pieces of text with punctuation or in quotes; and whether bytes hold all of it.
import { isAscii, isUtf8 } from 'node:buffer';
import { badRequest } from '../../kernel/outcomes.ts';
import { foldLetters, foldString } from '../../search/fold-string.ts';

/** Folded: without case, accents and apostrophes. It begins where a word begins, and ends where one ends unless it is open. */
export interface Term {
  readonly text: string;
  readonly isOpen: boolean;
}

const mostCharacters = 500;
/** Longer words are known by their beginning. */
export const longestWord = 40;

const pieces = /"([^"]*)"|([^\s"]+)/g;

/** Words, `words*` that are open, and "pieces in quotes"; what comes last is open too. Throws Refusal `bad-request` where it is too long. */
export function readTerms(text: string): readonly Term[] {
  if (text.length > mostCharacters) throw badRequest(`text has at most ${mostCharacters} characters`, 'text');
  const found = [...text.matchAll(pieces)];
  return found.flatMap(([whole, quoted, bare = ''], at) => {
    const isLast = at === found.length - 1;
    const isOpen = quoted === undefined && (isLast || bare.endsWith('*'));
    const folded = folding(quoted ?? (whole.length > 1 ? bare.replace(/\*$/, '') : bare));
    return folded === '' ? [] : [{ text: folded, isOpen }];
  });
}

const folding = (text: string): string => foldLetters(text).replaceAll(/\s+/g, ' ').trim();

/** Nothing but one word that the index knows whole. */
export const isWord = ({ text }: Term): boolean =>
  text.length <= longestWord && /^[\p{L}\p{N}]+$/u.test(text);

/** The words of a text, separated by spaces, as the index has them. */
export function wordsOf(text: string): string {
  const folded = foldString(text);
  return tooLong.test(folded) ? folded.replaceAll(tooLongEach, '$1') : folded;
}

const tooLong = new RegExp(`[^ ]{${longestWord + 1}}`);
const tooLongEach = new RegExp(`([^ ]{${longestWord}})[^ ]+`, 'g');

/** Of bytes that are looked through, so much is. */
const mostBytes = 1_048_576;

/** Answers 1, 0, or null where the bytes alone do not tell: in a character set of their own, or with characters written in hexadecimal. */
export type HasTerms = (bytes: unknown, terms: unknown) => 0 | 1 | null;

/** For SQL: a blob, and terms as JSON, which are read once for many blobs. */
export function hasTermsOf(): HasTerms {
  let known: { readonly json: string; readonly terms: readonly Term[] } = { json: '[]', terms: [] };
  return (bytes, json) => {
    if (!(bytes instanceof Uint8Array) || typeof json !== 'string') return 0;
    if (json !== known.json) known = { json, terms: JSON.parse(json) as readonly Term[] };
    const begin = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, mostBytes));
    const isKnown = isAscii(begin) || isUtf8(begin);
    const text = foldLetters(unescaped(begin.toString(isKnown ? 'utf8' : 'latin1')));
    if (known.terms.every((term) => holds(text, term))) return 1;
    return isKnown && !text.includes('\\x') ? 0 : null;
  };
}

const escapes = /\\(?:([FSTREHN])|\.br)\\/g;
const meant: Readonly<Record<string, string>> = { F: '|', S: '^', T: '&', R: '~', E: '\\', H: '', N: '' };

const unescaped = (text: string): string =>
  text.includes('\\') ? text.replace(escapes, (_all, sign?: string) => meant[sign ?? ''] ?? ' ') : text;

function holds(text: string, { text: wanted, isOpen }: Term): boolean {
  const begins = isWordAt(wanted, 0);
  const ends = !isOpen && isWordAt(wanted, wanted.length - 1);
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 1)) {
    if (begins && isWordAt(text, at - 1)) continue;
    if (!ends || !isWordAt(text, at + wanted.length)) return true;
  }
  return false;
}

/** Whether a letter or digit stands there. */
function isWordAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (Number.isNaN(code)) return false;
  if (code < 128) return (code >= 97 && code <= 122) || (code >= 48 && code <= 57);
  return /[\p{L}\p{N}]/u.test(text.charAt(at));
}
