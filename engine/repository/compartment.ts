// A compartment as a condition on its members: https://hl7.org/fhir/R4/compartmentdefinition.html
import { membershipOf, type Compartment } from '../fhir/compartments.ts';
import { badRequest } from '../kernel/outcomes.ts';
import { allOf, anyOf, leaf } from '../search/condition.ts';
import type { Condition, Plan } from '../search/plan.ts';
import { isId } from './admit.ts';
import type { Parts } from './work.ts';

/** Throws Refusal `bad-request` for a type that is never in such a compartment, and for an id that is none. */
export function inCompartment(
  parts: Pick<Parts, 'index' | 'base'>,
  { type, id }: Compartment,
  member: string,
): Condition {
  const parameters = membershipOf(type, member);
  if (!parameters) throw badRequest(`resources of this type are never in the compartment of a ${type}`);
  if (!isId(id)) throw badRequest('the id of the compartment is none');
  const itself = member === type ? [leaf({ kind: 'id', values: [id] })] : [];
  const pointing = parameters.map((code) => conditionOf(parts, member, `${code}=${type}/${id}`));
  return anyOf([...itself, ...pointing]);
}

/** What a query that the engine itself wrote asks for. */
export function conditionOf(
  { index, base }: Pick<Parts, 'index' | 'base'>,
  type: string,
  query: string,
): Condition {
  const limits = { lenient: false, base: base(), defaultCount: 1, maximumCount: 1 };
  return index.request(type, query, limits).plan.where;
}

/** The plan with only what is in the compartment, where one is given. */
export function within(
  parts: Pick<Parts, 'index' | 'base'>,
  plan: Plan,
  compartment: Compartment | undefined,
): Plan {
  if (!compartment) return plan;
  return { ...plan, where: allOf([inCompartment(parts, compartment, plan.type), plan.where]) };
}
