// The FHIRPath of a patch, read: names, indexes, where(…) and what such paths need besides. https://hl7.org/fhir/R4/fhirpatch.html
import { badRequest } from '../../kernel/outcomes.ts';

export type Path =
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'this' }
  /** `of` undefined: of what is at hand. */
  | { readonly kind: 'child'; readonly of: Path | undefined; readonly name: string }
  | { readonly kind: 'index'; readonly of: Path; readonly index: number }
  | {
      readonly kind: 'call';
      readonly of: Path | undefined;
      readonly name: string;
      readonly args: readonly Path[];
    }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Path; readonly right: Path };

/** Longer ones are no paths to an element. */
const maximumLength = 4000;
const maximumNesting = 50;

const token =
  /\s*(?:(?<name>[A-Za-z_][A-Za-z0-9_]*)|`(?<quoted>[^`\\]*)`|'(?<text>(?:[^'\\]|\\.)*)'|(?<number>\d+(?:\.\d+)?)|@(?<time>[0-9T:.Z+-]+)|(?<sign>\$this|!=|!~|[.()[\],=~-]))/y;

/** Throws Refusal `bad-request`, saying where it stops being understood. */
export function readPath(text: string): Path {
  if (text.length > maximumLength) throw badRequest(`its path is longer than ${maximumLength} characters`);
  return new PathReader(tokensOf(text)).path();
}

type TokenKind = 'name' | 'literal' | 'sign' | 'end';

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly value?: unknown;
  readonly at: number;
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  token.lastIndex = 0;
  while (token.lastIndex < end) {
    const at = token.lastIndex;
    const found = token.exec(text);
    if (!found) throw notUnderstood(at);
    tokens.push(tokenOf(found.groups ?? {}, at));
  }
  return [...tokens, { kind: 'end', text: '', at: end }];
}

function tokenOf(found: Readonly<Record<string, string | undefined>>, at: number): Token {
  const { name, quoted, text, number, time, sign = '' } = found;
  if (quoted !== undefined) return { kind: 'name', text: quoted, at };
  if (text !== undefined) return { kind: 'literal', text, value: unescaped(text), at };
  if (number !== undefined) return { kind: 'literal', text: number, value: Number(number), at };
  if (time !== undefined) return { kind: 'literal', text: time, value: time.replace(/^T/, ''), at };
  if (name === 'true' || name === 'false') return { kind: 'literal', text: name, value: name === 'true', at };
  return name === undefined ? { kind: 'sign', text: sign, at } : { kind: 'name', text: name, at };
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' };

const unescaped = (text: string): string =>
  text.replaceAll(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_all, code: string | undefined, letter: string) =>
    code === undefined ? (escapes[letter] ?? letter) : String.fromCharCode(Number.parseInt(code, 16)),
  );

const notUnderstood = (at: number): Error =>
  badRequest(
    `its path is not understood from character ${at + 1} on; it may have names, [n], where(), first() …`,
  );

/** Binary operators, the loosest first. */
const levels: readonly (readonly string[])[] = [['or'], ['and'], ['=', '!=', '~', '!~']];

class PathReader {
  readonly #tokens: readonly Token[];
  #at = 0;
  #nesting = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  path(): Path {
    const path = this.#level(0);
    if (this.#next().kind !== 'end') throw notUnderstood(this.#next().at);
    return path;
  }

  #next(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '', at: 0 };
  }

  #take(text: string): boolean {
    const found = this.#next().text === text && this.#next().kind !== 'literal';
    if (found) this.#at++;
    return found;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw notUnderstood(this.#next().at);
  }

  #level(level: number): Path {
    const operators = levels[level];
    if (!operators) return this.#typed();
    let left = this.#level(level + 1);
    for (;;) {
      const operator = operators.find((one) => this.#take(one));
      if (operator === undefined) return left;
      left = { kind: 'binary', operator, left, right: this.#level(level + 1) };
    }
  }

  /** `value as Quantity` is `value.ofType(Quantity)`. */
  #typed(): Path {
    const of = this.#steps();
    if (!this.#take('as')) return of;
    return { kind: 'call', of, name: 'ofType', args: [{ kind: 'child', of: undefined, name: this.#name() }] };
  }

  #steps(): Path {
    let path = this.#first();
    for (;;) {
      if (this.#take('.')) path = this.#invocation(path);
      else if (this.#take('[')) path = { kind: 'index', of: path, index: this.#index() };
      else return path;
    }
  }

  #first(): Path {
    const { kind, value } = this.#next();
    if (kind === 'literal') {
      this.#at++;
      return { kind: 'literal', value };
    }
    if (this.#take('$this')) return { kind: 'this' };
    if (!this.#take('(')) return this.#invocation(undefined);
    return this.#inner(() => {
      const path = this.#level(0);
      this.#expect(')');
      return path;
    });
  }

  #invocation(of: Path | undefined): Path {
    const name = this.#name();
    if (!this.#take('(')) return { kind: 'child', of, name };
    return this.#inner(() => ({ kind: 'call', of, name, args: this.#arguments() }));
  }

  #arguments(): readonly Path[] {
    if (this.#take(')')) return [];
    const args = [this.#level(0)];
    while (this.#take(',')) args.push(this.#level(0));
    this.#expect(')');
    return args;
  }

  #name(): string {
    const { kind, text, at } = this.#next();
    if (kind !== 'name') throw notUnderstood(at);
    this.#at++;
    return text;
  }

  #index(): number {
    const { kind, value, at } = this.#next();
    if (kind !== 'literal' || !Number.isInteger(value)) throw notUnderstood(at);
    this.#at++;
    this.#expect(']');
    return value as number;
  }

  #inner(read: () => Path): Path {
    if (++this.#nesting > maximumNesting) throw notUnderstood(this.#next().at);
    const path = read();
    this.#nesting--;
    return path;
  }
}
