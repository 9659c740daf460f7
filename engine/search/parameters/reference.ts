// Reference parameters: `Patient/1`, `1`, an absolute URL, a canonical. https://hl7.org/fhir/R4/search.html#reference
import { formatReference, parseReference, referenceTarget } from '../../fhir/references.ts';
import { anyOf, leaf } from '../condition.ts';
import type { CompiledParameter, CompiledSet } from '../definitions/compiled.ts';
import type { Condition } from '../plan.ts';
import { unescaped } from './escapes.ts';
import { inAnySet, unreadable, type ReadingOptions, type ValueReader } from './reader.ts';

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
