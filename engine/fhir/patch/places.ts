// Putting values into places and taking them out, ids and extensions of primitives keeping step with their values.
import { Refusal } from '../../kernel/outcomes.ts';
import type { PlacedElement } from '../shapes/shape.ts';
import type { MutableFields } from './json-values.ts';

/** What stands in a property and beside it. */
export interface Written {
  readonly value: unknown;
  readonly side: unknown;
}

/** Into a list at its end; elsewhere where nothing is yet, else Refusal `unprocessable`. */
export function putInto(holder: MutableFields, element: PlacedElement, written: Written): void {
  if (element.many) return void spliceInto(holder, element, lengthOf(holder, element), 0, written);
  if (holder[element.name] !== undefined || holder[`_${element.name}`] !== undefined) {
    throw new Refusal('unprocessable', 'the element is there already; use replace');
  }
  setIn(holder, element, written);
}

/** In the place of what is there. */
export function setIn(holder: MutableFields, { name }: PlacedElement, { value, side }: Written): void {
  assign(holder, name, value);
  assign(holder, `_${name}`, side);
}

function assign(holder: MutableFields, key: string, value: unknown): void {
  if (value === undefined) Reflect.deleteProperty(holder, key);
  else holder[key] = value;
}

export const lengthOf = (holder: MutableFields, { name }: PlacedElement): number =>
  Math.max(listOf(holder, name).length, listOf(holder, `_${name}`).length);

const listOf = (holder: MutableFields, key: string): unknown[] => {
  const list = holder[key];
  return Array.isArray(list) ? list : [];
};

/** Takes `removed` items out of a list at `index`, and puts one in there; answers the first that was taken out. */
export function spliceInto(
  holder: MutableFields,
  element: PlacedElement,
  index: number,
  removed: number,
  put?: Written,
): Written {
  const { name } = element;
  const length = lengthOf(holder, element);
  const out = [name, `_${name}`].map((key) => {
    const list = listOf(holder, key);
    while (list.length < length) list.push(null);
    const item = key === name ? put?.value : put?.side;
    const [taken] = put ? list.splice(index, removed, item ?? null) : list.splice(index, removed);
    assign(holder, key, list.some((one) => one !== null) ? list : undefined);
    return taken ?? undefined;
  });
  return { value: out[0], side: out[1] };
}
