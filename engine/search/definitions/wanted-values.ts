// Which values of a resource one search parameter wants indexed, and by which extractor each is read.
import { extractorNames } from '../extraction/extractors.ts';
import type { SearchParameterInfo } from '../search-index.ts';
import { compileExpression, OutsideSubset, type Branch } from './compile-expression.ts';
import type { Reading } from './compiled.ts';
import type { ElementFacts } from './element-facts.ts';
import type { Wanted } from './extraction-tree.ts';

/** A search parameter as it is defined. */
export interface ParameterSource extends SearchParameterInfo {
  readonly expression: string;
  readonly targets: readonly string[];
  readonly reads?: Reading;
  readonly components?: readonly ComponentSource[];
}

export interface ComponentSource {
  readonly type: SearchParameterInfo['type'];
  readonly targets: readonly string[];
  readonly expression: string;
}

export interface ParameterWants {
  readonly source: ParameterSource;
  readonly wants: readonly { readonly key: string; readonly only: string | undefined }[];
  readonly presences: readonly (readonly string[])[];
  readonly literal: boolean;
  readonly canonical: boolean;
  readonly systems: readonly string[];
}

/** Datatypes that are indexed by their parts. Each part can be wanted by another parameter too (`family`, `address-city`). */
const parts: Readonly<Record<string, readonly string[]>> = {
  'string:HumanName': ['family', 'given', 'text', 'prefix', 'suffix'],
  'string:Address': ['text', 'line', 'city', 'district', 'state', 'postalCode', 'country'],
  'phonetic:HumanName': ['family', 'given', 'text'],
};

/** Adds what is new to `wanted`. Throws OutsideSubset. */
export function wantsOf(
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
    literal: found.some(({ want }) => literalExtractors.has(want.extractor)),
    canonical: found.some(({ want }) => isCanonical(want.extractor)),
    systems: impliedSystems(found.map(({ want }) => want)),
  };
}

export const literalExtractors: ReadonlySet<string> = new Set(['reference:Reference', 'reference:Resource']);

const isCanonical = (extractor: string): boolean =>
  extractor.startsWith('reference:') && !literalExtractors.has(extractor);

/** The systems of codes that stand without one; none where some values do have their own. */
export function impliedSystems(wants: readonly Wanted[]): readonly string[] {
  const codes = wants.every(({ extractor }) => extractor === 'token:code');
  return codes ? [...new Set(wants.flatMap(({ branch }) => branch.systems))] : [];
}

/** What a branch wants indexed: nothing where its type has no extractor for the parameter's type. */
function expand(
  source: ParameterSource,
  branch: Branch,
  facts: ElementFacts,
): readonly { readonly want: Wanted; readonly only: string | undefined }[] {
  const kind = source.reads ?? source.type;
  const inner = parts[`${kind}:${branch.type}`];
  if (inner !== undefined) {
    return inner.flatMap((name) => expand(source, partOf(branch, name, facts), facts));
  }
  const want = wantedAt(branch, kind);
  return want === undefined ? [] : [restricted(want, source)];
}

/** undefined where the type of what lies there has no extractor of that kind. */
export function wantedAt(branch: Branch, kind: string): Wanted | undefined {
  const extractor = `${kind}:${branch.type}`;
  if (!extractorNames.has(extractor)) return undefined;
  return { key: `${extractor} ${pathKey(branch)}`, branch, extractor };
}

function partOf(branch: Branch, name: string, facts: ElementFacts): Branch {
  const [value] = facts.child(branch.path, name);
  if (value === undefined) throw new OutsideSubset(`${branch.path} has no element ${name}`);
  return { ...branch, ...value, steps: [...branch.steps, { property: value.property }] };
}

/** `telecom.where(system='email')` and `subject.where(resolve() is Patient)` are parts of what `telecom` and `subject` index. */
function restricted(want: Wanted, source: ParameterSource): { want: Wanted; only: string | undefined } {
  const { branch, extractor } = want;
  const last = branch.steps.at(-1);
  if (extractor === 'token:ContactPoint' && last?.where?.[0] === 'system') {
    const steps = [...branch.steps.slice(0, -1), { property: last.property }];
    const whole = { ...branch, steps };
    return {
      want: { key: `${extractor} ${pathKey(whole)}`, branch: whole, extractor },
      only: String(last.where[1]),
    };
  }
  return { want, only: extractor === 'reference:Resource' ? source.targets[0] : branch.pointsAt };
}

export const pathKey = (branch: Branch): string =>
  branch.steps
    .map(({ property, where, first }) => {
      const filter = where === undefined ? '' : `[${where[0]}=${where[1]}]`;
      return `${property}${filter}${first === undefined ? '' : '[0]'}`;
    })
    .join('.');
