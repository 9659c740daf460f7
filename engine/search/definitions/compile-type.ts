// All search parameters of one resource type, compiled: which values the type's resources are indexed under, and under which of them
// each parameter looks. A value that several parameters want is indexed once: values wanted by the same parameters form a
// set with one ParameterName, and a parameter looks in one or more sets.
import { extractorNames } from '../extraction/extractors.ts';
import type { SearchParameterInfo } from '../search-index.ts';
import { compileExpression, type Branch } from './compile-expression.ts';
import type { CompiledParameter, CompiledSet, CompiledType, ExtractionNode, Presence } from './compiled.ts';
import type { ElementFacts } from './element-facts.ts';
import { extractionTree, type Wanted } from './extraction-tree.ts';

/** A search parameter as it is defined. */
export interface ParameterSource extends SearchParameterInfo {
  readonly expression: string;
  readonly targets: readonly string[];
}

interface ParameterWants {
  readonly source: ParameterSource;
  readonly wants: readonly { readonly key: string; readonly only: string | undefined }[];
  readonly presences: readonly (readonly string[])[];
  readonly literal: boolean;
}

/** Datatypes that are indexed by their parts. Each part can be wanted by another parameter too (`family`, `address-city`). */
const parts: Readonly<Record<string, readonly string[]>> = {
  'string:HumanName': ['family', 'given', 'text', 'prefix', 'suffix'],
  'string:Address': ['text', 'line', 'city', 'district', 'state', 'postalCode', 'country'],
};

/** Parameters that cannot be indexed are told to `leave` with the reason. */
export function compileType(
  type: string,
  sources: readonly ParameterSource[],
  facts: ElementFacts,
  leave: (source: ParameterSource, reason: string) => void,
): CompiledType {
  const wanted = new Map<string, Wanted>();
  const wants: ParameterWants[] = [];
  for (const source of sources) {
    try {
      const compiled = wantsOf(source, type, facts, wanted);
      if (compiled.wants.length + compiled.presences.length > 0) wants.push(compiled);
      else leave(source, 'no element that it names can be indexed');
    } catch (error) {
      leave(source, error instanceof Error ? error.message : String(error));
    }
  }
  return assemble(type, wants, wanted);
}

function wantsOf(
  source: ParameterSource,
  type: string,
  facts: ElementFacts,
  wanted: Map<string, Wanted>,
): ParameterWants {
  const { branches, presences } = compileExpression(source.expression, type, facts);
  const found = branches.flatMap((branch) => expand(source, branch, facts));
  for (const { want } of found) if (!wanted.has(want.key)) wanted.set(want.key, want);
  return {
    source,
    wants: found.map(({ want, only }) => ({ key: want.key, only })),
    presences,
    literal: found.some(({ want }) => want.extractor === 'reference:Reference'),
  };
}

/** What a branch wants indexed: nothing where its type has no extractor for the parameter's type. */
function expand(
  source: ParameterSource,
  branch: Branch,
  facts: ElementFacts,
): readonly { readonly want: Wanted; readonly only: string | undefined }[] {
  const inner = parts[`${source.type}:${branch.type}`];
  if (inner !== undefined) {
    return inner.flatMap((name) => expand(source, partOf(branch, name, facts), facts));
  }
  const extractor = `${source.type}:${branch.type}`;
  if (!extractorNames.has(extractor)) return [];
  const { branch: whole, only } = withoutRestriction(branch, extractor);
  return [{ want: { key: `${extractor} ${pathKey(whole)}`, branch: whole, extractor }, only }];
}

function partOf(branch: Branch, name: string, facts: ElementFacts): Branch {
  const [value] = facts.child(branch.path, name);
  if (value === undefined) throw new Error(`${branch.path} has no element ${name}`);
  return { steps: [...branch.steps, { property: value.property }], type: value.type, path: value.path };
}

/** `telecom.where(system='email')` and `subject.where(resolve() is Patient)` are parts of what `telecom` and `subject` index. */
function withoutRestriction(branch: Branch, extractor: string): { branch: Branch; only: string | undefined } {
  const last = branch.steps.at(-1);
  if (extractor === 'token:ContactPoint' && last?.where?.[0] === 'system') {
    const steps = [...branch.steps.slice(0, -1), { property: last.property }];
    return { branch: { ...branch, steps }, only: String(last.where[1]) };
  }
  return { branch, only: branch.pointsAt };
}

const pathKey = (branch: Branch): string =>
  branch.steps
    .map(({ property, where }) => (where === undefined ? property : `${property}[${where[0]}=${where[1]}]`))
    .join('.');

function assemble(
  type: string,
  all: readonly ParameterWants[],
  wanted: ReadonlyMap<string, Wanted>,
): CompiledType {
  const setOf = setNames(type, all);
  const names = [...new Set(setOf.values())];
  const place = new Map(names.map((name, position) => [name, position]));
  const presences: Presence[] = [];
  const parameters = all.map((one): CompiledParameter => {
    const sets = setsOf(one, setOf);
    for (const properties of one.presences) {
      presences.push({ properties, name: names.length });
      names.push(`${type}.${one.source.code}`);
      sets.push({ name: `${type}.${one.source.code}` });
    }
    return parameterOf(one, sets);
  });
  return { parameters, names, nodes: nodesOf(wanted, setOf, place), presences };
}

function nodesOf(
  wanted: ReadonlyMap<string, Wanted>,
  setOf: ReadonlyMap<string, string>,
  place: ReadonlyMap<string, number>,
): readonly ExtractionNode[] {
  return extractionTree(
    [...wanted.values()].map((want) => ({ want, name: place.get(setOf.get(want.key) ?? '') ?? -1 })),
  );
}

function parameterOf(one: ParameterWants, sets: readonly CompiledSet[]): CompiledParameter {
  const { code, type, definition, documentation, targets } = one.source;
  return { code, type, definition, documentation, targets, sets, literal: one.literal };
}

function setsOf(one: ParameterWants, setOf: ReadonlyMap<string, string>): CompiledSet[] {
  const sets = new Map<string, CompiledSet>();
  for (const { key, only } of one.wants) {
    const name = setOf.get(key) ?? '';
    sets.set(`${name} ${only ?? ''}`, only === undefined ? { name } : { name, only });
  }
  return [...sets.values()];
}

/** Gives each wanted key the name of its set: keys that the same parameters want share one. */
function setNames(type: string, all: readonly ParameterWants[]): ReadonlyMap<string, string> {
  const users = new Map<string, ParameterWants[]>();
  for (const one of all) {
    for (const key of new Set(one.wants.map((want) => want.key))) {
      users.set(key, [...(users.get(key) ?? []), one]);
    }
  }
  const bySignature = new Map<string, string>();
  const taken = new Set<string>();
  const names = new Map<string, string>();
  for (const [key, by] of users) {
    const signature = by.map((one) => one.source.code).join(' ');
    const name = bySignature.get(signature) ?? nameFor(type, by, key, taken);
    bySignature.set(signature, name);
    taken.add(name);
    names.set(key, name);
  }
  return names;
}

/** Named after the parameter that wants least beside it and does not restrict it. */
function nameFor(
  type: string,
  users: readonly ParameterWants[],
  key: string,
  taken: ReadonlySet<string>,
): string {
  const restricted = (one: ParameterWants): number =>
    one.wants.some((want) => want.key === key && want.only !== undefined) ? 1 : 0;
  const [owner] = users.toSorted((a, b) => restricted(a) - restricted(b) || a.wants.length - b.wants.length);
  const name = `${type}.${owner?.source.code ?? key}`;
  return taken.has(name) ? `${name}.${key.replace(/^.* /, '')}` : name;
}
