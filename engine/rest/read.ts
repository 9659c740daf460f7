// GET [base]/[type]/[id]: https://hl7.org/fhir/R4/http.html#read
import type { Interaction } from './interaction.ts';
import { answerStored } from './resource-answer.ts';

export const readInteraction: Interaction = {
  name: 'read',
  method: 'GET',
  path: '/:type/:id',
  access: 'r',
  takes: 'nothing',
  capability: { level: 'type', codes: ['read'], resource: { conditionalRead: 'full-support' } },
  answer: async ({ repository }, { actor, type, id, headers }) =>
    answerStored(await repository.as(actor).read(type, id), headers),
};
