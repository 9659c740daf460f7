// A FHIR interaction as an endpoint: formats, scopes and types are looked at before the interaction is asked.
import { headerOf, type Headers } from '../auth/headers.ts';
import type { HttpAnswer } from '../kernel/http-route.ts';
import { jsonBody, presented, queryOf, type FormatParts, type Wish } from './answer-format.ts';
import type { Later } from './async/later.ts';
import { acceptedLater, wantsLater } from './async/status.ts';
import type { BodyShare } from './body-room.ts';
import { checkAllowed } from './check-allowed.ts';
import { contentAnswer, wholeBinary } from './binary-answer.ts';
import { binaryOf, isContent, wantsContent } from './binary.ts';
import type { Endpoint, Incoming } from './endpoint.ts';
import { generalParameters, refuseCounting, withForm, type General } from './general.ts';
import {
  answersWithOne,
  fhirPath,
  type Exchange,
  type FhirAnswer,
  type FhirParts,
  type Interaction,
} from './interaction.ts';
import { answerFormat, bodyKind, patchBodies, resourceBodies, type BodyKind } from './negotiate.ts';
import { readBody, type BodyLimits } from './read-body.ts';
import { readContent } from './read-content.ts';
import { answerFailure } from './refusal-answer.ts';
import { recordedBy } from './x-provenance.ts';

const noBytes = new Uint8Array();
/** Bytes of a posted search: some sixty times what a url may have. */
const longestForm = 1024 * 1024;

export function fhirEndpoint(
  parts: FhirParts & FormatParts,
  interaction: Interaction,
  limits: BodyLimits,
): Endpoint {
  return {
    name: interaction.name,
    access: interaction.access === 'public' ? 'public' : 'signed-in',
    answer: async (incoming) => {
      const share = limits.room.share();
      try {
        return await answerIncoming(parts, interaction, limits, incoming, share);
      } finally {
        share.release();
      }
    },
  };
}

async function answerIncoming(
  parts: FhirParts & FormatParts,
  interaction: Interaction,
  limits: BodyLimits,
  incoming: Incoming,
  share: BodyShare,
): Promise<HttpAnswer> {
  const { headers, url = '' } = incoming.request;
  const asked = generalParameters(queryOf(url));
  const type = incoming.params['type'] ?? '';
  const asContent = type === 'Binary' && isRead(interaction) && wantsContent(asked, headers);
  const wanted = asContent ? asItIs : wishOf(interaction, asked, headers);
  checkAllowed(parts.index, interaction, incoming.actor, type);
  const sent =
    interaction.takes === 'nothing' ? nothing : await bodyOf(parts, interaction, incoming, limits, share);
  const isForm = interaction.takes === 'form';
  const [general, body] = isForm ? withForm(asked, sent.body) : [asked, sent.body];
  const exchange = exchangeOf(parts, incoming, type, general, { ...sent, body });
  const wish = isForm ? wishOf(interaction, general, headers) : wanted;
  if (interaction.mayWait === true && parts.later && wantsLater(headers)) {
    return begin(parts, parts.later, interaction, exchange, wish, incoming, share);
  }
  const answering = answered(parts, interaction, exchange, wish, asContent);
  const { content } = exchange;
  return content === undefined ? await answering : await answering.finally(() => content.release());
}

async function answered(
  parts: FhirParts & FormatParts,
  interaction: Interaction,
  exchange: Exchange,
  wish: Wish,
  asContent: boolean,
): Promise<HttpAnswer> {
  const answer = await answerOf(parts, interaction, exchange);
  const content = asContent ? contentAnswer(answer, parts.repository.contents) : undefined;
  return content ?? (await presentedWhole(parts, answer, wish));
}

function answerOf(parts: FhirParts, interaction: Interaction, exchange: Exchange): Promise<FhirAnswer> {
  const repository = recordedBy(parts.repository, exchange);
  const own = repository === parts.repository ? parts : { ...parts, repository };
  return interaction.answer(own, exchange);
}

/** The one resource that was read comes with all of it. */
const presentedWhole = (
  parts: FhirParts & FormatParts,
  answer: FhirAnswer,
  wish: Wish,
): Promise<HttpAnswer> => {
  const { body, content } = answer;
  return typeof body === 'string' && content !== undefined
    ? wholeBinary(parts, { ...answer, body, content }, wish, parts.repository.contents)
    : presented(parts, answer, wish);
};

/** The format is asked for with the result. */
async function begin(
  parts: FhirParts & FormatParts,
  later: Later,
  interaction: Interaction,
  exchange: Exchange,
  wish: Wish,
  { correlationId }: Incoming,
  share: BodyShare,
): Promise<HttpAnswer> {
  // The body is held for as long as it is worked on.
  const held = share.passOn();
  const work = async (): Promise<HttpAnswer> => {
    try {
      const answer = await answerOf(parts, interaction, exchange);
      return await presented(parts, answer, { ...wish, format: 'json' });
    } finally {
      held.release();
    }
  };

  const failed = (error: unknown): HttpAnswer =>
    answerFailure(
      error,
      { name: interaction.name, correlationId, method: 'POST', url: '', root: '', headers: {} },
      parts.logger,
    );
  const { actor, base } = exchange;
  try {
    return acceptedLater(base, await later.begin({ actor, work, failed }));
  } catch (error) {
    held.release();
    throw error;
  }
}

const isRead = ({ name }: Interaction): boolean => name === 'read' || name === 'vread';

const asItIs: Wish = { format: 'json', general: generalParameters(''), many: false };

/** What was sent. */
type Sent = Pick<Exchange, 'body' | 'resource' | 'content'>;

const nothing: Sent = { body: noBytes };

/** The body as JSON or a form; a Binary that has come as its content is read already. */
async function bodyOf(
  parts: FhirParts & FormatParts,
  interaction: Interaction,
  { request, params }: Incoming,
  limits: BodyLimits,
  share: BodyShare,
): Promise<Sent> {
  const { headers } = request;
  const isResource = interaction.takes === 'resource';
  if (isResource && params['type'] === 'Binary' && isContent(headers)) {
    const binary = binaryOf(headers, params['id'] ?? '');
    const { data, kept } = await readContent(request, limits.content, parts.repository.contents);
    const resource = data === '' ? binary : { ...binary, data };
    return { body: noBytes, resource, ...(kept && { content: kept }) };
  }
  const kind = kindOf(interaction, headers);
  const limit = interaction.takes === 'form' ? Math.min(limits.body, longestForm) : limits.body;
  const body = await readBody(request, limit, share);
  await share.begin();
  return { body: kind === 'xml' ? await jsonBody(parts, body) : body };
}

/** Throws Refusal `not-acceptable`. */
function wishOf({ name, method, takes }: Interaction, general: General, headers: Headers): Wish {
  const format = answerFormat(general.format, headerOf(headers, 'accept'));
  if (method !== 'GET' && takes !== 'form') {
    return { format, general: { ...general, subset: undefined }, many: false };
  }
  const isSingle = answersWithOne.has(name);
  if (isSingle) refuseCounting(general);
  return { format, general, many: !isSingle };
}

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

function exchangeOf(
  { publicUrl }: FhirParts,
  { actor, params, request }: Incoming,
  type: string,
  { query }: General,
  sent: Sent,
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
    ...sent,
    publicUrl: url,
    base: `${url}${fhirPath}`,
  };
}
