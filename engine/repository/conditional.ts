// Conditional update and delete: https://hl7.org/fhir/R4/http.html#cond-update and #3.1.0.7.1.
import type { FhirResource } from '../fhir/resource.ts';
import { badRequest, conflict } from '../kernel/outcomes.ts';
import { admit, admitId } from './admit.ts';
import { maximumDeleted, removeWith, type DeleteChoice } from './cascade.ts';
import { findAll, findOne } from './find-one.ts';
import type { Preconditions } from './preconditions.ts';
import type { Written } from './repository.ts';
import { update, type Beside } from './update.ts';
import type { Work } from './work.ts';

/**
 * The id under which a conditional update is to be written: that of the one match, or where nothing matches the resource's own,
 * or a new one. Throws Refusal `bad-request` when the resource names another id than the match has, `conflict` when nothing matches
 * but the id is that of something else.
 */
export async function idForUpdate(work: Work, resource: FhirResource, criteria: string): Promise<string> {
  const type = resource.resourceType;
  const match = await findOne(work, type, criteria);
  const own: unknown = resource.id;
  if (own !== undefined) admitId(own, `${type}.id`);
  if (match && own !== undefined && own !== match.id) {
    throw badRequest('the resource carries another id than the one resource that matches', `${type}.id`);
  }
  if (match) return match.id;
  if (own === undefined) return work.parts.ids.next();
  // https://hl7.org/fhir/R5/http.html#cond-update says what R4 leaves open.
  if ((await work.resources.read(type, own))?.body === undefined) return own;
  throw conflict(`${type}/${own} is there and does not match the criteria`);
}

export async function updateWhere(
  work: Work,
  candidate: FhirResource,
  criteria: string,
  expected: Preconditions = {},
  beside: Beside = {},
): Promise<Written> {
  const { resource } = admit(work.parts.index, candidate);
  const id = await idForUpdate(work, resource, criteria);
  return update(work, { ...resource, id }, expected, beside);
}

/** Deletes every match, and with `cascade` what refers to them. Throws Refusal `multiple-matches` for more than may be deleted at once. */
export async function deleteWhere(
  work: Work,
  type: string,
  criteria: string,
  choice: DeleteChoice = {},
): Promise<readonly Written[]> {
  const matches = await findAll(work, type, criteria, maximumDeleted);
  const ids = matches.map(({ id }) => id);
  return deleteEach(work, type, ids, choice);
}

/** Each once, whatever brings it along. */
export async function deleteEach(
  work: Work,
  type: string,
  ids: readonly string[],
  choice: DeleteChoice,
): Promise<readonly Written[]> {
  const deleted = new Map<string, Written>();
  for (const id of ids) {
    if (deleted.has(`${type}/${id}`)) continue;
    for (const written of await removeWith(work, { type, id }, choice)) {
      deleted.set(`${written.stored.type}/${written.stored.id}`, written);
    }
  }
  return [...deleted.values()];
}
