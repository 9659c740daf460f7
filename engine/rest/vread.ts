// GET [base]/[type]/[id]/_history/[vid]: https://hl7.org/fhir/R4/http.html#vread
import type { Interaction } from './interaction.ts';
import { answerStored } from './resource-answer.ts';

export const vreadInteraction: Interaction = {
  name: 'vread',
  method: 'GET',
  path: '/:type/:id/_history/:version',
  access: 'r',
  takes: 'nothing',
  capability: {
    level: 'type',
    codes: ['vread'],
    resource: { versioning: 'versioned-update', readHistory: true },
  },
  answer: async ({ repository }, { actor, type, id, version, headers }) =>
    answerStored(await repository.as(actor).readVersion(type, id, version), headers),
};
