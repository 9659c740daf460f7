// https://hl7.org/fhir/R4/http.html#update, which also creates under a given id.
import type { FhirResource } from '../fhir/resource.ts';
import { admit, admitId } from './admit.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import type { PreparedVersion } from './prepare-version.ts';
import { putVersion } from './put-version.ts';
import type { Written } from './repository.ts';
import { isUnchanged } from './stamp.ts';
import type { Work } from './work.ts';

export async function update(
  work: Work,
  candidate: FhirResource,
  expected: Preconditions = {},
  prepared?: PreparedVersion,
): Promise<Written> {
  const { type, resource } = admit(work.parts.index, candidate);
  const id: unknown = resource.id;
  admitId(id, `${type}.id`);
  const previous = await work.resources.read(type, id);
  checkPreconditions(previous, expected);
  if (previous?.body !== undefined && isUnchanged(resource, previous, previous.body)) {
    return { stored: previous, outcome: 'unchanged' };
  }
  return putVersion(work, { type, id, method: 'PUT', resource, prepared }, previous);
}
