// $purge: an administrator takes a patient's whole record away for good. https://hl7.org/fhir/R5/patient-operation-purge.html
import { adminScope } from '../../auth/scopes.ts';
import { Refusal } from '../../kernel/outcomes.ts';
import type { Interaction } from '../interaction.ts';

export const purgeInteraction: Interaction = {
  name: 'purge',
  method: 'POST',
  path: '/:type/:id/$purge',
  access: 'd',
  takes: 'nothing',
  mayWait: true,
  capability: {
    level: 'type',
    codes: [],
    operation: {
      name: 'purge',
      definition: 'http://hl7.org/fhir/OperationDefinition/Patient-purge',
      types: ['Patient'],
    },
  },
  answer: async ({ repository }, { actor, type, id }) => {
    if (type !== 'Patient') throw new Refusal('not-found', 'there is $purge of a Patient');
    if (!actor.scopes.includes(adminScope)) throw new Refusal('forbidden', 'the scope admin is needed');
    const count = await repository.purge(actor, id);
    const diagnostics = `${count} versions were taken away`;
    const issue = [{ severity: 'information', code: 'informational', diagnostics }];
    return { status: 200, body: JSON.stringify({ resourceType: 'OperationOutcome', issue }) };
  },
};
