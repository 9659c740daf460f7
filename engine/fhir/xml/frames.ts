// What is being built while an XML text is read: one frame for each element that is open.
import { decimal, type RawNumber } from '../exact-json.ts';
import type { FhirResource } from '../resource.ts';
import type { PlacedElement, Shape, Shapes } from '../shapes/shape.ts';

/** What does not fit the definitions; becomes a refusal with its place in the text. */
export class Misfit extends Error {}

/** An element that has ended; `side`: id and extensions of a primitive. */
export interface Taken {
  readonly element: PlacedElement;
  readonly value: unknown;
  readonly side: unknown;
}

interface Attribute {
  readonly name: string;
  readonly value: string;
}

export interface Frame {
  /** For the path in a refusal; '' where it adds nothing. */
  readonly name: string;
  /** The frame for an element inside; throws Misfit where none of this name may stand. */
  child(name: string, shapes: Shapes): Frame;
  attribute(attribute: Attribute): void;
  /** Whether a narrative may begin here; throws Misfit. */
  narrative(name: string): void;
  takeNarrative(text: string): void;
  /** The element ends: hands over what it came to. */
  close(parent: Frame, shapes: Shapes): void;
  take(taken: Taken): void;
  takeResource(resource: FhirResource): void;
}

abstract class AnyFrame implements Frame {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  abstract child(name: string, shapes: Shapes): Frame;
  abstract close(parent: Frame, shapes: Shapes): void;

  attribute({ name }: Attribute): void {
    throw new Misfit(`the attribute ${shown(name)} is not known here`);
  }

  narrative(name: string): void {
    throw new Misfit(`a narrative stands in text.div only, not in ${shown(name)}`);
  }

  takeNarrative(text: string): void {
    throw new Misfit(`a narrative of ${text.length} characters has no place here`);
  }

  take({ element }: Taken): void {
    throw new Misfit(`the element ${element.name} is not known here`);
  }

  takeResource({ resourceType }: FhirResource): void {
    throw new Misfit(`no ${resourceType} may stand here`);
  }
}

/** Holds one resource: the document itself, `contained`, `Bundle.entry.resource`. */
export class HolderFrame extends AnyFrame {
  readonly #element: PlacedElement | undefined;
  #resource: FhirResource | undefined;

  constructor(name: string, element?: PlacedElement) {
    super(element ? name : '');
    this.#element = element;
  }

  child(name: string, shapes: Shapes): Frame {
    if (this.#resource) throw new Misfit('one resource is expected, not several');
    const shape = shapes.isResource(name) ? shapes.shape(name) : undefined;
    if (!shape) throw new Misfit(`${shown(name)} is not the name of an R4 resource type`);
    return new ElementFrame(this.#element ? '' : name, shape, undefined, name);
  }

  override takeResource(resource: FhirResource): void {
    this.#resource = resource;
  }

  /** Throws Misfit when none came. */
  held(): FhirResource {
    if (!this.#resource) throw new Misfit('a resource is expected');
    return this.#resource;
  }

  close(parent: Frame): void {
    if (this.#element) parent.take({ element: this.#element, value: this.held(), side: undefined });
  }
}

/** A resource, or an element with elements of its own. */
export class ElementFrame extends AnyFrame {
  readonly #shape: Shape;
  readonly #element: PlacedElement | undefined;
  readonly #made: Record<string, unknown> = {};
  /** Lists: of primitives also their ids and extensions, in step with their values. */
  readonly #lists = new Map<string, unknown[]>();
  #order = -1;

  /** `resourceType` for a resource, else `element`. */
  constructor(name: string, shape: Shape, element: PlacedElement | undefined, resourceType?: string) {
    super(name);
    this.#shape = shape;
    this.#element = element;
    if (resourceType !== undefined) this.#made['resourceType'] = resourceType;
  }

  child(name: string, shapes: Shapes): Frame {
    const element = this.#next(name);
    if (element.type === 'Resource') return new HolderFrame(name, element);
    if (shapes.isPrimitive(element.type)) return new PrimitiveFrame(name, element);
    const shape = shapes.shape(element.type);
    if (!shape) throw new Misfit(`the element ${shown(name)} is not known here`);
    return new ElementFrame(name, shape, element);
  }

  /** Throws Misfit for an element that is unknown, comes too late, or comes again. */
  #next(name: string): PlacedElement {
    const element = this.#shape.elements.get(name);
    if (!element || element.attribute) throw new Misfit(`the element ${shown(name)} is not known here`);
    if (element.order < this.#order) throw new Misfit(`the element ${name} is out of its order`);
    if (element.order === this.#order && !element.many) {
      throw new Misfit(`the element ${name} comes once only`);
    }
    this.#order = element.order;
    return element;
  }

  override attribute(attribute: Attribute): void {
    const { name, value } = attribute;
    if (!this.#shape.elements.get(name)?.attribute) super.attribute(attribute);
    this.#made[name] = nonEmpty(value);
  }

  override narrative(name: string): void {
    if (this.#shape.elements.get(name)?.type !== 'xhtml') super.narrative(name);
    this.#next(name);
  }

  override takeNarrative(text: string): void {
    this.#made['div'] = text;
  }

  override take({ element, value, side }: Taken): void {
    const { name, many } = element;
    if (many) {
      // Of what has no value, or no id and extensions, a null holds the place.
      this.#list(name).push(value ?? null);
      this.#list(`_${name}`).push(side ?? null);
      return;
    }
    if (value !== undefined) this.#made[name] = value;
    if (side !== undefined) this.#made[`_${name}`] = side;
  }

  #list(key: string): unknown[] {
    const known = this.#lists.get(key);
    if (known) return known;
    const list: unknown[] = [];
    this.#lists.set(key, list);
    this.#made[key] = list;
    return list;
  }

  close(parent: Frame): void {
    for (const [key, list] of this.#lists) {
      if (list.every((part) => part === null)) Reflect.deleteProperty(this.#made, key);
    }
    const element = this.#element;
    if (!element) {
      parent.takeResource(this.#made as FhirResource);
      return;
    }
    if (Object.keys(this.#made).length === 0) throw new Misfit('an element is not empty');
    parent.take({ element, value: this.#made, side: undefined });
  }
}

/** A value, with its id and extensions. */
export class PrimitiveFrame extends AnyFrame {
  readonly #element: PlacedElement;
  readonly #extensions: unknown[] = [];
  #value: unknown;
  #id: string | undefined;

  constructor(name: string, element: PlacedElement) {
    super(name);
    this.#element = element;
  }

  child(name: string, shapes: Shapes): Frame {
    const element = shapes.shape('Element')?.elements.get(name);
    const shape = shapes.shape('Extension');
    if (name !== 'extension' || !element || !shape) {
      throw new Misfit(`the element ${shown(name)} is not known here`);
    }
    return new ElementFrame(name, shape, element);
  }

  override attribute(attribute: Attribute): void {
    const { name, value } = attribute;
    if (name === 'value') this.#value = valueOf(this.#element.type, nonEmpty(value));
    else if (name === 'id') this.#id = nonEmpty(value);
    else super.attribute(attribute);
  }

  override take({ value }: Taken): void {
    this.#extensions.push(value);
  }

  close(parent: Frame): void {
    const side = {
      ...(this.#id === undefined ? {} : { id: this.#id }),
      ...(this.#extensions.length === 0 ? {} : { extension: this.#extensions }),
    };
    const bare = Object.keys(side).length === 0;
    if (this.#value === undefined && bare) throw new Misfit('an element has a value or extensions');
    parent.take({ element: this.#element, value: this.#value, side: bare ? undefined : side });
  }
}

const wholeNumber = /^-?(?:0|[1-9]\d*)$/;
const decimalNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** How the primitives that are no strings in JSON are read; undefined for what is none. */
const readers: Readonly<Record<string, (text: string) => number | RawNumber | boolean | undefined>> = {
  boolean: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  decimal: (text) => (decimalNumber.test(text) ? decimal(text) : undefined),
  integer: readWhole,
  positiveInt: readWhole,
  unsignedInt: readWhole,
};

function readWhole(text: string): number | RawNumber | undefined {
  return wholeNumber.test(text) ? decimal(text) : undefined;
}

function valueOf(type: string, text: string): unknown {
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined;
  if (!read) return text;
  const value = read(text);
  if (value === undefined) throw new Misfit(`the value is no ${type}`);
  return value;
}

function nonEmpty(value: string): string {
  if (value === '') throw new Misfit('an attribute is not empty');
  return value;
}

/** Names come from outside. */
const shown = (name: string): string => name.slice(0, 64);
