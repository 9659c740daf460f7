// The value in a part of Parameters: of any datatype, a resource, or, for elements whose type has no name, told part by part.
// https://hl7.org/fhir/R4/fhirpatch.html
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import { elementsNamed, type PlacedElement, type Shapes } from '../shapes/shape.ts';
import { copyOf, isFields, type MutableFields } from './json-values.ts';
import { putInto, type Written } from './places.ts';
import type { Work } from './work.ts';

export type PatchValue =
  | { readonly kind: 'typed'; readonly type: string; readonly value: unknown; readonly side: unknown }
  | { readonly kind: 'parts'; readonly parts: readonly MutableFields[] };

/** Throws Refusal `bad-request` when a part carries no value. */
export function valueIn(part: MutableFields, shapes: Shapes): PatchValue {
  if (isFields(part['resource'])) {
    return { kind: 'typed', type: 'Resource', value: part['resource'], side: undefined };
  }
  for (const [key] of Object.entries(part)) {
    const name = key.startsWith('_') ? key.slice(1) : key;
    const element = shapes.shape('Parameters.parameter')?.elements.get(name);
    if (element?.choice !== 'value') continue;
    return { kind: 'typed', type: element.type, value: part[name], side: part[`_${name}`] };
  }
  const parts: unknown = part['part'];
  if (Array.isArray(parts) && parts.length > 0 && parts.every(isFields)) return { kind: 'parts', parts };
  throw badRequest('its value is no value[x], resource or list of parts');
}

/** The one of these elements (several for a choice) that takes the value. Throws Refusal `unprocessable`. */
export function elementFor(
  elements: readonly PlacedElement[],
  value: PatchValue,
  shapes: Shapes,
): PlacedElement {
  const fitting = elements.find((element) => fits(element, value, shapes));
  if (fitting) return fitting;
  throw new Refusal(
    'unprocessable',
    elements.length === 0
      ? 'no such element is known there'
      : 'the value is of another type than the element',
  );
}

function fits({ type, choice }: PlacedElement, value: PatchValue, shapes: Shapes): boolean {
  if (value.kind === 'parts') return !shapes.isPrimitive(type);
  if (type === value.type) return true;
  // Many write texts of all kinds as valueString; within a choice the kind says which element is meant.
  return choice === undefined && shapes.isPrimitive(type) && shapes.isPrimitive(value.type)
    ? kindOf(type) === kindOf(value.type)
    : false;
}

const kinds: Readonly<Record<string, string>> = {
  boolean: 'boolean',
  decimal: 'decimal',
  integer: 'whole',
  positiveInt: 'whole',
  unsignedInt: 'whole',
};
const kindOf = (type: string): string => kinds[type] ?? 'text';

/** The value as JSON for an element. Throws Refusal `unprocessable` for parts that are no elements of it. */
export function writtenFor(element: PlacedElement, value: PatchValue, shapes: Shapes, work: Work): Written {
  if (value.kind === 'typed') {
    return { value: copyOf(value.value, work.spend), side: copyOf(value.side, work.spend) };
  }
  const made: MutableFields = {};
  for (const part of value.parts) {
    work.spend();
    const inner = valueIn(part, shapes);
    const name = typeof part['name'] === 'string' ? part['name'] : '';
    const child = elementFor(elementsNamed(shapes, element.type, name), inner, shapes);
    putInto(made, child, writtenFor(child, inner, shapes, work));
  }
  return { value: made, side: undefined };
}
