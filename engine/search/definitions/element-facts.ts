// What the StructureDefinitions say of elements, as far as search needs it: the JSON properties of an element and their types.
import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';

export interface ElementValue {
  /** As in JSON: `effectiveDateTime`. */
  readonly property: string;
  /** FHIR datatype: `dateTime`, `CodeableConcept`, `BackboneElement`. */
  readonly type: string;
  /** Where its own elements are found: the datatype, or the path for a backbone element. */
  readonly path: string;
}

export interface ElementFacts {
  /** Names of the concrete resource types, in order. */
  readonly resourceTypes: readonly string[];
  /** `child('Observation', 'value')` gives one value for each type that `value[x]` may have; none when there is no such element. */
  child(path: string, name: string): readonly ElementValue[];
  /** Whether a type is that type or specialises it: a `canonical` is a `uri`. */
  isKindOf(type: string, ancestor: string): boolean;
}

/** Reads the elements of all resource and data types out of their snapshots. */
export function elementFacts(definitions: readonly StructureDefinition[]): ElementFacts {
  const elements = new Map<string, ElementDefinition>();
  const bases = definitions.filter((definition) => definition.derivation !== 'constraint');
  for (const definition of bases) {
    for (const element of definition.snapshot?.element ?? []) elements.set(element.path, element);
  }
  const parents = new Map(
    bases.map(({ type, baseDefinition }) => [type, baseDefinition?.replace(/^.*\//, '')]),
  );
  return {
    isKindOf: (type, ancestor) => isKindOf(parents, type, ancestor),
    resourceTypes: bases.filter(isConcreteResource).map((definition) => definition.type),
    child: (path, name) => valuesOf(elements, `${path}.${name}`, name),
  };
}

function isKindOf(parents: ReadonlyMap<string, string | undefined>, type: string, ancestor: string): boolean {
  if (type === ancestor) return true;
  const parent = parents.get(type);
  return parent !== undefined && isKindOf(parents, parent, ancestor);
}

/** `Parameters` is a resource that is never stored or searched. */
const isConcreteResource = (definition: StructureDefinition): boolean =>
  definition.kind === 'resource' && !definition.abstract && definition.type !== 'Parameters';

function valuesOf(
  elements: ReadonlyMap<string, ElementDefinition>,
  path: string,
  name: string,
): readonly ElementValue[] {
  const plain = elements.get(path);
  if (plain?.contentReference !== undefined) {
    return [{ property: name, type: 'BackboneElement', path: plain.contentReference.replace(/^.*#/, '') }];
  }
  if (plain !== undefined) return typesOf(plain).map((type) => valueOf(path, name, type));
  const choice = elements.get(`${path}[x]`);
  if (choice === undefined) return [];
  return typesOf(choice).map((type) =>
    valueOf(path, `${name}${type.charAt(0).toUpperCase()}${type.slice(1)}`, type),
  );
}

const backbone = new Set(['BackboneElement', 'Element']);

const valueOf = (path: string, property: string, type: string): ElementValue => ({
  property,
  type,
  path: backbone.has(type) ? path : type,
});

/** Ids are written with a FHIRPath type: http://hl7.org/fhirpath/System.String */
const typesOf = (element: ElementDefinition): readonly string[] => [
  ...new Set((element.type ?? []).map((type) => (type.code.startsWith('http:') ? 'id' : type.code))),
];
