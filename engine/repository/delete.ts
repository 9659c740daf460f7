// https://hl7.org/fhir/R4/http.html#delete: the resource goes, its history stays.
import { notFound } from '../kernel/outcomes.ts';
import { admitId, admitType } from './admit.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import { putVersion } from './put-version.ts';
import type { Written } from './repository.ts';
import type { Work } from './work.ts';

/** Throws Refusal `not-found` for what never was there; what is deleted already stays as it is. */
export async function remove(
  work: Work,
  type: string,
  id: string,
  expected: Preconditions = {},
): Promise<Written> {
  admitType(work.parts.index, type);
  admitId(id, `${type}.id`);
  const previous = await work.resources.read(type, id);
  checkPreconditions(previous, expected);
  if (!previous) throw notFound(type, id);
  if (previous.body === undefined) return { stored: previous, outcome: 'unchanged' };
  return putVersion(work, { type, id, method: 'DELETE', resource: undefined }, previous);
}
