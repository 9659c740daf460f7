// https://hl7.org/fhir/R4/http.html#update, which also creates under a given id.
import type { FhirResource } from '../fhir/resource.ts';
import { admit, admitId } from './admit.ts';
import { checkIfMatch } from './if-match.ts';
import { putVersion } from './put-version.ts';
import type { Written } from './repository.ts';
import { isUnchanged } from './stamp.ts';
import type { Work } from './work.ts';

export interface UpdateChoice {
  readonly ifMatch?: string;
}

export async function update(
  work: Work,
  candidate: FhirResource,
  choice: UpdateChoice = {},
): Promise<Written> {
  const { type, resource } = admit(work.parts.index, candidate);
  const id: unknown = resource.id;
  admitId(id, `${type}.id`);
  const previous = await work.resources.read(type, id);
  checkIfMatch(previous, choice.ifMatch);
  if (previous?.body !== undefined && isUnchanged(resource, previous, previous.body)) {
    return { stored: previous, outcome: 'unchanged' };
  }
  return putVersion(work, { type, id, method: 'PUT', resource }, previous);
}
