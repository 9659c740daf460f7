// Places in a JSON document: https://www.rfc-editor.org/rfc/rfc6901
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import { isFields, type MutableFields } from './json-values.ts';

export type Pointer = readonly string[];

/** Throws Refusal `bad-request` for what is no pointer. */
export function readPointer(text: unknown, name: string): Pointer {
  if (text === '') return [];
  if (typeof text !== 'string' || !text.startsWith('/') || /~(?![01])/.test(text)) {
    throw badRequest(`its ${name} is no JSON Pointer`);
  }
  const tokens = text.slice(1).split('/');
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Whether one place lies within another. */
export const isWithin = (inner: Pointer, outer: Pointer): boolean =>
  inner.length > outer.length && outer.every((token, at) => inner[at] === token);

/** A place in a list or in an object, which may be empty yet. */
export type Spot =
  | { readonly list: unknown[]; readonly index: number }
  | { readonly fields: MutableFields; readonly key: string };

export const nothingThere = (): Refusal => new Refusal('unprocessable', 'there is nothing at that place');

/** Where a pointer leads, its last token aside. Throws Refusal `unprocessable` when the way is not there. */
export function spotOf(document: unknown, pointer: Pointer): Spot {
  const last = pointer.at(-1);
  if (last === undefined) throw new Refusal('unprocessable', 'the resource as a whole cannot be taken away');
  const holder = pointer
    .slice(0, -1)
    .reduce<unknown>((value, token) => valueAt(spotIn(value, token)), document);
  return spotIn(holder, last);
}

function spotIn(holder: unknown, token: string): Spot {
  if (Array.isArray(holder)) return { list: holder, index: indexOf(token, holder.length) };
  if (!isFields(holder)) throw nothingThere();
  if (token === '__proto__') throw badRequest('a key __proto__ is not allowed');
  return { fields: holder, key: token };
}

/** `-` is the place after the last. */
function indexOf(token: string, length: number): number {
  if (token === '-') return length;
  if (!/^(?:0|[1-9]\d{0,8})$/.test(token) || Number(token) > length) throw nothingThere();
  return Number(token);
}

/** Throws Refusal `unprocessable` when nothing is there. */
export function valueAt(spot: Spot): unknown {
  if ('list' in spot) {
    if (spot.index >= spot.list.length) throw nothingThere();
    return spot.list[spot.index];
  }
  if (!Object.hasOwn(spot.fields, spot.key)) throw nothingThere();
  return spot.fields[spot.key];
}
