// DELETE [base]/[type]/[id] and DELETE [base]/[type]?criteria: https://hl7.org/fhir/R4/http.html#delete, #3.1.0.7.1
import { Refusal } from '../kernel/outcomes.ts';
import type { Interaction } from './interaction.ts';
import { answerDeleted } from './resource-answer.ts';
import { ifMatch } from './update.ts';

export const deleteInteraction: Interaction = {
  name: 'delete',
  method: 'DELETE',
  path: '/:type/:id',
  access: 'd',
  takes: 'nothing',
  capability: { level: 'type', codes: ['delete'] },
  answer: async ({ repository }, { actor, type, id, headers }) => {
    try {
      return answerDeleted(await repository.as(actor).delete(type, id, ifMatch(headers)));
    } catch (error) {
      // "or if the resource does not exist at all": what was to be gone is not there.
      if (error instanceof Refusal && error.code === 'not-found') return answerDeleted(undefined);
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
  capability: { level: 'type', codes: [], resource: { conditionalDelete: 'single' } },
  answer: async ({ repository }, { actor, type, query, headers }) =>
    answerDeleted(await repository.deleteWhere(actor, type, query, ifMatch(headers))),
};
