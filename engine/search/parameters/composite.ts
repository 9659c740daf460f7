// Composite parameters: `code-value-quantity=http://loinc.org|8480-6$gt140`. https://hl7.org/fhir/R4/search.html#combining
import { badRequest } from '../../kernel/outcomes.ts';
import { allOf, anyOf, leaf } from '../condition.ts';
import type { CompiledComponent, CompiledParameter, CompositeWay } from '../definitions/compiled.ts';
import { entryNames } from '../extraction/entry-names.ts';
import type { Condition, PartLeaf } from '../plan.ts';
import { splitEscaped } from './escapes.ts';
import { unreadable, type ReadingOptions, type ValueReader } from './reader.ts';

/** So many combinations of what the values may mean are looked for. */
const maximumCombinations = 500;

/** Made for the readers of the components' types. */
export const compositeReader =
  (readerOf: (parameter: CompiledParameter) => ValueReader): ValueReader =>
  (parameter, text, options) => {
    const { components, ways } = parameter.composite ?? { components: [], ways: [] };
    const values = splitEscaped(text, '$');
    if (values.length !== components.length || values.includes('')) {
      throw unreadable(parameter, `${components.length} values joined by $`);
    }
    const read = (part: CompiledParameter, place: number): Condition =>
      readerOf(part)(part, values[place] ?? '', options);
    return anyOf(
      ways.map((way) => {
        if ('together' in way) return allOf(togetherOf(parameter, way, options).map(read));
        const parts = components.map((component) => partOf(parameter, component, way.entry));
        return pairedIn(parameter, way.entry, parts.map(read));
      }),
    );
  };

/** `:missing` of one way: no entry, or one of those that stand together is not there. */
export function missingWay(
  parameter: CompiledParameter,
  way: CompositeWay,
  options: ReadingOptions,
  missing: (parameter: CompiledParameter) => Condition,
): Condition {
  if ('entry' in way) return leaf({ kind: 'missing', parameter: way.entry });
  return anyOf(togetherOf(parameter, way, options).map(missing));
}

/** The parameters of the same type that find it together. */
function togetherOf(
  { code }: CompiledParameter,
  { type, together }: Extract<CompositeWay, { readonly type: string }>,
  options: ReadingOptions,
): readonly CompiledParameter[] {
  return together.map((one) => {
    const found = options.find(type, one);
    if (found === undefined) throw new Error(`the composite ${code} needs ${one}, which is not compiled`);
    return found;
  });
}

const partOf = (
  { code, definition, documentation }: CompiledParameter,
  component: CompiledComponent,
  name: string,
): CompiledParameter => ({ ...component, code, definition, documentation, sets: [{ name }] });

/** Each combination of leaves, one of each part, as a leaf on the entry. */
function pairedIn(parameter: CompiledParameter, entry: string, parts: readonly Condition[]): Condition {
  let combinations: readonly (readonly PartLeaf[])[] = [[]];
  for (const part of parts) {
    const leaves = leavesOf(part);
    combinations = combinations.flatMap((before) => leaves.map((one) => [...before, one]));
    if (combinations.length > maximumCombinations) {
      throw badRequest(`${parameter.code} can mean too much: name systems and types`, parameter.code);
    }
  }
  const { canonical } = entryNames(entry);
  return anyOf(
    combinations.map((leaves) => {
      const name = leaves.some((one) => one.parameter === canonical) ? canonical : entry;
      const renamed = leaves.map((one) => ({ ...one, parameter: name }));
      return leaf({ kind: 'composite', parameter: name, parts: renamed });
    }),
  );
}

function leavesOf(condition: Condition): readonly PartLeaf[] {
  switch (condition.op) {
    case 'leaf':
      return isPart(condition.leaf) ? [condition.leaf] : [];
    case 'or':
      return condition.of.flatMap(leavesOf);
    case 'none':
    case 'every':
    case 'and':
    case 'not':
    case 'points-at':
    case 'pointed-at-by':
      return [];
  }
}

const partKinds: ReadonlySet<string> = new Set([
  'token', 'reference', 'uri', 'string', 'date', 'number', 'quantity',
] satisfies PartLeaf['kind'][]); // prettier-ignore

const isPart = (one: { readonly kind: string }): one is PartLeaf => partKinds.has(one.kind);
