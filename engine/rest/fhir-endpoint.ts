// A FHIR interaction as an endpoint: formats, scopes and types are looked at before the interaction is asked.
import { allows } from '../auth/scopes.ts';
import { headerOf } from '../auth/headers.ts';
import { parseJson } from '../fhir/exact-json.ts';
import type { HttpAnswer } from '../kernel/http-route.ts';
import { Refusal } from '../kernel/outcomes.ts';
import { binaryOf, contentOf, isContent, wantsContent } from './binary.ts';
import type { Endpoint, Incoming } from './endpoint.ts';
import { fhirPath, type Exchange, type FhirAnswer, type FhirParts, type Interaction } from './interaction.ts';
import { checkAcceptable, checkContentType, fhirJson, generalParameters, type General } from './negotiate.ts';
import { readBody } from './read-body.ts';

const noBytes = new Uint8Array();

export function fhirEndpoint(parts: FhirParts, interaction: Interaction, bodyLimit: number): Endpoint {
  return {
    name: interaction.name,
    access: interaction.access === 'public' ? 'public' : 'signed-in',
    answer: async (incoming) => {
      const general = generalParameters(queryOf(incoming));
      const { headers } = incoming.request;
      const type = incoming.params['type'] ?? '';
      const asContent =
        type === 'Binary' && isRead(interaction) && wantsContent(general.format, headers.accept);
      if (!asContent) checkAcceptable(general.format, headers.accept);
      checkAllowed(parts, interaction, incoming, type);
      const body = await bodyOf(interaction, incoming, type, bodyLimit);
      const exchange = exchangeOf(parts, incoming, type, general, body);
      const answer = await interaction.answer(parts, exchange);
      return written(asContent ? contentOf(answer) : answer, general.pretty);
    },
  };
}

const isRead = ({ name }: Interaction): boolean => name === 'read' || name === 'vread';

/** The body, which for a Binary may be its content. */
async function bodyOf(
  { takes }: Interaction,
  { request, params }: Incoming,
  type: string,
  limit: number,
): Promise<Uint8Array> {
  if (takes === 'nothing') return noBytes;
  const { headers } = request;
  const isBinary = type === 'Binary' && takes === 'resource' && isContent(headers);
  if (takes === 'resource' && !isBinary) checkContentType(headerOf(headers, 'content-type'));
  const body = await readBody(request, limit);
  return isBinary ? binaryOf(body, headers, params['id'] ?? '') : body;
}

function queryOf({ request }: Incoming): string {
  const url = request.url ?? '';
  const mark = url.indexOf('?');
  return mark < 0 ? '' : url.slice(mark + 1);
}

/** Throws Refusal `not-found` for what is no type, `forbidden` where the scopes do not reach. */
function checkAllowed(
  { index }: FhirParts,
  { access }: Interaction,
  { actor }: Incoming,
  type: string,
): void {
  if (access === 'public' || access === 'each') return;
  if (!index.isType(type)) throw new Refusal('not-found', 'this is not the name of an R4 resource type');
  if (!allows(actor.scopes, type, access)) {
    throw new Refusal('forbidden', `the scopes of this token do not include ${type}.${access}`);
  }
}

function exchangeOf(
  { publicUrl }: FhirParts,
  { actor, params, request }: Incoming,
  type: string,
  { query }: General,
  body: Uint8Array,
): Exchange {
  const { id = '', version = '', compartment = '' } = params;
  const url = publicUrl(request);
  return {
    actor,
    type,
    id,
    version,
    compartment,
    query,
    headers: request.headers,
    body,
    publicUrl: url,
    base: `${url}${fhirPath}`,
  };
}

function written({ status, headers, body }: FhirAnswer, pretty: boolean): HttpAnswer {
  if (body === undefined) return { status, ...(headers && { headers }) };
  const text = pretty && typeof body === 'string' ? JSON.stringify(parseJson(body), undefined, 2) : body;
  return { status, headers: { 'content-type': fhirJson, ...headers }, body: text };
}
