// What the StructureDefinitions say of elements, as far as search needs it: the JSON properties of an element and their types.
import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';

export interface ElementValue {
  /** As in JSON: `effectiveDateTime`. */
  readonly property: string;
  /** FHIR datatype: `dateTime`, `CodeableConcept`, `BackboneElement`. */
  readonly type: string;
  /** Where its own elements are found: the datatype, or the path for a backbone element. */
  readonly path: string;
  readonly many: boolean;
  /** Code systems of the value set to which it is bound. */
  readonly systems: readonly string[];
}

export interface ElementFacts {
  /** Names of the concrete resource types, in order. */
  readonly resourceTypes: readonly string[];
  /** `child('Observation', 'value')` gives one value for each type that `value[x]` may have; none when there is no such element. */
  child(path: string, name: string): readonly ElementValue[];
  /** Whether a type is that type or specialises it: a `canonical` is a `uri`. */
  isKindOf(type: string, ancestor: string): boolean;
}

/** The facts as plain JSON, kept with the compiled definitions for parameters that are added at run time. */
export interface ElementData {
  readonly resourceTypes: readonly string[];
  readonly parents: Readonly<Record<string, string | undefined>>;
  readonly elements: Readonly<Record<string, ElementDatum>>;
}

interface ElementDatum {
  readonly types: readonly string[];
  /** Described there instead. */
  readonly like?: string;
  readonly many?: true;
  readonly systems?: readonly string[];
}

/** Reads the elements of all resource and data types out of their snapshots. `systemsOf` knows the code systems of a value set. */
export function elementData(
  definitions: readonly StructureDefinition[],
  systemsOf: (valueSet: string) => readonly string[],
): ElementData {
  const bases = definitions.filter((definition) => definition.derivation !== 'constraint');
  const elements = bases.flatMap((definition) => definition.snapshot?.element ?? []);
  return {
    resourceTypes: bases.filter(isConcreteResource).map((definition) => definition.type),
    parents: Object.fromEntries(
      bases.map(({ type, baseDefinition }) => [type, baseDefinition?.replace(/^.*\//, '')]),
    ),
    elements: Object.fromEntries(elements.map((element) => [element.path, datumOf(element, systemsOf)])),
  };
}

function datumOf(
  element: ElementDefinition,
  systemsOf: (valueSet: string) => readonly string[],
): ElementDatum {
  const { contentReference, max, binding } = element;
  const types = typesOf(element);
  const systems = types.includes('code') ? systemsOf(binding?.valueSet?.replace(/\|.*$/, '') ?? '') : [];
  return {
    types,
    ...(contentReference === undefined ? {} : { like: contentReference.replace(/^.*#/, '') }),
    ...(max === '1' || max === '0' ? {} : { many: true }),
    ...(systems.length === 0 ? {} : { systems }),
  };
}

export function elementFacts({ resourceTypes, parents, elements }: ElementData): ElementFacts {
  const known = new Map(Object.entries(elements));
  return {
    isKindOf: (type, ancestor) => isKindOf(parents, type, ancestor),
    resourceTypes,
    child: (path, name) => valuesOf(known, `${path}.${name}`, name),
  };
}

function isKindOf(parents: ElementData['parents'], type: string, ancestor: string): boolean {
  if (type === ancestor) return true;
  const parent = Object.hasOwn(parents, type) ? parents[type] : undefined;
  return parent !== undefined && isKindOf(parents, parent, ancestor);
}

/** `Parameters` is a resource that is never stored or searched. */
const isConcreteResource = (definition: StructureDefinition): boolean =>
  definition.kind === 'resource' && !definition.abstract && definition.type !== 'Parameters';

function valuesOf(
  elements: ReadonlyMap<string, ElementDatum>,
  path: string,
  name: string,
): readonly ElementValue[] {
  const plain = elements.get(path);
  if (plain?.like !== undefined) return [valueOf(plain, plain.like, name, 'BackboneElement')];
  if (plain !== undefined) return plain.types.map((type) => valueOf(plain, path, name, type));
  const choice = elements.get(`${path}[x]`);
  if (choice === undefined) return [];
  return choice.types.map((type) =>
    valueOf(choice, path, `${name}${type.charAt(0).toUpperCase()}${type.slice(1)}`, type),
  );
}

const backbone = new Set(['BackboneElement', 'Element']);

const valueOf = (datum: ElementDatum, path: string, property: string, type: string): ElementValue => ({
  property,
  type,
  path: backbone.has(type) ? path : type,
  many: datum.many === true,
  systems: datum.systems ?? [],
});

/** Ids are written with a FHIRPath type: http://hl7.org/fhirpath/System.String */
const typesOf = (element: ElementDefinition): readonly string[] => [
  ...new Set((element.type ?? []).map((type) => (type.code.startsWith('http:') ? 'id' : type.code))),
];
