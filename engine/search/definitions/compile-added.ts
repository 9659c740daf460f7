// A SearchParameter that somebody wrote, compiled at run time. It can name elements and do nothing else: nothing of it is executed.
import { createHash } from 'node:crypto';
import type { SearchParameter } from '@medplum/fhirtypes';
import type { FhirResource } from '../../fhir/resource.ts';
import { Refusal } from '../../kernel/outcomes.ts';
import { readElements } from './cache.ts';
import { compileType } from './compile-type.ts';
import type { CompiledType } from './compiled.ts';
import { elementFacts } from './element-facts.ts';
import { sourceOf, type Defined } from './parameter-source.ts';

export interface AddedParameter {
  readonly url: string;
  readonly code: string;
  readonly types: readonly (readonly [type: string, compiled: CompiledType])[];
}

const codePattern = /^[A-Za-z][\w-]{0,63}$/;
const longestExpression = 4000;
const searchable: readonly string[] = [
  'number', 'date', 'string', 'token', 'reference', 'composite', 'quantity', 'uri',
]; // prettier-ignore

/** Throws Refusal `unprocessable`, saying why, for a SearchParameter that cannot be taken in use. */
export function compileAdded(resource: FhirResource, defined: Defined): AddedParameter {
  const parameter = admitted(resource);
  const facts = elementFacts(readElements());
  const bases: readonly string[] = parameter.base;
  const all = bases.includes('Resource') || bases.includes('DomainResource');
  const named = all ? facts.resourceTypes : facts.resourceTypes.filter((type) => bases.includes(type));
  if (named.length === 0) throw refused('its base names no resource type');
  const types = named.map((type) => {
    const source = sourceOf(parameter, type, facts, defined);
    const compiled = compileType(type, [source], facts, (_source, reason) => {
      throw refused(`for ${type}: ${reason.slice(0, 200)}`);
    });
    return [type, renamed(compiled, parameter)] as const;
  });
  return { url: parameter.url, code: parameter.code, types };
}

function admitted(resource: FhirResource): SearchParameter {
  const { resourceType, status, url, code, base, type, expression, target, component } = resource;
  if (resourceType !== 'SearchParameter') throw refused('it is none');
  if (status !== 'active') throw refused('its status is not active');
  if (typeof url !== 'string' || url === '') throw refused('it has no url');
  if (typeof code !== 'string' || !codePattern.test(code)) throw refused('its code is no name');
  if (!isTexts(base)) throw refused('its base is no list of resource types');
  if (typeof type !== 'string' || !searchable.includes(type)) {
    throw refused('values of its type are not searched');
  }
  if (typeof expression !== 'string' || expression.length > longestExpression) {
    throw refused(`it has no expression, or one of more than ${longestExpression} characters`);
  }
  if (target !== undefined && !isTexts(target)) throw refused('its target is no list of resource types');
  if (component !== undefined && !areComponents(component)) throw refused('its components cannot be read');
  return { ...(resource as object as SearchParameter), description: textOf(resource.description) };
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

const areComponents = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every(
    (one: unknown) =>
      typeof one === 'object' &&
      one !== null &&
      typeof (one as { readonly definition?: unknown }).definition === 'string' &&
      typeof (one as { readonly expression?: unknown }).expression === 'string',
  );

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/**
 * The names of its entries tell the definition too: what an earlier definition of the same code left in a store is not taken for this
 * one's.
 */
function renamed(compiled: CompiledType, { url, expression }: SearchParameter): CompiledType {
  const mark = createHash('sha256')
    .update(`${url}\n${expression ?? ''}`)
    .digest('hex')
    .slice(0, 8);
  const own = (name: string): string => `${name}~${mark}`;
  return {
    ...compiled,
    names: compiled.names.map(own),
    parameters: compiled.parameters.map((parameter) => ({
      ...parameter,
      sets: parameter.sets.map((set) => ({ ...set, name: own(set.name) })),
      ...(parameter.composite === undefined
        ? {}
        : {
            composite: {
              ...parameter.composite,
              ways: parameter.composite.ways.map((way) => ('entry' in way ? { entry: own(way.entry) } : way)),
            },
          }),
    })),
  };
}

const refused = (why: string): Refusal =>
  new Refusal('unprocessable', `the SearchParameter cannot be taken in use: ${why}`, 'SearchParameter');
