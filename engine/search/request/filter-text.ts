// The language of `_filter` as a tree. https://hl7.org/fhir/R4/search_filter.html
import { badRequest } from '../../kernel/outcomes.ts';

export type Filter =
  | { readonly op: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly op: 'not'; readonly of: Filter }
  | {
      readonly op: 'compare';
      /** `patient[birthdate gt 2000].name` has two steps. */
      readonly path: readonly FilterStep[];
      readonly comparison: string;
      readonly value: string;
    };

export interface FilterStep {
  readonly name: string;
  readonly filter: Filter | undefined;
}

const longestFilter = 4000;
const maximumComparisons = 100;
const deepestBracket = 20;

/** `and` binds closer than `or`. Throws Refusal `bad-request`, saying where, for what is no filter. */
export function parseFilter(text: string): Filter {
  if (text.length > longestFilter) {
    throw badRequest(`_filter has more than ${longestFilter} characters`, '_filter');
  }
  const parser = new FilterParser(text);
  const filter = parser.either();
  parser.end();
  return filter;
}

const names = /[A-Za-z_$][\w$:-]*/y;
const word = /[A-Za-z]+/y;
const spaces = /\s*/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;
const bare = /(?!")(?:\[[^[\]\s]*\]|[^\s()[\]])+/y;

class FilterParser {
  readonly #text: string;
  #at = 0;
  #comparisons = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  either(): Filter {
    const parts = [this.#all()];
    while (this.#takeWord('or')) parts.push(this.#all());
    return this.#joined('or', parts);
  }

  end(): void {
    this.#take(spaces);
    if (this.#at < this.#text.length) throw this.#fault('and, or, or the end');
  }

  #all(): Filter {
    const parts = [this.#one()];
    while (this.#takeWord('and')) parts.push(this.#one());
    return this.#joined('and', parts);
  }

  #joined(op: 'and' | 'or', parts: readonly Filter[]): Filter {
    const [first] = parts;
    return parts.length === 1 && first !== undefined ? first : { op, of: parts };
  }

  #one(): Filter {
    this.#take(spaces);
    const start = this.#at;
    if (this.#takeWord('not')) {
      this.#take(spaces);
      if (this.#text[this.#at] === '(') return { op: 'not', of: this.#within('(', ')') };
      this.#at = start;
    }
    return this.#text[this.#at] === '(' ? this.#within('(', ')') : this.#comparison();
  }

  #within(open: string, close: string): Filter {
    this.#depth += 1;
    if (this.#depth > deepestBracket) {
      throw badRequest('_filter has too many brackets inside each other', '_filter');
    }
    this.#expect(open);
    const filter = this.either();
    this.#expect(close);
    this.#depth -= 1;
    return filter;
  }

  #comparison(): Filter {
    this.#comparisons += 1;
    if (this.#comparisons > maximumComparisons) {
      throw badRequest(`_filter has more than ${maximumComparisons} comparisons`, '_filter');
    }
    const path = this.#path();
    this.#take(spaces);
    const comparison = this.#take(word) ?? '';
    this.#take(spaces);
    const value = this.#value();
    if (comparison === '' || value === undefined) throw this.#fault('an operator such as eq, and a value');
    return { op: 'compare', path, comparison, value };
  }

  #path(): readonly FilterStep[] {
    const steps: FilterStep[] = [];
    do {
      const name = this.#take(names);
      if (name === undefined) throw this.#fault('the name of a search parameter');
      const filter = this.#text[this.#at] === '[' ? this.#within('[', ']') : undefined;
      steps.push({ name, filter });
    } while (this.#skip('.'));
    return steps;
  }

  #value(): string | undefined {
    quoted.lastIndex = this.#at;
    const found = quoted.exec(this.#text);
    if (found === null) return this.#take(bare);
    this.#at += found[0].length;
    return plainText(found[1] ?? '');
  }

  #takeWord(wanted: string): boolean {
    const start = this.#at;
    this.#take(spaces);
    if (this.#take(word) === wanted) return true;
    this.#at = start;
    return false;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #skip(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    this.#take(spaces);
    if (!this.#skip(text)) throw this.#fault(text);
  }

  /** The text itself is not repeated: values may be a patient's. */
  #fault(expected: string): Error {
    return badRequest(`_filter cannot be read at character ${this.#at + 1}: expected ${expected}`, '_filter');
  }
}

/** A quoted value has the escapes of a JSON string; a backslash before anything else vanishes. */
const plainText = (escaped: string): string =>
  escaped.replaceAll(/\\(?:u([\dA-Fa-f]{4})|(.))/g, (_escape, hex: string | undefined, sign: string) =>
    hex === undefined ? (controls[sign] ?? sign) : String.fromCharCode(parseInt(hex, 16)),
  );

const controls: Readonly<Partial<Record<string, string>>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };
