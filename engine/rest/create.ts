// POST [base]/[type]: https://hl7.org/fhir/R4/http.html#create, conditional with If-None-Exist.
import { headerOf } from '../auth/headers.ts';
import type { Interaction } from './interaction.ts';
import { answerWritten } from './resource-answer.ts';
import { sentResource } from './sent-resource.ts';

export const createInteraction: Interaction = {
  name: 'create',
  method: 'POST',
  path: '/:type',
  access: 'c',
  takes: 'resource',
  capability: { level: 'type', codes: ['create'], resource: { conditionalCreate: true } },
  answer: async ({ repository }, exchange) => {
    const ifNoneExist = headerOf(exchange.headers, 'if-none-exist');
    const choice = ifNoneExist === undefined ? {} : { ifNoneExist };
    return answerWritten(
      await repository.as(exchange.actor).create(sentResource(exchange), choice),
      exchange,
    );
  },
};
