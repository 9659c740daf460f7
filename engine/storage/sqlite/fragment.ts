// Pieces of SQL with the values that are bound in them: text from outside never becomes SQL text.
import type { SqlValue } from './connection.ts';

export class Fragment {
  readonly text: string;
  readonly values: readonly SqlValue[];

  constructor(text: string, values: readonly SqlValue[]) {
    this.text = text;
    this.values = values;
  }
}

/** Fragments are put in their place, all other values are bound. */
export function sql(texts: TemplateStringsArray, ...parts: readonly (Fragment | SqlValue)[]): Fragment {
  let text = texts[0] ?? '';
  const values: SqlValue[] = [];
  for (const [index, part] of parts.entries()) {
    const isFragment = part instanceof Fragment;
    text += (isFragment ? part.text : '?') + (texts[index + 1] ?? '');
    if (isFragment) append(values, part.values);
    else values.push(part);
  }
  return new Fragment(text, values);
}

/** A piece of our own text: a column or a table. */
export const word = (text: string): Fragment => new Fragment(text, []);

export const yes: Fragment = word('1');
export const no: Fragment = word('0');
/** True while there is time: to be ANDed to what decides about each row that is looked at. See time-limit.ts. */
export const inTime: Fragment = word('in_time()');

/** Terms joined as a balanced tree, because SQLite bounds the depth of an expression, not its size. */
export function joined(terms: readonly Fragment[], operator: 'AND' | 'OR'): Fragment {
  const [first, second] = terms;
  if (first === undefined) return operator === 'AND' ? yes : no;
  if (second === undefined) return first;
  const middle = terms.length >> 1;
  const left = joined(terms.slice(0, middle), operator);
  const right = joined(terms.slice(middle), operator);
  return sql`(${left} ${word(operator)} ${right})`;
}

/** Terms with a separator between them. */
export function listed(terms: readonly Fragment[], separator: string): Fragment {
  const values: SqlValue[] = [];
  for (const term of terms) append(values, term.values);
  return new Fragment(terms.map((term) => term.text).join(separator), values);
}

function append(values: SqlValue[], more: readonly SqlValue[]): void {
  for (const value of more) values.push(value);
}
