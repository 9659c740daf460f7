// All search parameters of one resource type, compiled: which values the type's resources are indexed under, and under which of them
// each parameter looks. A value that several parameters want is indexed once: values wanted by the same parameters form a
// set with one ParameterName, and a parameter looks in one or more sets.
import { compileComposites } from './compile-composite.ts';
import type { CompiledParameter, CompiledSet, CompiledType, Presence } from './compiled.ts';
import type { ElementFacts } from './element-facts.ts';
import { extractionTree, type Wanted } from './extraction-tree.ts';
import { setNames } from './set-names.ts';
import { wantsOf, type ParameterSource, type ParameterWants } from './wanted-values.ts';

/** Parameters that cannot be indexed are told to `leave` with the reason. */
export function compileType(
  type: string,
  sources: readonly ParameterSource[],
  facts: ElementFacts,
  leave: (source: ParameterSource, reason: string) => void,
): CompiledType {
  const wanted = new Map<string, Wanted>();
  const wants: ParameterWants[] = [];
  const names: string[] = [];
  for (const source of sources.filter(isPath)) {
    try {
      const compiled = wantsOf(source, type, facts, wanted);
      if (compiled.wants.length + compiled.presences.length > 0) wants.push(compiled);
      else leave(source, 'no element that it names can be indexed');
    } catch (error) {
      leave(source, error instanceof Error ? error.message : String(error));
    }
  }
  const setOf = setNames(type, wants);
  const place = placesIn(names);
  const paths = [...wanted.values()].map((want) => ({ want, name: place(setOf.get(want.key) ?? '') }));
  const plain = wants.map((one) => parameterOf(one, setsOf(type, one, setOf)));
  const presences = wants.flatMap((one) => presencesOf(type, one, place));
  const composites = compileComposites(
    sources.filter(({ type: kind }) => kind === 'composite'),
    { type, facts, others: wants, place },
    leave,
  );
  const texts = sources.filter(({ reads }) => reads === 'text').map((source) => textParameter(type, source));
  return {
    parameters: [...plain, ...composites.parameters, ...texts],
    names,
    nodes: extractionTree(paths, composites.entries),
    presences,
  };
}

const isPath = ({ type, reads }: ParameterSource): boolean => type !== 'composite' && reads !== 'text';

/** Gives each name its place in the list, one and the same when it is asked again. */
function placesIn(names: string[]): (name: string) => number {
  const places = new Map<string, number>();
  return (name) => {
    const known = places.get(name);
    if (known !== undefined) return known;
    places.set(name, names.length);
    return names.push(name) - 1;
  };
}

const presencesOf = (
  type: string,
  { source, presences }: ParameterWants,
  place: (name: string) => number,
): readonly Presence[] =>
  presences.map((properties) => ({ properties, name: place(`${type}.${source.code}`) }));

function parameterOf(
  { source, literal, canonical, systems }: ParameterWants,
  sets: CompiledSet[],
): CompiledParameter {
  const { code, type, definition, documentation, targets, reads } = source;
  return {
    ...{ code, type, definition, documentation, targets, sets, literal },
    ...(canonical ? { canonical } : {}),
    ...(systems.length === 0 ? {} : { systems }),
    ...(reads === undefined ? {} : { reads }),
  };
}

/** The words of the whole resource: no path leads to them. */
function textParameter(type: string, source: ParameterSource): CompiledParameter {
  const { code, definition, documentation } = source;
  const sets = [{ name: `${type}.${code}` }];
  return {
    ...{ code, type: source.type, definition, documentation, targets: [], sets, literal: false },
    reads: 'text',
  };
}

function setsOf(type: string, one: ParameterWants, setOf: ReadonlyMap<string, string>): CompiledSet[] {
  const sets = new Map<string, CompiledSet>();
  for (const { key, only } of one.wants) {
    const name = setOf.get(key) ?? '';
    sets.set(`${name} ${only ?? ''}`, only === undefined ? { name } : { name, only });
  }
  const presence = `${type}.${one.source.code}`;
  if (one.presences.length > 0) sets.set(presence, { name: presence });
  return [...sets.values()];
}
