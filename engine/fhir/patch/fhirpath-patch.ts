// FHIRPath Patch: https://hl7.org/fhir/R4/fhirpatch.html
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import type { FhirResource } from '../resource.ts';
import { elementsNamed, type PlacedElement, type Shapes } from '../shapes/shape.ts';
import { isFields, type MutableFields } from './json-values.ts';
import { elementFor, valueIn, writtenFor, type PatchValue } from './parameter-value.ts';
import { readPath, type Path } from './path.ts';
import { lengthOf, putInto, setIn, spliceInto } from './places.ts';
import { select, selectionIn, type Selected, type Selection } from './select.ts';
import { inOperation, maximumOperations, type Change } from './work.ts';

type Operation = (selection: Selection) => void;

/** Throws Refusal `bad-request` for Parameters that are no such patch. */
export function readFhirPathPatch(parameters: FhirResource, shapes: Shapes): Change {
  const list = parameters['parameter'] ?? [];
  if (parameters.resourceType !== 'Parameters' || !Array.isArray(list)) {
    throw badRequest('a FHIRPath Patch is a Parameters resource');
  }
  if (list.length > maximumOperations) {
    throw badRequest(`a patch has at most ${maximumOperations} operations`);
  }
  const operations = list.map((one: unknown, place) => inOperation(place, () => readOperation(one, shapes)));
  return (document, work) => {
    const selection = selectionIn(document, shapes, work);
    for (const [place, operation] of operations.entries()) inOperation(place, () => operation(selection));
    return document;
  };
}

/** The parts of one operation; each is asked for when it is needed. */
interface Parts {
  readonly path: Path;
  readonly name: () => string;
  readonly value: () => PatchValue;
  readonly number: (name: 'index' | 'source' | 'destination') => number;
}

function readOperation(one: unknown, shapes: Shapes): Operation {
  if (!isFields(one) || one['name'] !== 'operation' || !Array.isArray(one['part'])) {
    throw badRequest('each parameter is an operation with parts');
  }
  const byName = new Map<unknown, MutableFields>(
    one['part'].filter(isFields).map((part) => [part['name'], part]),
  );
  const text = (name: string): string => textOf(byName.get(name), name);
  const type = text('type');
  const make = Object.hasOwn(operations, type) ? operations[type] : undefined;
  if (!make) throw badRequest(`its type is one of ${Object.keys(operations).join(', ')}`);
  return make({
    path: readPath(text('path')),
    name: () => text('name'),
    value: () => valueIn(byName.get('value') ?? {}, shapes),
    number: (name) => numberOf(byName.get(name), name),
  });
}

function textOf(part: MutableFields | undefined, name: string): string {
  const value = part?.['valueString'] ?? part?.['valueCode'];
  if (typeof value !== 'string') throw badRequest(`it has no ${name}`);
  return value;
}

function numberOf(part: MutableFields | undefined, name: string): number {
  const value = part?.['valueInteger'] ?? part?.['valueUnsignedInt'] ?? part?.['valuePositiveInt'];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw badRequest(`its ${name} is no whole number`);
  }
  return value;
}

const operations: Readonly<Record<string, (parts: Parts) => Operation>> = {
  add: ({ path, name, value }) => {
    const [property, added] = [name(), value()];
    return (selection) => {
      const { shapes, work } = selection;
      const node = one(selection, path);
      const element = elementFor(elementsNamed(shapes, node.type, property), added, shapes);
      putInto(fieldsOf(selection, node), element, writtenFor(element, added, shapes, work));
    };
  },
  insert: ({ path, value, number }) => {
    const [index, added] = [number('index'), value()];
    return (selection) => {
      const { shapes, work } = selection;
      const { holder, element } = listAt(selection, path);
      elementFor([element], added, shapes);
      inRange(index, lengthOf(holder, element));
      spliceInto(holder, element, index, 0, writtenFor(element, added, shapes, work));
    };
  },
  delete:
    ({ path }) =>
    (selection) => {
      const found = select(selection, path, [selection.resource]);
      if (found.length > 0) remove(only(found));
    },
  replace: ({ path, value }) => {
    const put = value();
    return (selection) => replace(selection, one(selection, path), put);
  },
  move: ({ path, number }) => {
    const [source, destination] = [number('source'), number('destination')];
    return (selection) => {
      const { holder, element } = listAt(selection, path);
      const last = lengthOf(holder, element) - 1;
      inRange(source, last);
      inRange(destination, last);
      spliceInto(holder, element, destination, 0, spliceInto(holder, element, source, 1));
    };
  },
};

const one = (selection: Selection, path: Path): Selected =>
  only(select(selection, path, [selection.resource]));

function only(found: readonly Selected[]): Selected {
  const [node] = found;
  if (node && found.length === 1) return node;
  throw new Refusal('unprocessable', `its path selects ${found.length} elements, and is to select one`);
}

function inRange(index: number, most: number): void {
  if (index > most) throw new Refusal('unprocessable', 'it counts beyond the end of the list');
}

/** Where the elements of a node go: of a primitive into what stands beside its value. */
function fieldsOf({ shapes }: Selection, node: Selected): MutableFields {
  const fields = shapes.isPrimitive(node.type) ? (node.side ?? madeBeside(node)) : node.value;
  if (isFields(fields)) return fields;
  throw new Refusal('unprocessable', 'its path selects what has no elements');
}

function madeBeside({ value, place }: Selected): MutableFields {
  const side: MutableFields = {};
  if (!place) return side;
  const { holder, element, index } = place;
  if (index === undefined) setIn(holder, element, { value, side });
  else spliceInto(holder, element, index, 1, { value, side });
  return side;
}

/** A list is named by its last step, since it may be empty yet. */
function listAt(
  selection: Selection,
  path: Path,
): { readonly holder: MutableFields; readonly element: PlacedElement } {
  if (path.kind !== 'child') throw new Refusal('unprocessable', 'its path ends with the name of a list');
  const node = path.of ? one(selection, path.of) : selection.resource;
  const element = elementsNamed(selection.shapes, node.type, path.name).find(({ many }) => many);
  if (!element) throw new Refusal('unprocessable', 'its path selects no list');
  return { holder: fieldsOf(selection, node), element };
}

function remove({ place }: Selected): void {
  if (!place) throw new Refusal('unprocessable', 'the resource as a whole cannot be taken away');
  const { holder, element, index } = place;
  if (index === undefined) setIn(holder, element, { value: undefined, side: undefined });
  else spliceInto(holder, element, index, 1);
}

/** Within a choice the new value may be of another type, and so get another name. */
function replace({ shapes, work }: Selection, { place }: Selected, put: PatchValue): void {
  if (!place) throw new Refusal('unprocessable', 'the resource as a whole cannot be replaced by a patch');
  const { of, holder, element, index } = place;
  const siblings = element.choice === undefined ? [element] : elementsNamed(shapes, of, element.choice);
  const next = elementFor(siblings, put, shapes);
  const written = writtenFor(next, put, shapes, work);
  if (index !== undefined) spliceInto(holder, element, index, 1, written);
  else {
    if (next.name !== element.name) setIn(holder, element, { value: undefined, side: undefined });
    setIn(holder, next, written);
  }
}
