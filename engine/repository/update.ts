// https://hl7.org/fhir/R4/http.html#update, which also creates under a given id.
import type { FhirResource } from '../fhir/resource.ts';
import { admit, admitId } from './admit.ts';
import type { StoredContent } from '../storage/content-store.ts';
import { partedOf } from './large-content.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import type { PreparedVersion } from './prepare-version.ts';
import { putVersion } from './put-version.ts';
import type { Written } from './repository.ts';
import { isUnchanged } from './stamp.ts';
import type { Work } from './work.ts';

/** Of what is written, besides the resource itself. */
export interface Beside {
  /** What was kept of it already: its data. */
  readonly content?: StoredContent | undefined;
  readonly prepared?: PreparedVersion | undefined;
}

export async function update(
  work: Work,
  candidate: FhirResource,
  expected: Preconditions = {},
  beside: Beside = {},
): Promise<Written> {
  const { type, resource: sent } = admit(work.parts.index, candidate);
  const { resource, content } = partedOf(sent, beside.content);
  const id: unknown = resource.id;
  admitId(id, `${type}.id`);
  const previous = await work.resources.read(type, id);
  checkPreconditions(previous, expected);
  if (previous?.body !== undefined && isUnchanged(resource, content, previous, previous.body)) {
    return { stored: previous, outcome: 'unchanged' };
  }
  const { prepared } = beside;
  return putVersion(work, { type, id, method: 'PUT', resource, content, prepared }, previous);
}
