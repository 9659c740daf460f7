// How a reference parameter leads from the resources that have it to those of another type: by address, or by canonical url.
import type { CompiledParameter } from './definitions/compiled.ts';
import { canonicalNamesOf } from './extraction/canonical-names.ts';
import { entryNames } from './extraction/entry-names.ts';
import type { CanonicalNames, ParameterName } from './plan.ts';

/** As in the conditions `points-at` and `pointed-at-by`. */
export interface Link {
  readonly parameter: ParameterName;
  readonly by?: CanonicalNames;
}

export const isFollowed = ({ literal, canonical }: CompiledParameter): boolean =>
  literal || canonical === true;

/** None where it does not lead there. `named`: whether canonicals lead to resources of the target type. */
export const linksOf = (parameter: CompiledParameter, target: string, named: boolean): readonly Link[] => [
  ...(parameter.literal ? addressLinks(parameter, target) : []),
  ...(named ? canonicalLinks(parameter, target) : []),
];

const addressLinks = ({ sets }: CompiledParameter, target: string): readonly Link[] =>
  sets.filter(({ only }) => only === undefined || only === target).map(({ name }) => ({ parameter: name }));

export const canonicalLinks = (
  { sets, canonical }: CompiledParameter,
  target: string,
): readonly Required<Link>[] =>
  canonical === true
    ? sets.map(({ name }) => ({ parameter: entryNames(name).written, by: canonicalNamesOf(target) }))
    : [];
