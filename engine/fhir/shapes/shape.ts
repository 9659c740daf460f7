// What R4 says of the shape of resources and datatypes: which elements, in what order, of what type. No rule beyond that.
// https://hl7.org/fhir/R4/json.html, https://hl7.org/fhir/R4/xml.html

/** One element, a choice spelt out: `valueQuantity`. */
export interface ElementShape {
  readonly name: string;
  /** A datatype (`HumanName`), `Resource` for any resource, or the path of a backbone element (`Patient.contact`). */
  readonly type: string;
  readonly many?: true;
  /** Of a choice: what its types have in common, `value`. */
  readonly choice?: string;
  /** In XML an attribute. */
  readonly attribute?: true;
  /** Part of `_summary=true`. */
  readonly summary?: true;
  /** Never left out of a subset: its cardinality begins with 1, or it changes what the resource means. */
  readonly kept?: true;
}

/** What is compiled from the definitions: plain JSON. */
export interface CompiledShapes {
  /** By type or path, elements in the order of the specification. */
  readonly elements: Readonly<Record<string, readonly ElementShape[]>>;
  readonly primitives: readonly string[];
  readonly resources: readonly string[];
}

/** An element with its place. */
export type PlacedElement = ElementShape & { readonly order: number };

export interface Shape {
  /** By JSON property, without the `_` of primitives. */
  readonly elements: ReadonlyMap<string, PlacedElement>;
}

export interface Shapes {
  isResource(type: string): boolean;
  isPrimitive(type: string): boolean;
  /** undefined for what is no type or path with elements of its own. */
  shape(type: string): Shape | undefined;
}

/** Each shape is put together when it is first asked for. */
export function shapesOf(compiled: CompiledShapes): Shapes {
  const resources = new Set(compiled.resources);
  const primitives = new Set(compiled.primitives);
  const known = new Map<string, Shape>();
  return {
    isResource: (type) => resources.has(type),
    isPrimitive: (type) => primitives.has(type),
    shape: (type) => {
      const found = known.get(type);
      if (found || !Object.hasOwn(compiled.elements, type)) return found;
      const made = placed(compiled.elements[type] ?? []);
      known.set(type, made);
      return made;
    },
  };
}

const placed = (elements: readonly ElementShape[]): Shape => ({
  elements: new Map(elements.map((element, order) => [element.name, { ...element, order }])),
});

/** The elements of a type that go by a name: one, or for the name of a choice (`value`) each `value[x]`. */
export function elementsNamed(shapes: Shapes, type: string, name: string): readonly PlacedElement[] {
  const elements = shapes.shape(type)?.elements;
  const element = elements?.get(name);
  if (element) return [element];
  return [...(elements?.values() ?? [])].filter(({ choice }) => choice === name);
}
