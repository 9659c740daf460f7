// POST [base]/[type]: https://hl7.org/fhir/R4/http.html#create, conditional with If-None-Exist.
import { headerOf } from '../auth/headers.ts';
import { bareQuery } from '../repository/find-one.ts';
import type { Interaction } from './interaction.ts';
import { answerWritten } from './resource-answer.ts';
import { refuseHiddenCriteria } from './search-access.ts';
import { sentResource } from './sent-resource.ts';

export const createInteraction: Interaction = {
  name: 'create',
  method: 'POST',
  path: '/:type',
  access: 'c',
  takes: 'resource',
  capability: { level: 'type', codes: ['create'], resource: { conditionalCreate: true } },
  answer: async (parts, exchange) => {
    const ifNoneExist = headerOf(exchange.headers, 'if-none-exist');
    if (ifNoneExist !== undefined) {
      const { actor, type } = exchange;
      refuseHiddenCriteria(parts, actor, { type, query: bareQuery(type, ifNoneExist) });
    }
    const { content } = exchange;
    const choice = ifNoneExist === undefined ? { content } : { ifNoneExist, content };
    return answerWritten(
      await parts.repository.as(exchange.actor).create(sentResource(exchange), choice),
      exchange,
    );
  },
};
