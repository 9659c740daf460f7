// DELETE [base]/[type]/[id] and DELETE [base]/[type]?criteria: https://hl7.org/fhir/R4/http.html#delete, #3.1.0.7.1. With
// `_cascade=delete`, or the header `X-Cascade: delete`, what refers to the resource goes with it.
import { headerOf } from '../auth/headers.ts';
import { Refusal } from '../kernel/outcomes.ts';
import { tellDeleted } from '../repository/bundle-response.ts';
import { cascadeIn, permittedCascade, type DeleteChoice } from '../repository/cascade.ts';
import type { Written } from '../repository/repository.ts';
import type { Exchange, FhirAnswer, Interaction } from './interaction.ts';
import { answerDeleted } from './resource-answer.ts';
import { refuseHiddenCriteria } from './search-access.ts';
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
  answer: async (parts, exchange) => {
    const { actor, type } = exchange;
    const { criteria, choice } = asked(exchange);
    refuseHiddenCriteria(parts, actor, { type, query: criteria });
    return answerAll(await parts.repository.deleteWhere(actor, type, criteria, choice), exchange);
  },
};

function asked({ query, actor, headers }: Exchange): {
  readonly criteria: string;
  readonly choice: DeleteChoice;
} {
  const { criteria, cascades } = cascadeIn(query);
  const isAsked = cascades || headerOf(headers, 'x-cascade') === 'delete';
  const cascade = isAsked ? permittedCascade(actor) : undefined;
  return { criteria, choice: { ...preconditions(headers), cascade } };
}

/** 204, or where several went 200 with how many. */
const answerAll = (deleted: readonly Written[], { headers }: Exchange): FhirAnswer =>
  deleted.length > 1
    ? { status: 200, body: JSON.stringify(tellDeleted(deleted.length)) }
    : answerDeleted(deleted[0], headers);
