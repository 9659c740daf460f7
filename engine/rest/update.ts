// PUT [base]/[type]/[id] and PUT [base]/[type]?criteria: https://hl7.org/fhir/R4/http.html#update, #cond-update
import { headerOf, type Headers } from '../auth/headers.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { Preconditions } from '../repository/preconditions.ts';
import type { Interaction } from './interaction.ts';
import { answerWritten } from './resource-answer.ts';
import { refuseHiddenCriteria } from './search-access.ts';
import { sentResource } from './sent-resource.ts';

export const updateInteraction: Interaction = {
  name: 'update',
  method: 'PUT',
  path: '/:type/:id',
  access: 'u',
  takes: 'resource',
  capability: { level: 'type', codes: ['update'], resource: { updateCreate: true } },
  answer: async ({ repository }, exchange) => {
    const resource = sentResource(exchange);
    if (resource.id !== exchange.id) {
      throw badRequest('the id in the resource is not that of the url', `${exchange.type}.id`);
    }
    const { actor, headers, content } = exchange;
    const written = await repository.as(actor).update(resource, preconditions(headers), content);
    return answerWritten(written, exchange);
  },
};

export const conditionalUpdateInteraction: Interaction = {
  name: 'update',
  method: 'PUT',
  path: '/:type',
  access: 'u',
  takes: 'resource',
  capability: { level: 'type', codes: [], resource: { conditionalUpdate: true } },
  answer: async (parts, exchange) => {
    const { actor, query, headers } = exchange;
    refuseHiddenCriteria(parts, actor, exchange);
    const written = await parts.repository.updateWhere(
      actor,
      sentResource(exchange),
      query,
      preconditions(headers),
      exchange.content,
    );
    return answerWritten(written, exchange);
  },
};

export const preconditions = (headers: Headers): Preconditions => ({
  ifMatch: headerOf(headers, 'if-match'),
  ifNoneMatch: headerOf(headers, 'if-none-match'),
});
