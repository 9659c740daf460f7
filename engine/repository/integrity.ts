// Referential integrity: what a resource refers to is there, and what is referred to stays. Looked at once, when everything that
// belongs to a transaction has been written, so that the order within it does not matter.
// https://hl7.org/fhir/R4/http.html#rejecting-updates, https://hl7.org/fhir/R4/http.html#delete
import { parseReference } from '../fhir/references.ts';
import type { FhirResource } from '../fhir/resource.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { ResourceName, ResourceReader } from '../storage/resource-store.ts';
import { createBreath } from './breath.ts';
import { placeOf } from './place-of.ts';

/** Records of what was done and to what: they outlive what they speak of. */
export const recordTypes: readonly string[] = ['AuditEvent', 'Provenance'];

/** References inside a Bundle are read within the Bundle. */
const unchecked = new Set(['Bundle', ...recordTypes]);

/** How many a refusal names. */
const named = 10;

export interface Integrity {
  /** A version was written: `resource` undefined for a deletion. `references`: what it refers to, as asked for where that counts. */
  noteVersion(
    name: ResourceName,
    resource: FhirResource | undefined,
    references: () => readonly string[],
  ): void;
  /** From now on refusals say of resources (`Type/id`) in which entry of a Bundle they came: asked for by a refusal alone. */
  noteEntries(places: () => ReadonlyMap<string, number>): void;
  /** Throws Refusal `dangling-reference` or `still-referred-to`, naming resources by type and id. */
  check(): Promise<void>;
}

export const uncheckedIntegrity: Integrity = {
  noteVersion: () => undefined,
  noteEntries: () => undefined,
  check: () => Promise.resolve(),
};

interface Referring {
  readonly reference: string;
  readonly by: FhirResource;
}

interface Asked extends Referring {
  readonly target: ResourceName;
  readonly version: string | undefined;
}

/** The integrity of one transaction. `base`: references under it are references to this server. */
export function watchIntegrity(resources: ResourceReader, base: string): Integrity {
  const living = new Set<string>();
  const deleted = new Map<string, ResourceName>();
  const asked = new Map<string, Asked>();
  let uncontained: Referring | undefined;
  let places = (): ReadonlyMap<string, number> => new Map();
  const ask = (reference: string, by: FhirResource): void => {
    const one = askedOf(reference, by, base);
    if (one) asked.set(one.reference, one);
  };
  return {
    noteVersion: (name, resource, references) => {
      const text = nameText(name);
      if (resource === undefined) {
        living.delete(text);
        deleted.set(text, name);
        return;
      }
      deleted.delete(text);
      living.add(text);
      if (unchecked.has(name.type)) return;
      const all = references();
      uncontained ??= uncontainedIn(resource, all);
      for (const reference of all) {
        if (!asked.has(reference) && !living.has(reference)) ask(reference, resource);
      }
    },
    noteEntries: (entries) => void (places = entries),
    check: async () => {
      if (uncontained) throw refuseUncontained(uncontained, places());
      const open = [...asked.values()].filter((one) => !isSettled(one, living));
      const dangling = await danglingOf(resources, open);
      if (dangling[0]) throw refuseDangling(dangling, places());
      await refuseReferred(resources, deleted);
    },
  };
}

const nameText = ({ type, id }: ResourceName): string => `${type}/${id}`;

function askedOf(text: string, by: FhirResource, base: string): Asked | undefined {
  const local = text.startsWith(`${base}/`) ? text.slice(base.length + 1) : text;
  const parsed = parseReference(local);
  if (parsed.kind === 'conditional') throw refuseConditional(by, text);
  if (parsed.kind !== 'relative') return undefined;
  const { type, id, version } = parsed;
  return { target: { type, id }, version, reference: text, by };
}

/** Written in this transaction; a version is looked up all the same. */
const isSettled = ({ target, version }: Asked, living: ReadonlySet<string>): boolean =>
  version === undefined && living.has(nameText(target));

async function danglingOf(resources: ResourceReader, open: readonly Asked[]): Promise<readonly Asked[]> {
  if (open.length === 0) return [];
  const current = open.filter(({ version }) => version === undefined);
  const missing = new Set(await resources.missing(current.map(({ target }) => target)));
  const dangling = current.filter(({ target }) => missing.has(target));
  for (const one of open) {
    if (one.version !== undefined && !(await hasVersion(resources, one))) dangling.push(one);
  }
  return dangling;
}

async function hasVersion(resources: ResourceReader, { target, version = '' }: Asked): Promise<boolean> {
  if (!/^[1-9]\d{0,14}$/.test(version)) return false;
  return (await resources.readVersion(target.type, target.id, Number(version)))?.body !== undefined;
}

function refuseDangling(dangling: readonly Asked[], places: ReadonlyMap<string, number>): Refusal {
  const [first] = dangling;
  const names = [...new Set(dangling.slice(0, named).map(({ target, version }) => whole(target, version)))];
  const more = dangling.length > named ? ` and ${dangling.length - named} more` : '';
  const text = `what is referred to is not here: ${names.join(', ')}${more}; store it first, or in the same transaction`;
  return new Refusal('dangling-reference', text, first && expressionOf(first, places));
}

const whole = (target: ResourceName, version: string | undefined): string =>
  version === undefined ? nameText(target) : `${nameText(target)}/_history/${version}`;

/** `ref-1` of https://hl7.org/fhir/R4/references.html#contained: `#x` where nothing contained has the id `x`. `#` is the resource itself. */
function uncontainedIn(by: FhirResource, references: readonly string[]): Referring | undefined {
  const local = references.filter((reference) => reference.startsWith('#') && reference !== '#');
  if (local.length === 0) return undefined;
  const contained = new Set(idsOf(by['contained']));
  const reference = local.find((one) => !contained.has(one.slice(1)));
  return reference === undefined ? undefined : { reference, by };
}

const idsOf = (contained: unknown): readonly unknown[] =>
  Array.isArray(contained) ? contained.map((one: { readonly id?: unknown } | null) => one?.id) : [];

function refuseUncontained(one: Referring, places: ReadonlyMap<string, number>): Refusal {
  const text = 'a reference to a contained resource leads to none: no contained resource has that id';
  return new Refusal('dangling-reference', text, expressionOf(one, places));
}

/** `Observation.subject`, or as seen from the Bundle that brought it: `Bundle.entry[3].resource.subject`. */
function expressionOf({ by, reference }: Referring, places: ReadonlyMap<string, number>): string {
  const entry = places.get(`${by.resourceType}/${by.id ?? ''}`);
  const root = entry === undefined ? by.resourceType : `Bundle.entry[${entry}].resource`;
  return placeOf(by, reference, root);
}

function refuseConditional(by: FhirResource, reference: string): Refusal {
  const text = 'a reference written as a search is resolved in a transaction only';
  return new Refusal('dangling-reference', text, placeOf(by, reference, by.resourceType));
}

async function refuseReferred(
  resources: ResourceReader,
  deleted: ReadonlyMap<string, ResourceName>,
): Promise<void> {
  const breathe = createBreath();
  for (const [text, name] of deleted) {
    await breathe();
    const referrers = await resources.referrers(name, { exceptTypes: recordTypes, limit: named + 1 });
    if (referrers.length === 0) continue;
    const names = referrers.slice(0, named).map(nameText).join(', ');
    const more = referrers.length > named ? ' and others' : '';
    throw new Refusal(
      'still-referred-to',
      `${text} is referred to by ${names}${more}; delete or change these first, or ask for _cascade=delete`,
    );
  }
}
