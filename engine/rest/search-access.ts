// A search must not tell of types that the scopes leave out: neither by what it includes nor by what it is conditional on.
import { allows } from '../auth/scopes.ts';
import type { Actor } from '../kernel/actor.ts';
import { Refusal } from '../kernel/outcomes.ts';
import { Answers } from '../search/answers.ts';
import type { Condition } from '../search/plan.ts';
import type { StoredVersion } from '../storage/resource-store.ts';
import type { FhirParts } from './interaction.ts';

/** A search is read here as the repository will read it: by the same index, under the same base. */
type Readers = Pick<FhirParts, 'index' | 'repository'>;

export interface AskedSearch {
  readonly type: string;
  readonly query: string;
  readonly lenient: boolean;
}

/** Throws Refusal `forbidden` when a chain goes through a type that the actor may not search. */
export function refuseHiddenConditions(
  { index, repository }: Readers,
  actor: Actor,
  asked: AskedSearch,
): void {
  if (allows(actor.scopes, '*', 's')) return;
  const { type, query, lenient } = asked;
  // The types that it goes through count, and those whose hierarchies must be looked up; codes are nobody's secret.
  const answers = new Answers();
  const limits = { lenient, base: repository.base(), defaultCount: 1, maximumCount: 1, answers };
  const { plan } = index.request(type, query, limits);
  const hierarchies = answers.open.flatMap((open) => (open.kind === 'hierarchy' ? open.type : []));
  for (const other of [...chainedTypes(plan.where), ...hierarchies]) refuseHiddenType(actor, other);
}

/** Throws Refusal `forbidden` for a type that the actor may not search. */
export function refuseHiddenType(actor: Actor, type: string): void {
  if (!allows(actor.scopes, type, 's')) throw forbidden(type);
}

/** Criteria of a write tell whether something matches, as a search does: throws Refusal `forbidden` without the right to search. */
export function refuseHiddenCriteria(
  readers: Readers,
  actor: Actor,
  asked: Omit<AskedSearch, 'lenient'>,
): void {
  if (!allows(actor.scopes, asked.type, 's')) {
    throw new Refusal('forbidden', `criteria need the scope ${asked.type}.s too`);
  }
  const { type, query } = asked;
  refuseHiddenConditions(readers, actor, { type, query, lenient: false });
}

function chainedTypes(condition: Condition): readonly string[] {
  switch (condition.op) {
    case 'and':
    case 'or':
      return condition.of.flatMap(chainedTypes);
    case 'not':
      return chainedTypes(condition.of);
    case 'points-at':
      return [condition.target, ...chainedTypes(condition.where)];
    case 'pointed-at-by':
      return [condition.source, ...chainedTypes(condition.where)];
    case 'every':
    case 'none':
    case 'leaf':
      return [];
  }
}

/** Throws Refusal `forbidden` when something of another type would come along unseen by the scopes. */
export function refuseHiddenResults(actor: Actor, included: readonly StoredVersion[]): void {
  for (const type of new Set(included.map((version) => version.type))) {
    if (!allows(actor.scopes, type, 'r') && !allows(actor.scopes, type, 's')) throw forbidden(type);
  }
}

const forbidden = (type: string): Refusal =>
  new Refusal('forbidden', `the scopes of this token do not let it see ${type} resources`);
