// The expressions of the map language, compiled into closures. docs/mapping.md tells what they mean.
import type { Expression, Scope } from '../scope.ts';
import { functions, type Argument } from './functions.ts';
import { parsePath, pathReader } from './path.ts';
import { tokenize, type Token } from './tokens.ts';
import type { Tables } from './tables.ts';

export type Condition = (scope: Scope) => boolean;

/** Throws SyntaxError saying what is not understood. */
export function compileExpression(text: string, tables: Tables): Expression {
  const reader = new Reader(text, tables);
  const expression = reader.alternatives();
  reader.end();
  return expression;
}

/** Throws SyntaxError saying what is not understood. */
export function compileCondition(text: string, tables: Tables): Condition {
  const reader = new Reader(text, tables);
  const condition = reader.or();
  reader.end();
  return condition;
}

/** A list stands for its first member where one value is wanted. */
export const single = (value: unknown): unknown => (Array.isArray(value) ? (value[0] as unknown) : value);

const holds = (value: unknown): boolean => {
  const one = single(value);
  return one !== undefined && one !== false && one !== '';
};

const textOf = (value: unknown): string | undefined => {
  const one = single(value);
  return typeof one === 'string'
    ? one
    : typeof one === 'number' || typeof one === 'boolean'
      ? String(one)
      : undefined;
};

type Comparison = (left: unknown, right: unknown) => boolean;
const numeric =
  (compare: (left: number, right: number) => boolean): Comparison =>
  (left, right) => {
    const [one, other] = [textOf(left), textOf(right)];
    return one !== undefined && other !== undefined && compare(Number(one), Number(other));
  };

const comparisons: Readonly<Record<string, Comparison>> = {
  '=': (left, right) => textOf(left) === textOf(right),
  '!=': (left, right) => textOf(left) !== textOf(right),
  '<': numeric((left, right) => left < right),
  '<=': numeric((left, right) => left <= right),
  '>': numeric((left, right) => left > right),
  '>=': numeric((left, right) => left >= right),
  starts: (left, right) => textOf(left)?.startsWith(textOf(right) ?? '') ?? false,
  in: (left, right) => {
    const text = textOf(left);
    return text !== undefined && Array.isArray(right) && right.some((member) => textOf(member) === text);
  },
};

/** Reads by recursive descent; every method compiles what it reads. */
class Reader {
  readonly #tokens: readonly Token[];
  readonly #tables: Tables;
  #at = 0;

  constructor(text: string, tables: Tables) {
    this.#tokens = tokenize(text);
    this.#tables = tables;
  }

  end(): void {
    const rest = this.#tokens[this.#at];
    if (rest !== undefined) throw new SyntaxError(`unexpected "${rest.text}"`);
  }

  /** `a ?? b`: the first that has a value. */
  alternatives(): Expression {
    const first = this.#joined();
    if (!this.#takes('mark', '??')) return first;
    const second = this.alternatives();
    return (scope) => {
      const value = first(scope);
      return holds(value) || value === false ? value : second(scope);
    };
  }

  /** `a & b`: one text after the other; nothing when one of them is nothing. */
  #joined(): Expression {
    const parts = [this.#piped()];
    while (this.#takes('mark', '&')) parts.push(this.#piped());
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    return (scope) => {
      const texts = parts.map((part) => textOf(part(scope)));
      return texts.includes(undefined) ? undefined : texts.join('');
    };
  }

  /** `a | f x`: f of a. */
  #piped(): Expression {
    let value = this.#primary();
    while (this.#takes('mark', '|')) value = this.#call(value);
    return value;
  }

  #call(input: Expression): Expression {
    const name = this.#next('word').text;
    const made = functions[name];
    if (made === undefined) throw new SyntaxError(`there is no function "${name}"`);
    const given: Argument[] = [];
    for (let next = this.#argument(); next !== undefined; next = this.#argument()) given.push(next);
    return made(input, given, this.#tables);
  }

  #argument(): Argument | undefined {
    const token = this.#tokens[this.#at];
    if (token === undefined || token.kind === 'mark') return undefined;
    if (token.kind === 'word' && isOperator(token.text)) return undefined;
    this.#at++;
    if (token.kind === 'variable' || token.kind === 'path') {
      return { text: token.text, value: valueOf(token) };
    }
    return { text: token.text, value: () => token.text };
  }

  #primary(): Expression {
    if (this.#takes('mark', '(')) {
      const inner = this.alternatives();
      this.#expect(')');
      return inner;
    }
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new SyntaxError('a value is missing at the end');
    if (token.kind === 'mark' || token.kind === 'word') throw new SyntaxError(`"${token.text}" is no value`);
    return valueOf(token);
  }

  or(): Condition {
    const first = this.#and();
    if (!this.#takes('word', 'or')) return first;
    const second = this.or();
    return (scope) => first(scope) || second(scope);
  }

  #and(): Condition {
    const first = this.#not();
    if (!this.#takes('word', 'and')) return first;
    const second = this.#and();
    return (scope) => first(scope) && second(scope);
  }

  #not(): Condition {
    if (!this.#takes('word', 'not')) return this.#comparison();
    const inner = this.#not();
    return (scope) => !inner(scope);
  }

  #comparison(): Condition {
    const start = this.#at;
    if (this.#takes('mark', '(')) {
      const grouped = this.#grouped();
      if (grouped !== undefined) return grouped;
      this.#at = start;
    }
    const left = this.alternatives();
    const token = this.#tokens[this.#at];
    const compare = token === undefined ? undefined : comparisons[token.text];
    if (token === undefined || token.kind === 'string' || compare === undefined) {
      return (scope) => holds(left(scope));
    }
    this.#at++;
    const right = token.text === 'in' ? this.#members() : this.alternatives();
    return (scope) => compare(left(scope), right(scope));
  }

  /** A condition in brackets; undefined when they hold a value that goes on behind them. */
  #grouped(): Condition | undefined {
    const inner = this.or();
    if (!this.#takes('mark', ')')) return undefined;
    const next = this.#tokens[this.#at];
    const ends = next === undefined || next.text === ')' || ['and', 'or'].includes(next.text);
    return ends ? inner : undefined;
  }

  /** `('a', 'b')`, or a value that is a list. */
  #members(): Expression {
    if (!this.#takes('mark', '(')) return this.alternatives();
    const members = [this.alternatives()];
    while (this.#takes('mark', ',')) members.push(this.alternatives());
    this.#expect(')');
    return (scope) => members.map((member) => member(scope));
  }

  #takes(kind: Token['kind'], text: string): boolean {
    const token = this.#tokens[this.#at];
    const found = token?.kind === kind && token.text === text;
    if (found) this.#at++;
    return found;
  }

  #expect(text: string): void {
    if (!this.#takes('mark', text)) throw new SyntaxError(`"${text}" is missing`);
  }

  #next(kind: Token['kind']): Token {
    const token = this.#tokens[this.#at++];
    if (token?.kind !== kind) throw new SyntaxError(`a ${kind} is missing`);
    return token;
  }
}

const isOperator = (text: string): boolean => ['and', 'or', 'not', 'in', 'starts'].includes(text);

function valueOf(token: Token): Expression {
  const { kind, text } = token;
  if (kind === 'path') return pathReader(parsePath(text));
  if (kind === 'variable') return (scope) => scope.value(text);
  return () => text;
}
