// https://hl7.org/fhir/R4/http.html#create and its conditional form.
import type { FhirResource } from '../fhir/resource.ts';
import { conflict } from '../kernel/outcomes.ts';
import { admit, admitId } from './admit.ts';
import { findOne } from './find-one.ts';
import { putVersion } from './put-version.ts';
import type { Written } from './repository.ts';
import type { Work } from './work.ts';

export interface CreateChoice {
  readonly ifNoneExist?: string;
  readonly id?: string;
}

/** An id in the resource itself is not heeded: the server (or `choice.id`) gives it. */
export async function create(
  work: Work,
  candidate: FhirResource,
  choice: CreateChoice = {},
): Promise<Written> {
  const { type, resource } = admit(work.parts.index, candidate);
  if (choice.ifNoneExist !== undefined) {
    const stored = await findOne(work, type, choice.ifNoneExist);
    if (stored) return { stored, outcome: 'unchanged' };
  }
  if (choice.id !== undefined) return createUnder(work, resource, choice.id);
  return putVersion(work, { type, id: work.parts.ids.next(), method: 'POST', resource }, undefined);
}

/** Under an id that the caller chose: free, or free again since a deletion. */
async function createUnder(work: Work, resource: FhirResource, id: string): Promise<Written> {
  const type = resource.resourceType;
  admitId(id, `${type}.id`);
  const previous = await work.resources.read(type, id);
  if (previous?.body !== undefined) throw conflict(`${type}/${id} exists already`);
  return putVersion(work, { type, id, method: 'POST', resource }, previous);
}
