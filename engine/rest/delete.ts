// DELETE [base]/[type]/[id] and DELETE [base]/[type]?criteria: https://hl7.org/fhir/R4/http.html#delete, #3.1.0.7.1. With
// `_cascade=delete` what refers to the resource goes with it.
import { allows } from '../auth/scopes.ts';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import { tellDeleted } from '../repository/bundle-response.ts';
import type { DeleteChoice } from '../repository/cascade.ts';
import type { Written } from '../repository/repository.ts';
import type { Exchange, FhirAnswer, Interaction } from './interaction.ts';
import { answerDeleted } from './resource-answer.ts';
import { preconditions } from './update.ts';

export const deleteInteraction: Interaction = {
  name: 'delete',
  method: 'DELETE',
  path: '/:type/:id',
  access: 'd',
  takes: 'nothing',
  capability: { level: 'type', codes: ['delete'] },
  answer: async ({ repository }, exchange) => {
    const { actor, type, id } = exchange;
    try {
      return answerAll(await repository.deleteWith(actor, { type, id }, asked(exchange).choice), exchange);
    } catch (error) {
      // "or if the resource does not exist at all": what was to be gone is not there.
      if (error instanceof Refusal && error.code === 'not-found') {
        return answerDeleted(undefined, exchange.headers);
      }
      throw error;
    }
  },
};

export const conditionalDeleteInteraction: Interaction = {
  name: 'delete',
  method: 'DELETE',
  path: '/:type',
  access: 'd',
  takes: 'nothing',
  capability: { level: 'type', codes: [], resource: { conditionalDelete: 'multiple' } },
  answer: async ({ repository }, exchange) => {
    const { criteria, choice } = asked(exchange);
    return answerAll(await repository.deleteWhere(exchange.actor, exchange.type, criteria, choice), exchange);
  },
};

/** The query as criteria, without `_cascade`, which says how to delete. */
function asked({ query, actor, headers }: Exchange): {
  readonly criteria: string;
  readonly choice: DeleteChoice;
} {
  const parameters = query.split('&');
  const criteria = parameters.filter((parameter) => !parameter.startsWith('_cascade='));
  const [cascade] = parameters.filter((parameter) => !criteria.includes(parameter));
  if (cascade === undefined) return { criteria: query, choice: preconditions(headers) };
  if (cascade !== '_cascade=delete') throw badRequest('_cascade takes one value: delete', '_cascade');
  const mayDelete = (type: string): void => {
    if (!allows(actor.scopes, type, 'd')) {
      throw new Refusal('forbidden', `the scopes of this token do not include ${type}.d`);
    }
  };
  return { criteria: criteria.join('&'), choice: { ...preconditions(headers), cascade: mayDelete } };
}

/** 204, or where several went 200 with how many. */
const answerAll = (deleted: readonly Written[], { headers }: Exchange): FhirAnswer =>
  deleted.length > 1
    ? { status: 200, body: JSON.stringify(tellDeleted(deleted.length)) }
    : answerDeleted(deleted[0], headers);
