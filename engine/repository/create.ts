// https://hl7.org/fhir/R4/http.html#create and its conditional form.
import type { FhirResource } from '../fhir/resource.ts';
import { conflict } from '../kernel/outcomes.ts';
import { admit, admitId } from './admit.ts';
import { findOne } from './find-one.ts';
import { partedOf, type Parted } from './large-content.ts';
import { putVersion } from './put-version.ts';
import type { CreateChoice, Written } from './repository.ts';
import type { Work } from './work.ts';

/** An id in the resource itself is not heeded: the server (or `choice.id`) gives it. */
export async function create(
  work: Work,
  candidate: FhirResource,
  choice: CreateChoice = {},
): Promise<Written> {
  const { type, resource: sent } = admit(work.parts.index, candidate);
  if (choice.ifNoneExist !== undefined) {
    const stored = await findOne(work, type, choice.ifNoneExist);
    if (stored) return { stored, outcome: 'unchanged' };
  }
  const { resource, content } = partedOf(sent, choice.content);
  if (choice.id !== undefined) return createUnder(work, { resource, content }, choice.id);
  const id = work.parts.ids.next();
  return putVersion(work, { type, id, method: 'POST', resource, content }, undefined);
}

/** Under an id that the caller chose: free, or free again since a deletion. */
async function createUnder(work: Work, { resource, content }: Parted, id: string): Promise<Written> {
  const type = resource.resourceType;
  admitId(id, `${type}.id`);
  const previous = await work.resources.read(type, id);
  if (previous?.body !== undefined) throw conflict(`${type}/${id} exists already`);
  return putVersion(work, { type, id, method: 'POST', resource, content }, previous);
}
