// A Composition and what it refers to as one document: https://hl7.org/fhir/R4/composition-operation-document.html
import { membershipOf } from '../fhir/compartments.ts';
import { parseResource } from '../fhir/exact-json.ts';
import { collectReferences, parseReference, referenceTarget } from '../fhir/references.ts';
import type { FhirResource } from '../fhir/resource.ts';
import { Refusal } from '../kernel/outcomes.ts';
import { createBreath } from './breath.ts';
import { read } from './read.ts';
import { instant } from './stamp.ts';
import type { Reading } from './work.ts';

/** A larger one is refused: it is one resource, and has to be held whole. */
const maximumEntries = 2000;

/**
 * The document, not stored. Whatever the Composition refers to here is in it, and what that refers to in turn as far as it is nobody's
 * record (practitioners, organizations, medications, places); references to other servers stay as they are. Throws Refusal `not-found`,
 * `gone`, `dangling-reference` where something is not here, `too-large`, and what `admitType` throws for a type.
 */
export async function documentOf(
  reading: Reading,
  id: string,
  admitType: (type: string) => void,
): Promise<FhirResource> {
  const { parts } = reading;
  const base = parts.base();
  const entry = (await gathered(reading, id, admitType)).map((resource) => ({
    fullUrl: `${base}/${resource.resourceType}/${resource.id ?? ''}`,
    resource,
  }));
  return {
    resourceType: 'Bundle',
    type: 'document',
    identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${parts.ids.next()}` },
    timestamp: instant(parts.clock.now()),
    entry,
  };
}

async function gathered(
  reading: Reading,
  id: string,
  admitType: (type: string) => void,
): Promise<readonly FhirResource[]> {
  const base = reading.parts.base();
  const names = new Set([`Composition/${id}`]);
  const resources: FhirResource[] = [];
  const breathe = createBreath();
  // A set that grows while it is walked is walked to its end.
  for (const name of names) {
    await breathe();
    const [type = '', target = ''] = name.split('/');
    admitType(type);
    const resource = await readInto(reading, type, target, resources.length === 0);
    const leadsOn = resources.length === 0 ? () => true : isNobodys;
    for (const next of localReferences(resource, base)) if (leadsOn(next)) names.add(next);
    resources.push(resource);
    if (names.size > maximumEntries) {
      throw new Refusal('too-large', `the document would have more than ${maximumEntries} resources`);
    }
  }
  return resources;
}

async function readInto(
  reading: Reading,
  type: string,
  id: string,
  isComposition: boolean,
): Promise<FhirResource> {
  if (isComposition) return parseResource((await read(reading, type, id)).body ?? 'null');
  const { body } = (await reading.resources.read(type, id)) ?? {};
  if (body !== undefined) return parseResource(body);
  throw new Refusal('dangling-reference', `${type}/${id} is not here, and the document would lack it`);
}

const localReferences = (resource: FhirResource, base: string): readonly string[] =>
  collectReferences(resource)
    .map((text) => referenceTarget(text, base))
    .filter((name): name is string => name !== undefined && parseReference(name).kind === 'relative');

const isNobodys = (name: string): boolean =>
  membershipOf('Patient', name.slice(0, name.indexOf('/'))) === undefined;
