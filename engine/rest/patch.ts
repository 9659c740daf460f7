// PATCH [base]/[type]/[id] and PATCH [base]/[type]?criteria: https://hl7.org/fhir/R4/http.html#patch
import { isUtf8 } from 'node:buffer';
import { headerOf } from '../auth/headers.ts';
import { readPatch, type PatchKind } from '../fhir/patch/patch.ts';
import type { Patch } from '../fhir/patch/work.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { Exchange, FhirParts, Interaction } from './interaction.ts';
import { bodyKind, patchBodies, type BodyKind } from './negotiate.ts';
import { answerWritten } from './resource-answer.ts';
import { refuseHiddenCriteria } from './search-access.ts';
import { preconditions } from './update.ts';

export const patchInteraction: Interaction = {
  name: 'patch',
  method: 'PATCH',
  path: '/:type/:id',
  access: 'u',
  takes: 'patch',
  capability: { level: 'type', codes: ['patch'] },
  answer: async (parts, exchange) => {
    const { actor, type, id, headers } = exchange;
    const change = sentPatch(parts, exchange);
    return answerWritten(
      await parts.repository.patch(actor, type, id, change, preconditions(headers)),
      exchange,
    );
  },
};

export const conditionalPatchInteraction: Interaction = {
  name: 'patch',
  method: 'PATCH',
  path: '/:type',
  access: 'u',
  takes: 'patch',
  answer: async (parts, exchange) => {
    const { actor, type, query, headers } = exchange;
    refuseHiddenCriteria(parts, actor, exchange);
    const change = sentPatch(parts, exchange);
    const written = await parts.repository.patchWhere(actor, type, query, change, preconditions(headers));
    return answerWritten(written, exchange);
  },
};

/** A resource that is sent as a patch is Parameters; XML has become JSON on the way. */
const kinds: Readonly<Record<BodyKind, PatchKind>> = {
  'json-patch': 'json-patch',
  'merge-patch': 'merge-patch',
  json: 'fhirpath-patch',
  xml: 'fhirpath-patch',
};

function sentPatch({ shapes }: FhirParts, { headers, body }: Exchange): Patch {
  if (!isUtf8(body)) throw badRequest('the body is not UTF-8');
  const kind = bodyKind(headerOf(headers, 'content-type'), patchBodies);
  return readPatch(kinds[kind], Buffer.from(body).toString('utf8'), shapes());
}
