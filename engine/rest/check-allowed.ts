// Whether an actor may ask an interaction of a type.
import { allows } from '../auth/scopes.ts';
import type { Actor } from '../kernel/actor.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { Interaction } from './interaction.ts';

/** Throws Refusal `not-found` for what is no type, `forbidden` where the scopes do not reach. */
export function checkAllowed(
  index: SearchIndex,
  { access }: Pick<Interaction, 'access'>,
  { scopes }: Actor,
  type: string,
): void {
  if (access === 'public' || access === 'each') return;
  if (!index.isType(type)) throw new Refusal('not-found', 'this is not the name of an R4 resource type');
  if (!allows(scopes, type, access)) {
    throw new Refusal('forbidden', `the scopes of this token do not include ${type}.${access}`);
  }
}
