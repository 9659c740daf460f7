// A FHIR interaction as an endpoint: formats, scopes and types are looked at before the interaction is asked.
import { allows } from '../auth/scopes.ts';
import { headerOf, type Headers } from '../auth/headers.ts';
import { Refusal } from '../kernel/outcomes.ts';
import { jsonBody, presented, queryOf, type FormatParts, type Wish } from './answer-format.ts';
import type { Endpoint, Incoming } from './endpoint.ts';
import { generalParameters, withForm, type General } from './general.ts';
import { fhirPath, type Exchange, type FhirParts, type Interaction } from './interaction.ts';
import { answerFormat, bodyKind, patchBodies, resourceBodies, type BodyKind } from './negotiate.ts';
import { readBody } from './read-body.ts';

const noBytes = new Uint8Array();

export function fhirEndpoint(
  parts: FhirParts & FormatParts,
  interaction: Interaction,
  bodyLimit: number,
): Endpoint {
  return {
    name: interaction.name,
    access: interaction.access === 'public' ? 'public' : 'signed-in',
    answer: async (incoming) => {
      const { headers, url = '' } = incoming.request;
      const asked = generalParameters(queryOf(url));
      const wanted = wishOf(interaction, asked, headers);
      const type = incoming.params['type'] ?? '';
      checkAllowed(parts, interaction, incoming, type);
      const kind = kindOf(interaction, headers);
      const sent = interaction.takes === 'nothing' ? noBytes : await readBody(incoming.request, bodyLimit);
      const body = kind === 'xml' ? jsonBody(parts, sent) : sent;
      if (interaction.takes !== 'form') {
        return presented(
          parts,
          await interaction.answer(parts, exchangeOf(parts, incoming, type, asked, body)),
          wanted,
        );
      }
      const [general, form] = withForm(asked, body);
      const exchange = exchangeOf(parts, incoming, type, general, form);
      return presented(
        parts,
        await interaction.answer(parts, exchange),
        wishOf(interaction, general, headers),
      );
    },
  };
}

/** Throws Refusal `not-acceptable`. */
function wishOf({ name, method, takes }: Interaction, general: General, headers: Headers): Wish {
  const format = answerFormat(general.format, headerOf(headers, 'accept'));
  if (method !== 'GET' && takes !== 'form') {
    return { format, general: { ...general, subset: undefined }, many: false };
  }
  return { format, general, many: !single.has(name) };
}

/** What answers with one resource, which may be a Bundle that somebody stored. */
const single: ReadonlySet<string> = new Set(['read', 'vread', 'capabilities']);

const kinds: Readonly<Record<Interaction['takes'], readonly BodyKind[]>> = {
  nothing: [],
  form: [],
  resource: resourceBodies,
  patch: patchBodies,
};

/** Throws Refusal `unsupported-media-type`. */
function kindOf({ takes }: Interaction, headers: Headers): BodyKind | undefined {
  const taken = kinds[takes];
  return taken.length === 0 ? undefined : bodyKind(headerOf(headers, 'content-type'), taken);
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
  const { id = '', version = '' } = params;
  return {
    actor,
    type,
    id,
    version,
    query,
    headers: request.headers,
    body,
    base: `${publicUrl()}${fhirPath}`,
  };
}
