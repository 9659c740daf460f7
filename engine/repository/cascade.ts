// Deleting a resource together with all that refer to it, directly or through others.
import { createBreath } from './breath.ts';
import { allows } from '../auth/scopes.ts';
import type { Actor } from '../kernel/actor.ts';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import type { ResourceName } from '../storage/resource-store.ts';
import { remove } from './delete.ts';
import { recordTypes } from './integrity.ts';
import type { Preconditions } from './preconditions.ts';
import type { Written } from './repository.ts';
import type { Work } from './work.ts';

/** More resources are not deleted in one request. */
export const maximumDeleted = 1000;

export interface DeleteChoice extends Preconditions {
  /** Delete what refers to it too. Called for each type that this brings along; it throws to refuse. */
  readonly cascade?: ((type: string) => void) | undefined;
}

/** A query as criteria, without `_cascade`, which says how to delete. Throws Refusal `bad-request` for what is none. */
export function cascadeIn(query: string): { readonly criteria: string; readonly cascades: boolean } {
  const parameters = query.split('&');
  const isCascade = (parameter: string): boolean => parameter.startsWith('_cascade=');
  const criteria = parameters.filter((parameter) => !isCascade(parameter));
  const cascades = parameters.filter(isCascade);
  if (cascades.some((cascade) => cascade !== '_cascade=delete')) {
    throw badRequest('_cascade takes one value: delete', '_cascade');
  }
  return { criteria: criteria.join('&'), cascades: cascades.length > 0 };
}

/** Brings along what the actor may delete. */
export const permittedCascade =
  ({ scopes }: Actor) =>
  (type: string): void => {
    if (allows(scopes, type, 'd')) return;
    throw new Refusal('forbidden', `the scopes of this token do not include ${type}.d`);
  };

/** All that was deleted, the asked one first. Without `cascade` that is the asked one alone. */
export async function removeWith(
  work: Work,
  name: ResourceName,
  choice: DeleteChoice,
): Promise<readonly Written[]> {
  const asked = await remove(work, name.type, name.id, choice);
  if (choice.cascade === undefined) return [asked];
  const referrers = await allReferrers(work, name);
  for (const type of new Set(referrers.map((referrer) => referrer.type))) choice.cascade(type);
  const deleted = [asked];
  const breathe = createBreath();
  for (const referrer of referrers) {
    await breathe();
    deleted.push(await remove(work, referrer.type, referrer.id));
  }
  return deleted;
}

/** Throws Refusal `still-referred-to` when there are more than may be deleted in one request. */
async function allReferrers(work: Work, name: ResourceName): Promise<readonly ResourceName[]> {
  const found = new Map([[`${name.type}/${name.id}`, name]]);
  const breathe = createBreath();
  for (const target of found.values()) {
    await breathe();
    const limit = maximumDeleted + 1;
    for (const referrer of await work.resources.referrers(target, { exceptTypes: recordTypes, limit })) {
      found.set(`${referrer.type}/${referrer.id}`, referrer);
    }
    if (found.size > maximumDeleted) throw tooMany(name);
  }
  return [...found.values()].slice(1);
}

const tooMany = ({ type, id }: ResourceName): Refusal =>
  new Refusal(
    'still-referred-to',
    `more than ${maximumDeleted} resources would be deleted with ${type}/${id}; delete some of those that refer to it first`,
  );
