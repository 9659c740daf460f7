// https://hl7.org/fhir/R4/http.html#patch, on one resource and on the one that matches.
import { parseResource } from '../fhir/exact-json.ts';
import type { Patch } from '../fhir/patch/work.ts';
import { gone, notFound, Refusal } from '../kernel/outcomes.ts';
import { admit, admitType, isId } from './admit.ts';
import { findOne, withoutValues } from './find-one.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import { partedChange } from './large-content.ts';
import { putVersion } from './put-version.ts';
import type { Written } from './repository.ts';
import { isUnchanged } from './stamp.ts';
import type { Reading, Work } from './work.ts';

/** Throws Refusal `not-found`, `gone`, `precondition-failed`, and what the patch refuses. What changes nothing makes no version. */
export async function patch(
  work: Work,
  type: string,
  id: string,
  change: Patch,
  expected: Preconditions = {},
): Promise<Written> {
  admitType(work.parts.index, type);
  const previous = isId(id) ? await work.resources.read(type, id) : undefined;
  if (!previous) throw notFound(type, isId(id) ? id : '(not an id)');
  if (previous.body === undefined) throw gone(type, id);
  checkPreconditions(previous, expected);
  const { resource: changed } = admit(work.parts.index, change(parseResource(previous.body)));
  const { resource, content } = partedChange(changed, previous.content);
  if (isUnchanged(resource, content, previous, previous.body)) {
    return { stored: previous, outcome: 'unchanged' };
  }
  return putVersion(work, { type, id, method: 'PATCH', resource, content }, previous);
}

/** Throws Refusal `not-found` when nothing matches, `multiple-matches` when several do. */
export async function idForPatch(reading: Reading, type: string, criteria: string): Promise<string> {
  const match = await findOne(reading, type, criteria);
  if (!match) throw new Refusal('not-found', `nothing matches ${withoutValues(type, criteria)}`);
  return match.id;
}

/** Throws also what `idForPatch` does. */
export async function patchWhere(
  work: Work,
  type: string,
  criteria: string,
  change: Patch,
  expected: Preconditions = {},
): Promise<Written> {
  return patch(work, type, await idForPatch(work, type, criteria), change, expected);
}
