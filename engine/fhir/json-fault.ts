// Where a text stops being JSON, said without quoting any of it: what it holds may be a patient's.

const token =
  /[ \t\n\r]*(?:([{}[\],:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)|$)/y;

/** What may come next, and what each token leads to. */
type State = 'value' | 'first-value' | 'first-key' | 'key' | 'colon' | 'after' | 'end';

/** `line 3, column 14`: the first place at which the text cannot go on as JSON. */
export function jsonFault(text: string): string {
  const open: string[] = [];
  let state: State = 'value';
  token.lastIndex = 0;
  for (;;) {
    const start = token.lastIndex;
    const found = token.exec(text);
    if (found === null) return place(text, start + leadingSpace(text, start));
    const next = step(state, found, open);
    if (next === undefined) return place(text, start + leadingSpace(text, start));
    state = next;
  }
}

function step(state: State, found: RegExpExecArray, open: string[]): State | undefined {
  const [, sign, string, scalar] = found;
  if (string !== undefined && (state === 'key' || state === 'first-key')) return 'colon';
  if (string !== undefined || scalar !== undefined) {
    return state === 'value' || state === 'first-value' ? afterValue(open) : undefined;
  }
  if (sign === undefined) return undefined;
  return onSign(state, sign, open);
}

function onSign(state: State, sign: string, open: string[]): State | undefined {
  if (sign === ':') return state === 'colon' ? 'value' : undefined;
  if (sign === ',') return state === 'after' ? (open.at(-1) === '{' ? 'key' : 'value') : undefined;
  if (sign === '{' || sign === '[') {
    if (state !== 'value' && state !== 'first-value') return undefined;
    open.push(sign);
    return sign === '{' ? 'first-key' : 'first-value';
  }
  const empty = sign === '}' ? 'first-key' : 'first-value';
  if (state !== 'after' && state !== empty) return undefined;
  return open.pop() === (sign === '}' ? '{' : '[') ? afterValue(open) : undefined;
}

const afterValue = (open: readonly string[]): State => (open.length === 0 ? 'end' : 'after');

function leadingSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at++;
  return at - start;
}

function place(text: string, position: number): string {
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  const column = position - before.lastIndexOf('\n');
  return `line ${line}, column ${column}`;
}
