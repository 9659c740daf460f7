// What a search needs to know before it can be planned: codes of value sets, codes above and below a code, resources above and below
// a resource. Reading a query asks; whoever can look into the store answers; then the query is read again.

export type Question =
  | { readonly kind: 'members'; readonly valueSet: string }
  | {
      readonly kind: 'subsumed';
      readonly direction: Direction;
      readonly system: string;
      readonly code: string;
    }
  | {
      readonly kind: 'hierarchy';
      readonly direction: Direction;
      /** A type whose resources have a parent of their own type, the reference parameter that leads there, and where to begin. */
      readonly type: string;
      readonly parameter: string;
      readonly id: string;
    };

export type Direction = 'above' | 'below';

/** Codes by system; `all`: whatever has that system. */
export type CodesBySystem = ReadonlyMap<string, ReadonlySet<string> | 'all'>;

type CodeQuestion = Extract<Question, { readonly kind: 'members' | 'subsumed' }>;
type TreeQuestion = Extract<Question, { readonly kind: 'hierarchy' }>;

/** More questions than any honest search has. */
const maximumQuestions = 20;

/** The questions of one search and their answers. */
export class Answers {
  readonly #codes = new Map<string, CodesBySystem>();
  readonly #ids = new Map<string, readonly string[]>();
  readonly #open = new Map<string, Question>();

  /** undefined: not answered yet, and noted as open. */
  codes(question: CodeQuestion): CodesBySystem | undefined {
    return this.#known(this.#codes, question);
  }

  /** Ids of resources, the one asked from among them. undefined: not answered yet, and noted as open. */
  ids(question: TreeQuestion): readonly string[] | undefined {
    return this.#known(this.#ids, question);
  }

  get open(): readonly Question[] {
    return [...this.#open.values()];
  }

  get tooMany(): boolean {
    return this.#open.size > maximumQuestions;
  }

  giveCodes(question: CodeQuestion, codes: CodesBySystem): void {
    this.#codes.set(keyOf(question), codes);
    this.#open.delete(keyOf(question));
  }

  giveIds(question: TreeQuestion, ids: readonly string[]): void {
    this.#ids.set(keyOf(question), ids);
    this.#open.delete(keyOf(question));
  }

  #known<T>(answers: ReadonlyMap<string, T>, question: Question): T | undefined {
    const known = answers.get(keyOf(question));
    if (known === undefined) this.#open.set(keyOf(question), question);
    return known;
  }
}

const keyOf = (question: Question): string => JSON.stringify(question);
