// A resource as FHIR XML: elements in the order of the definitions, primitives as attributes, decimals digit for digit.
import { decimalText } from '../exact-json.ts';
import { Refusal } from '../../kernel/outcomes.ts';
import type { FhirResource } from '../resource.ts';
import type { PlacedElement, Shape, Shapes } from '../shapes/shape.ts';
import { escapeAttribute, fhirNamespace } from './characters.ts';
import { narrativeXml } from './narrative.ts';

type Fields = Readonly<Record<string, unknown>>;
type Field = readonly [key: string, value: unknown];

/** One element to be written; `side`: the `_name` of a primitive, with its id and extensions. */
interface Content {
  readonly element: PlacedElement;
  readonly value: unknown;
  readonly side: unknown;
}

/** See FhirXml.write. */
export function writeXml(resource: FhirResource, shapes: Shapes, pretty: boolean): string {
  const writer = new XmlWriter(shapes, pretty);
  writer.resource(resource, resource.resourceType, 0);
  return writer.text();
}

class XmlWriter {
  readonly #shapes: Shapes;
  readonly #pretty: boolean;
  readonly #parts: string[] = ['<?xml version="1.0" encoding="UTF-8"?>'];

  constructor(shapes: Shapes, pretty: boolean) {
    this.#shapes = shapes;
    this.#pretty = pretty;
    if (!pretty) this.#parts.push('\n');
  }

  text(): string {
    return this.#parts.join('');
  }

  /** `path`: for refusals, as FHIRPath. */
  resource(value: unknown, path: string, depth: number): void {
    if (!isFields(value) || typeof value['resourceType'] !== 'string') throw unfit('a resource', path);
    const type = value['resourceType'];
    if (!this.#shapes.isResource(type)) throw unfit('a resource of a type of R4', path);
    const contents = this.#contents(Object.entries(value).filter(notType), this.#shapeOf(type, path), path);
    this.#open(depth, `<${type} xmlns="${fhirNamespace}"`);
    this.#rest(type, contents, undefined, path, depth);
  }

  /** The rest of an element whose tag has been begun: attributes, and what it contains. */
  #rest(name: string, contents: readonly Content[], value: unknown, path: string, depth: number): void {
    const children = contents.filter(({ element }) => element.attribute === undefined);
    for (const content of contents) {
      if (content.element.attribute) this.#attribute(content.element.name, content.value, path);
    }
    if (value !== undefined && value !== null) this.#attribute('value', value, path);
    if (children.length === 0) return void this.#parts.push('/>');
    this.#parts.push('>');
    for (const child of children) this.#content(child, `${path}.${child.element.name}`, depth + 1);
    this.#indent(depth);
    this.#parts.push(`</${name}>`);
  }

  #content({ element, value, side }: Content, path: string, depth: number): void {
    if (!element.many) {
      if (Array.isArray(value) || Array.isArray(side)) throw unfit('one value', path);
      this.#one(element, value, side, path, depth);
      return;
    }
    if (value !== undefined && !Array.isArray(value)) throw unfit('a list', path);
    if (side !== undefined && !Array.isArray(side)) throw unfit('a list', path);
    const values: readonly unknown[] = value ?? [];
    const sides: readonly unknown[] = side ?? [];
    for (let place = 0; place < Math.max(values.length, sides.length); place++) {
      this.#one(element, values[place], sides[place], `${path}[${place}]`, depth);
    }
  }

  #one(element: PlacedElement, value: unknown, side: unknown, path: string, depth: number): void {
    const { name, type } = element;
    if (type === 'xhtml') this.#narrative(value, path, depth);
    else if (type === 'Resource') this.#held(name, value, path, depth);
    else this.#element(element, value, side, path, depth);
  }

  #held(name: string, value: unknown, path: string, depth: number): void {
    this.#open(depth, `<${name}>`);
    this.resource(value, path, depth + 1);
    this.#indent(depth);
    this.#parts.push(`</${name}>`);
  }

  #element({ name, type }: PlacedElement, value: unknown, side: unknown, path: string, depth: number): void {
    const primitive = this.#shapes.isPrimitive(type);
    const fields = primitive ? (side ?? {}) : value;
    if (!isFields(fields)) throw unfit('an element with elements of its own', path);
    const contents = this.#contents(Object.entries(fields), this.#shapeOf(type, path), path);
    this.#open(depth, `<${name}`);
    this.#rest(name, contents, primitive ? value : undefined, path, depth);
  }

  #attribute(name: string, value: unknown, path: string): void {
    this.#parts.push(` ${name}="${attributeText(value, path)}"`);
  }

  #narrative(value: unknown, path: string, depth: number): void {
    const xml = typeof value === 'string' ? narrativeXml(value) : undefined;
    if (xml === undefined) throw unfit('a narrative of well-formed XHTML', path);
    this.#open(depth, xml);
  }

  /** What an object carries, in the order of the definitions. */
  #contents(fields: readonly Field[], shape: Shape, path: string): readonly Content[] {
    const found = new Map<string, Content>();
    for (const [key, value] of fields) {
      const name = key.startsWith('_') ? key.slice(1) : key;
      const element = shape.elements.get(name);
      const known = element && (name === key || this.#shapes.isPrimitive(element.type));
      if (!known) throw unfit('an element that R4 knows', `${path}.${key.slice(0, 64)}`);
      const other = found.get(name) ?? { element, value: undefined, side: undefined };
      found.set(name, name === key ? { ...other, value } : { ...other, side: value });
    }
    return [...found.values()].sort((one, other) => one.element.order - other.element.order);
  }

  #shapeOf(type: string, path: string): Shape {
    const shape = this.#shapes.shape(type);
    if (!shape) throw unfit('an element of a known type', path);
    return shape;
  }

  #open(depth: number, text: string): void {
    this.#indent(depth);
    this.#parts.push(text);
  }

  #indent(depth: number): void {
    if (this.#pretty) this.#parts.push('\n', '  '.repeat(depth));
  }
}

const notType = ([key]: Field): boolean => key !== 'resourceType';

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function attributeText(value: unknown, path: string): string {
  const text =
    typeof value === 'string' ? value : typeof value === 'boolean' ? String(value) : decimalText(value);
  const escaped = text === undefined ? undefined : escapeAttribute(text);
  if (escaped === undefined) throw unfit('a value of characters that XML allows', path);
  return escaped;
}

/** What JSON can hold and XML cannot: nothing is left out in silence. */
const unfit = (expected: string, path: string): Refusal =>
  new Refusal('not-acceptable', `XML cannot hold this: ${expected} is expected; ask for JSON`, path);
