// Changes a stored resource by what a message says: what it does not say stays as it is.
import { isRawNumber } from '../fhir/exact-json.ts';
import type { FhirResource } from '../fhir/resource.ts';
import { cleared, isCleared, withoutCleared } from './cleared.ts';

/** How an element of a stored resource is changed; one without a rule is replaced as a whole. */
export type MergeRule =
  /** Part by part. */
  { readonly kind: 'parts' } | MembersRule;

/** Member by member: those of which these properties are the same are one. */
interface MembersRule {
  readonly kind: 'members';
  readonly by: readonly string[];
  /** Stored members are changed part by part, not replaced. */
  readonly inParts: boolean;
}

export type MergeRules = ReadonlyMap<string, MergeRule>;

/** Members of a list, told by some of their properties, that a message has deleted. */
export interface Dropped {
  readonly element: string;
  readonly where: Readonly<Record<string, string>>;
}

type Fields = Readonly<Record<string, unknown>>;

export interface Merging {
  readonly rules: MergeRules;
  readonly dropped: readonly Dropped[];
}

/** A resource that is not stored yet, or the stored one with what was made of the message in it. */
export function mergeInto(stored: FhirResource | undefined, made: FhirResource, how: Merging): FhirResource {
  const merged: Record<string, unknown> = { ...stored };
  for (const { element, where } of how.dropped) {
    const left = listOf(merged[element]).filter((member) => !matches(member, where));
    if (left.length === 0) Reflect.deleteProperty(merged, element);
    else merged[element] = left;
  }
  for (const [name, value] of Object.entries(made)) {
    for (const other of otherChoices(name, merged)) Reflect.deleteProperty(merged, other);
    const left = mergeElement(merged[name], value, how.rules.get(name));
    if (left === undefined) Reflect.deleteProperty(merged, name);
    else merged[name] = left;
  }
  return merged as FhirResource;
}

/** Elements of a choice of types: only one of them may be there. https://hl7.org/fhir/R4/formats.html#choice */
const choices =
  /^(abatement|deceased|effective|multipleBirth|medication|occurrence|onset|performed|value)[A-Z]/;

function otherChoices(name: string, resource: Fields): readonly string[] {
  const stem = choices.exec(name)?.[1];
  if (stem === undefined) return [];
  return Object.keys(resource).filter((other) => other !== name && choices.exec(other)?.[1] === stem);
}

function mergeElement(stored: unknown, made: unknown, rule: MergeRule | undefined): unknown {
  if (isCleared(made) && rule?.kind !== 'parts') return undefined;
  if (rule === undefined || stored === undefined) return withoutCleared(made);
  return rule.kind === 'parts' ? mergeParts(stored, made) : mergeMembers(stored, made, rule);
}

function mergeParts(stored: unknown, made: unknown): unknown {
  if (made === cleared) return undefined;
  if (!isFields(stored) || !isFields(made)) return withoutCleared(made);
  const merged: Record<string, unknown> = { ...stored };
  for (const [name, value] of Object.entries(made)) {
    const left = mergeParts(stored[name], value);
    if (left === undefined) Reflect.deleteProperty(merged, name);
    else merged[name] = left;
  }
  return Object.keys(merged).length === 0 ? undefined : merged;
}

/** Made members take the place of the stored ones of their key, or change them part by part; others come behind. */
function mergeMembers(stored: unknown, made: unknown, rule: MembersRule): unknown {
  const fresh = membersByKey(made, rule.by);
  const merged = listOf(stored).flatMap((member) => {
    const key = keyOf(member, rule.by);
    const instead = fresh.get(key);
    if (instead === undefined) return [member];
    fresh.set(key, []);
    return rule.inParts ? instead.map((part) => mergeParts(member, part)) : instead;
  });
  const all = [...merged, ...[...fresh.values()].flat()].map(withoutCleared);
  return all.length === 0 ? undefined : all;
}

/** Tells where an element of what was made (`.identifier[0].use`) stands after it was merged. Each list is looked through once. */
export function mergedPlaces(made: Fields, merged: Fields, rules: MergeRules): (element: string) => string {
  const known = new Map<string, readonly (number | undefined)[]>();
  return (element) => {
    const [whole = '', name = '', at = ''] = /^\.(\w+)\[(\d+)\]/.exec(element) ?? [];
    const rule = rules.get(name);
    if (rule?.kind !== 'members') return element;
    const places = known.get(name) ?? placesOfMembers(made[name], merged[name], rule.by);
    known.set(name, places);
    const place = places[Number(at)];
    return place === undefined ? element : `.${name}[${place}]${element.slice(whole.length)}`;
  };
}

/** For each member that was made its index among the merged: of those with one key, the first is the first. */
function placesOfMembers(
  made: unknown,
  merged: unknown,
  by: readonly string[],
): readonly (number | undefined)[] {
  const keys = (value: unknown): readonly string[] =>
    listOf(value).map((member) => keyOf(withoutCleared(member), by));
  const indexes = Map.groupBy(keys(merged).entries(), ([, key]) => key);
  const taken = new Map<string, number>();
  return keys(made).map((key) => {
    const earlier = taken.get(key) ?? 0;
    taken.set(key, earlier + 1);
    return indexes.get(key)?.[earlier]?.[0];
  });
}

function membersByKey(made: unknown, by: readonly string[]): Map<string, unknown[]> {
  const groups = new Map<string, unknown[]>();
  for (const member of listOf(made)) {
    if (isCleared(member)) continue;
    const key = keyOf(member, by);
    const same = groups.get(key);
    if (same === undefined) groups.set(key, [member]);
    else same.push(member);
  }
  return groups;
}

const keyOf = (member: unknown, by: readonly string[]): string =>
  JSON.stringify(by.map((path) => path.split('.').reduce(partOf, member) ?? null));

function partOf(value: unknown, name: string): unknown {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return isFields(one) && Object.hasOwn(one, name) ? one[name] : undefined;
}

const matches = (member: unknown, where: Dropped['where']): boolean =>
  Object.entries(where).every(([name, value]) => partOf(member, name) === value);

const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value];

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
