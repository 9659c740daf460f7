// Composite parameters: `code-value-quantity` is `code` and `value-quantity` together where neither can repeat, so that no row more is
// needed; where the pair can repeat (components, contexts, characteristics) each pair has an entry of its own.
// https://hl7.org/fhir/R4/search.html#combining
import { compileExpression, compileWithin, OutsideSubset, type Branch } from './compile-expression.ts';
import type { CompiledComponent, CompiledParameter, CompositeWay } from './compiled.ts';
import type { ElementFacts } from './element-facts.ts';
import type { Wanted, WantedComposite } from './extraction-tree.ts';
import {
  impliedSystems,
  literalExtractors,
  pathKey,
  wantedAt,
  type ComponentSource,
  type ParameterSource,
  type ParameterWants,
} from './wanted-values.ts';

/** As many as R4's own have. */
const maximumParts = 3;

export interface CompositeSources {
  readonly type: string;
  readonly facts: ElementFacts;
  /** The parameters that are no composites, for pairs that they can find together. */
  readonly others: readonly ParameterWants[];
  /** Gives an entry's name its place in `CompiledType.names`. */
  readonly place: (name: string) => number;
}

/** Parameters and the entries that they need. Shared entries are named after the parameter with the fewest ways. */
export function compileComposites(
  sources: readonly ParameterSource[],
  from: CompositeSources,
  leave: (source: ParameterSource, reason: string) => void,
): { readonly parameters: readonly CompiledParameter[]; readonly entries: readonly WantedComposite[] } {
  const entries = new Map<string, WantedComposite & { readonly entry: string }>();
  const parameters: CompiledParameter[] = [];
  for (const source of sources.toSorted((one, other) => one.expression.length - other.expression.length)) {
    try {
      parameters.push(compileOne(source, from, entries));
    } catch (error) {
      leave(source, error instanceof Error ? error.message : String(error));
    }
  }
  return { parameters, entries: [...entries.values()] };
}

function compileOne(
  source: ParameterSource,
  from: CompositeSources,
  entries: Map<string, WantedComposite & { readonly entry: string }>,
): CompiledParameter {
  const { type, facts } = from;
  const components = source.components ?? [];
  const found = compileExpression(source.expression, type, facts).branches.map((branch) => ({
    branch,
    wants: components.map((component) => wantsOfComponent(component, branch, from)),
  }));
  const [first] = found;
  if (first === undefined || components.length < 2) {
    throw new OutsideSubset('no element that repeats together');
  }
  const ways = found.map(({ branch, wants }): CompositeWay => {
    const together = togetherBy(branch, wants, from.others);
    if (together !== undefined) return { type, together };
    if (components.length > maximumParts) throw new OutsideSubset('more than three values together');
    if (branch.steps.length === 0) throw new OutsideSubset('pairs of elements of the whole resource');
    const key = `${pathKey(branch)} ${wants.map((all) => all.map((want) => want.key).join()).join(' ')}`;
    const entry = entries.get(key)?.entry ?? `${type}.${source.code}`;
    entries.set(key, { branch, name: from.place(entry), components: wants, entry });
    return { entry };
  });
  const { code, definition, documentation } = source;
  return {
    ...{ code, type: 'composite', definition, documentation, targets: [], sets: [], literal: false },
    composite: { components: first.wants.map((wants, place) => compiled(wants, components[place])), ways },
  };
}

/** The registry has the kinds of DocumentReference `relationship` the wrong way round: where the kind does not fit, another does. */
const kinds: readonly CompiledComponent['type'][] = [
  'token', 'reference', 'quantity', 'date', 'string', 'number', 'uri',
]; // prettier-ignore

function wantsOfComponent(
  component: ComponentSource,
  branch: Branch,
  { type, facts }: CompositeSources,
): readonly Wanted[] {
  const branches = compileWithin(component.expression, branch, type, facts);
  for (const kind of [component.type, ...kinds]) {
    const wants = branches.flatMap((one) => wantedAt(one, kind) ?? []);
    if (wants.length > 0) return wants;
  }
  throw new OutsideSubset(`nothing to index at ${component.expression}`);
}

function compiled(wants: readonly Wanted[], source: ComponentSource | undefined): CompiledComponent {
  const type = kinds.find((kind) => wants[0]?.extractor.startsWith(`${kind}:`)) ?? 'token';
  const systems = impliedSystems(wants);
  return {
    type,
    targets: type === 'reference' ? (source?.targets ?? []) : [],
    literal: wants.some(({ extractor }) => literalExtractors.has(extractor)),
    ...(systems.length === 0 ? {} : { systems }),
  };
}

/** Codes of parameters that find the same together, since nothing on the way can repeat; undefined where there are none. */
function togetherBy(
  branch: Branch,
  wants: readonly (readonly Wanted[])[],
  others: readonly ParameterWants[],
): readonly string[] | undefined {
  if (branch.many || wants.flat().some((want) => want.branch.many)) return undefined;
  const codes = wants.map((keys) => smallestWith(keys, others)?.source.code);
  return codes.every((code) => code !== undefined) ? codes : undefined;
}

function smallestWith(
  keys: readonly Wanted[],
  others: readonly ParameterWants[],
): ParameterWants | undefined {
  const able = others.filter(({ wants, source }) =>
    keys.every(
      ({ key }) =>
        source.reads === undefined && wants.some((want) => want.key === key && want.only === undefined),
    ),
  );
  return able.toSorted((one, other) => one.wants.length - other.wants.length)[0];
}
