// Whether a value that was made of a message stands in it, or in a table or literal of the maps: the rule that nothing is invented.
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { context } from './maps.ts';

const wordsOf = (text: string): readonly string[] =>
  text.split(/[\s|=^/+(),]+/).filter((word) => word !== '');

/** `6,30` and `0.0063` are 63; a mark that may divide thousands or decimals is read both ways. */
const significants = (number: string): readonly string[] => [
  number
    .replace(/[eE].*$/, '')
    .replaceAll(/[.,]/g, '')
    .replace(/^0+/, '')
    .replace(/0+$/, ''),
];

/** Parts of a map that stand in nothing that is made. */
const unsaid: ReadonlySet<string> = new Set(['source', 'issue', 'takes', 'structure', 'when', '$when']);

/** What the maps themselves may write: the literals of what they make, and tables; no comment, no text for people. */
const literals = readdirSync('mappings', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml') && !file.includes('outbound'))
  .flatMap((file) => [...literalsIn(parse(readFileSync(resolve('mappings', file), 'utf8')), '')]);
const mapWords: ReadonlySet<string> = new Set(literals.flatMap(wordsOf));
const mapNumbers: ReadonlySet<string> = new Set(
  literals.filter((word) => /^[\d.]+$/.test(word)).flatMap(significants),
);

function* literalsIn(value: unknown, name: string): Generator<string> {
  if (unsaid.has(name)) return;
  if (typeof value === 'string' && value.startsWith('=')) {
    for (const [, literal = ''] of value.matchAll(/'([^']*)'/g)) yield literal;
  } else if (typeof value === 'string' || typeof value === 'number') yield String(value);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      if (!Array.isArray(value)) yield key;
      yield* literalsIn(member, Array.isArray(value) ? name : key);
    }
  }
}

const isTime = (path: string): boolean =>
  /(?:DateTime|\.recorded|\.authoredOn|Time|Date|\.date|\.issued|birthDate|whenHandedOver|\.start|\.end|\.timestamp)$/.test(
    path,
  );

/** What the map itself has put into base64, as it was before. */
const plainly = (path: string, leaf: string, message: string): string =>
  path.endsWith('.data') && !message.includes(leaf) ? Buffer.from(leaf, 'base64').toString() : leaf;

/** A message, asked whether it says something. */
export class Said {
  readonly #text: string;
  readonly #digits: string;
  readonly #numbers: ReadonlySet<string>;

  constructor(text: string) {
    this.#text = text;
    this.#digits = text.replaceAll(/(?<=\d)[-:T](?=\d)/g, '');
    const written = text.match(/\d+(?:[.,]\d+)*(?:[eE][+-]?\d{1,2})?/g) ?? [];
    this.#numbers = new Set(written.flatMap((number) => significants(number)));
  }

  foreignWords(path: string, leaf: string): readonly string[] {
    if (isTime(path)) return this.#saysTime(leaf) ? [] : [leaf];
    const words = wordsOf(plainly(path, leaf, this.#text));
    const isKnown = (word: string): boolean =>
      this.#text.includes(word) || mapWords.has(word) || isOurs(word);
    return words.filter((word) => !isKnown(word) && word !== context.channel);
  }

  /** The same day as written, or the time at which the message came. */
  #saysTime(leaf: string): boolean {
    const day = leaf.slice(0, 10).replaceAll('-', '');
    return this.#digits.includes(day) || leaf === new Date(context.receivedAt).toISOString();
  }

  /** The same digits, whatever power of ten a unit's multiplier makes of them. */
  foreignNumber(leaf: number): readonly number[] {
    const isSaid = significants(String(leaf)).some(
      (digits) => this.#numbers.has(digits) || mapNumbers.has(digits),
    );
    return isSaid ? [] : [leaf];
  }
}

/** Ids of messages, the settings' own systems, and names that are escaped to stand in a URI. */
const isOurs = (word: string): boolean => /^urn:(uuid|kiungo|oid):|v2-\d{4}$/.test(word);
