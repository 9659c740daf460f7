// Reference parameters: `Patient/1`, `1`, an absolute URL, a canonical. https://hl7.org/fhir/R4/search.html#reference
import { formatReference, parseReference, referenceTarget } from '../../fhir/references.ts';
import { badRequest } from '../../kernel/outcomes.ts';
import type { Direction } from '../answers.ts';
import { allOf, anyOf, leaf, not } from '../condition.ts';
import type { CompiledParameter, CompiledSet } from '../definitions/compiled.ts';
import { canonicalTarget } from '../extraction/canonical-names.ts';
import { entryNames } from '../extraction/entry-names.ts';
import { foldString } from '../fold-string.ts';
import type { Condition } from '../plan.ts';
import { splitEscaped, unescaped } from './escapes.ts';
import { answersFor, inAnySet, unreadable, type ReadingOptions, type ValueReader } from './reader.ts';

const bareId = /^[A-Za-z0-9.-]{1,64}$/;

export const readReference: ValueReader = (parameter, text, options) => {
  const value = unescaped(text);
  const targets = targetTypes(parameter, options);
  if (parameter.literal && bareId.test(value)) return withId(parameter, value, targets);
  return inAnySet(parameter, (set) => pointingAt(set, targetOf(parameter, value, options)));
};

/** `subject:Patient=1`: only at resources of that type. */
export const readTypedReference =
  (type: string): ValueReader =>
  (parameter, text, options) => {
    const value = unescaped(text);
    if (bareId.test(value)) return withId(parameter, value, [type]);
    const target = targetOf(parameter, value, options);
    return typeOf(target) === type ? inAnySet(parameter, (set) => pointingAt(set, target)) : { op: 'none' };
  };

/** The types that a parameter may point at. */
export const targetTypes = (parameter: CompiledParameter, options: ReadingOptions): readonly string[] =>
  parameter.targets.length === 0 ? options.types : parameter.targets;

const withId = (parameter: CompiledParameter, id: string, types: readonly string[]): Condition =>
  inAnySet(parameter, (set) => anyOf(types.map((type) => pointingAt(set, formatReference(type, id)))));

function targetOf(parameter: CompiledParameter, value: string, options: ReadingOptions): string {
  const target = parameter.literal ? referenceTarget(value, options.base) : value;
  if (target === undefined) throw unreadable(parameter, 'Type/id, an id or an absolute URL');
  return target;
}

/** A set that is looked at for one type only (`patient` in `Observation.subject`) has no others. */
function pointingAt({ name, only }: CompiledSet, target: string): Condition {
  if (only !== undefined && typeOf(target) !== only) return { op: 'none' };
  return leaf({ kind: 'reference', parameter: name, target });
}

/** The resource type in the address; undefined where it does not tell. */
function typeOf(target: string): string | undefined {
  const parsed = parseReference(target);
  return parsed.kind === 'relative' || parsed.kind === 'absolute' ? parsed.type : undefined;
}

/** `:text`: the display of the reference begins so. */
export const readReferenceText: ValueReader = (parameter, text) => {
  const value = foldString(unescaped(text));
  return inAnySet(parameter, ({ name, only }) => {
    const displayed = leaf({ kind: 'string', parameter: entryNames(name).text, match: 'prefix', value });
    return only === undefined ? displayed : allOf([displayed, pointingAtAny(name, only)]);
  });
};

/** Whether something of that type is pointed at. */
export const pointingAtAny = (name: string, type: string): Condition => ({
  op: 'points-at',
  parameter: name,
  target: type,
  where: { op: 'every' },
});

/** `subject:identifier=system|value`: the reference carries that identifier, whether or not it has an address too. */
export const readIdentifier: ValueReader = (parameter, text) => {
  const [first = '', second, ...more] = splitEscaped(text, '|').map(unescaped);
  const code = second ?? first;
  if (more.length > 0 || (code === '' && first === '')) {
    throw unreadable(parameter, 'value, system|value, |value or system| after :identifier');
  }
  const system = second === undefined ? undefined : first;
  return inAnySet(parameter, ({ name }) =>
    leaf({
      kind: 'token',
      parameter: entryNames(name).identifier,
      system,
      code: code === '' ? undefined : code,
    }),
  );
};

/** Reference parameters that lead to a parent of the same type. https://hl7.org/fhir/R4/search.html#recursive */
const parentParameters = ['partof', 'part-of'] as const;

/** How many resources of a hierarchy are looked for at once. */
export const maximumHierarchy = 500;

/** `location:below=Location/1`: at it or at anything that is part of it; `:above`: at it or at anything of which it is part. */
export const readHierarchy =
  (direction: Direction): ValueReader =>
  (parameter, text, options) => {
    const value = unescaped(text);
    if (direction === 'below' && parameter.canonical === true && canonicalTarget(value) !== undefined) {
      return ofAnyVersion(parameter, value);
    }
    const types = targetTypes(parameter, options).filter((type) => parentOf(type, options) !== undefined);
    const reference = bareId.test(value) ? undefined : parseReference(targetOf(parameter, value, options));
    if (reference !== undefined && reference.kind !== 'relative') {
      throw unreadable(parameter, `Type/id or an id after :${direction}`);
    }
    const asked = reference === undefined ? types : types.filter((type) => type === reference.type);
    if (asked.length === 0) {
      throw badRequest(`what ${parameter.code} points at has no hierarchy here`, parameter.code);
    }
    const id = reference?.id ?? value;
    return anyOf(asked.map((type) => alongHierarchy(parameter, { type, id, direction }, options)));
  };

/**
 * `questionnaire:below=url`: whatever version; `url|1`: of version 1 or one within it. An entry without the version is there for all.
 * https://hl7.org/fhir/R4/search.html#versions
 */
const ofAnyVersion = (parameter: CompiledParameter, value: string): Condition =>
  inAnySet(parameter, ({ name }) =>
    leaf(
      value.includes('|')
        ? { kind: 'canonical', parameter: name, value }
        : { kind: 'reference', parameter: name, target: value },
    ),
  );

function alongHierarchy(
  parameter: CompiledParameter,
  from: { readonly type: string; readonly id: string; readonly direction: Direction },
  options: ReadingOptions,
): Condition {
  const through = parentOf(from.type, options) ?? '';
  const ids = answersFor(parameter, options).ids({ kind: 'hierarchy', ...from, parameter: through });
  return ids === undefined ? { op: 'none' } : anyOf(ids.map((id) => withId(parameter, id, [from.type])));
}

/** The code of the parameter that leads to the parent; undefined for types without a hierarchy. */
const parentOf = (type: string, options: ReadingOptions): string | undefined =>
  parentParameters.find((code) => options.find(type, code)?.targets.includes(type) === true);

/** `patient:missing`: of the references in the set, none is to such a resource. */
export const missingType = (name: string, type: string): Condition => not(pointingAtAny(name, type));
