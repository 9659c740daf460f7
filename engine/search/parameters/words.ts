// `_content` and `_text`: resources that have all the words; `haem*` is a word that begins so. `(bone OR liver) and metastases` puts
// them together otherwise. https://hl7.org/fhir/R4/search.html#content
import { badRequest } from '../../kernel/outcomes.ts';
import { allOf, anyOf, leaf, not } from '../condition.ts';
import type { CompiledParameter } from '../definitions/compiled.ts';
import { foldString } from '../fold-string.ts';
import type { Condition } from '../plan.ts';
import { unescaped } from './escapes.ts';
import { inAnySet, unreadable, type ValueReader } from './reader.ts';

const maximumWords = 20;
const deepestBracket = 10;
/** A word of one letter, or a beginning of two, would be found nearly everywhere. */
const shortestWord = 2;
const shortestBeginning = 3;
const longestWord = 40;

export const readWords: ValueReader = (parameter, text) => {
  const reader = new WordsReader(parameter, unescaped(text).match(/[()]|[^()\s]+/g) ?? []);
  return reader.read();
};

interface Word {
  readonly word: string;
  readonly prefix: boolean;
}

/** `AND` and `OR` are written so or small, as in the specification's example; `NOT` only so, because narratives say "not". */
const isAnd = (token: string | undefined): boolean => token === 'AND' || token === 'and';
const isOr = (token: string | undefined): boolean => token === 'OR' || token === 'or';
const isNot = (token: string | undefined): boolean => token === 'NOT';

/** `and`, said or not, binds closer than `or`. */
class WordsReader {
  readonly #parameter: CompiledParameter;
  readonly #tokens: readonly string[];
  #at = 0;
  #words = 0;

  constructor(parameter: CompiledParameter, tokens: readonly string[]) {
    this.#parameter = parameter;
    this.#tokens = tokens;
  }

  read(): Condition {
    const condition = this.#either(0);
    if (this.#at < this.#tokens.length) throw this.#unreadable();
    return condition;
  }

  #either(depth: number): Condition {
    if (depth > deepestBracket) throw this.#unreadable();
    const parts = [this.#all(depth)];
    while (this.#take(isOr)) parts.push(this.#all(depth));
    return anyOf(parts);
  }

  /** What stands side by side: all its words are one question to the index. */
  #all(depth: number): Condition {
    const words: Word[] = [];
    const others: Condition[] = [];
    do {
      if (this.#tokens[this.#at] === '(') others.push(this.#bracket(depth));
      else if (this.#take(isNot)) others.push(not(this.#negated(depth)));
      else words.push(...this.#next());
    } while (this.#take(isAnd) || !this.#ends());
    if (words.length === 0 && others.length === 0) throw this.#unreadable();
    return allOf([...(words.length === 0 ? [] : [this.#having(words, others.length > 0)]), ...others]);
  }

  #bracket(depth: number): Condition {
    this.#at += 1;
    const condition = this.#either(depth + 1);
    if (!this.#take((token) => token === ')')) throw this.#unreadable();
    return condition;
  }

  #negated(depth: number): Condition {
    return this.#tokens[this.#at] === '(' ? this.#bracket(depth) : this.#having(this.#next(), false);
  }

  /** What is written as one word; none where it is nothing but signs. */
  #next(): readonly Word[] {
    const token = this.#tokens[this.#at];
    if (token === undefined || token === ')' || isOr(token) || isAnd(token)) throw this.#unreadable();
    this.#at += 1;
    const words = wordsIn(token);
    this.#words += words.length;
    const { code } = this.#parameter;
    if (this.#words > maximumWords) throw badRequest(`${code} has more than ${maximumWords} words`, code);
    return words;
  }

  /** `narrowed`: other conditions hold beside it. */
  #having(words: readonly Word[], narrowed: boolean): Condition {
    const { code } = this.#parameter;
    if (words.length === 0) throw this.#unreadable();
    if (!narrowed && words.every(isTooShort)) {
      throw badRequest(
        `${code} needs a word of ${shortestWord} letters or a beginning of ${shortestBeginning}`,
        code,
      );
    }
    return inAnySet(this.#parameter, ({ name }) => leaf({ kind: 'text', parameter: name, words }));
  }

  #take(wanted: (token: string | undefined) => boolean): boolean {
    const taken = wanted(this.#tokens[this.#at]);
    if (taken) this.#at += 1;
    return taken;
  }

  #ends(): boolean {
    const token = this.#tokens[this.#at];
    return token === undefined || token === ')' || isOr(token);
  }

  #unreadable(): Error {
    return unreadable(this.#parameter, 'one or more words, with AND, OR, NOT and brackets in pairs');
  }
}

const isTooShort = ({ word, prefix }: Word): boolean =>
  word.length < (prefix ? shortestBeginning : shortestWord);

/** What is written as one word can fold to several: `x-ray*`; only the last is a beginning. */
function wordsIn(written: string): readonly Word[] {
  const begins = written.endsWith('*');
  const folded = foldString(written)
    .split(' ')
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  return folded.map((word, place) => ({
    word: word.slice(0, longestWord),
    prefix: begins && place === folded.length - 1,
  }));
}
