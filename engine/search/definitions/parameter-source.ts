// SearchParameter resources as sources for the compiler.
import type { SearchParameter } from '@medplum/fhirtypes';
import type { SearchParameterInfo } from '../search-index.ts';
import type { Reading } from './compiled.ts';
import type { ElementFacts } from './element-facts.ts';
import type { ComponentSource, ParameterSource } from './wanted-values.ts';

/** Words of the whole resource. */
export const textParameters: ReadonlySet<string> = new Set(['_text', '_content']);

/** What a component of a composite refers to, by its canonical URL. */
export type Defined = (
  url: string,
) => { readonly type: SearchParameterInfo['type']; readonly targets: readonly string[] } | undefined;

export function sourceOf(
  parameter: SearchParameter,
  type: string,
  facts: ElementFacts,
  defined: Defined,
): ParameterSource {
  const reads = readingOf(parameter);
  return {
    code: parameter.code,
    type: parameter.type,
    definition: parameter.url,
    documentation: documentationFor(type, parameter.description),
    expression: parameter.expression ?? '',
    targets: targetsOf(parameter, facts),
    components: (parameter.component ?? []).map(({ definition, expression }): ComponentSource => {
      const other = defined(definition);
      return { type: other?.type ?? 'token', targets: other?.targets ?? [], expression };
    }),
    ...(reads === undefined ? {} : { reads }),
  };
}

function readingOf({ code, type }: SearchParameter): Reading | undefined {
  if (textParameters.has(code)) return 'text';
  if (code === 'phonetic') return 'phonetic';
  return type === 'special' ? 'position' : undefined;
}

/** None for a parameter that may point at anything: it says `Resource`, or nothing. */
export function targetsOf(parameter: SearchParameter, facts: ElementFacts): readonly string[] {
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
