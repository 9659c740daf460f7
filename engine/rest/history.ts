// GET [base]/[type]/[id]/_history, [base]/[type]/_history and [base]/_history: https://hl7.org/fhir/R4/http.html#history
import { allows } from '../auth/scopes.ts';
import { historyPieces } from '../fhir/bundles.ts';
import { instantRange, type InstantRange } from '../fhir/instants.ts';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import type { AskedHistory } from '../repository/repository.ts';
import type { HistoryScope } from '../storage/resource-store.ts';
import type { Exchange, FhirAnswer, FhirParts, Interaction } from './interaction.ts';
import { refuseHiddenType } from './search-access.ts';
import { textOrPieces } from './stream-body.ts';

const defaultCount = 20;
const maximumCount = 1000;

export const historyInstanceInteraction: Interaction = {
  name: 'history-instance',
  method: 'GET',
  path: '/:type/:id/_history',
  access: 'r',
  takes: 'nothing',
  capability: { level: 'type', codes: ['history-instance'] },
  answer: (parts, exchange) => {
    const { type, id } = exchange;
    return answerHistory(parts, exchange, `/${type}/${id}`, { kind: 'instance', type, id });
  },
};

export const historyTypeInteraction: Interaction = {
  name: 'history-type',
  method: 'GET',
  path: '/:type/_history',
  access: 'r',
  takes: 'nothing',
  capability: { level: 'type', codes: ['history-type'] },
  answer: (parts, exchange) =>
    answerHistory(parts, exchange, `/${exchange.type}`, { kind: 'types', types: [exchange.type] }),
};

/** Of the types that the scopes let be read: the others are not there for this actor. */
export const historySystemInteraction: Interaction = {
  name: 'history-system',
  method: 'GET',
  path: '/_history',
  access: 'each',
  takes: 'nothing',
  capability: { level: 'system', codes: ['history-system'] },
  answer: (parts, exchange) => {
    const types = parts.index.types.filter((type) => allows(exchange.actor.scopes, type, 'r'));
    if (types.length === 0) throw new Refusal('forbidden', 'the scopes of this token let no type be read');
    return answerHistory(parts, exchange, '', { kind: 'types', types });
  },
};

async function answerHistory(
  { repository }: FhirParts,
  { actor, query, base }: Exchange,
  path: string,
  scope: HistoryScope,
): Promise<FhirAnswer> {
  const parameters = parametersOf(query);
  if (parameters['_list'] !== undefined) refuseHiddenType(actor, 'List');
  const page = await repository.as(actor).history(requestOf(scope, parameters));
  const counts = onlyCounts(parameters);
  const self = `${base}${path}/_history?${selfQuery(parameters)}`;
  const next =
    page.next === undefined || counts ? undefined : `${self}&_page=${encodeURIComponent(page.next)}`;
  const { total } = page;
  const versions = counts ? [] : page.versions;
  return {
    status: 200,
    byEntry: true,
    body: textOrPieces(historyPieces({ base, self, next, total, versions })),
  };
}

const known = ['_count', '_since', '_at', '_list', '_sort', '_page', '_summary'] as const;
type Known = (typeof known)[number];
type Parameters = Readonly<Partial<Record<Known, string>>>;

/** Throws Refusal `unknown-parameter` for what is not offered, `bad-request` for what is there twice. */
function parametersOf(query: string): Parameters {
  const found: Partial<Record<Known, string>> = {};
  for (const [written, value] of new URLSearchParams(query)) {
    const name = known.find((one) => one === written);
    if (!name) throw new Refusal('unknown-parameter', `a history takes ${known.join(', ')}`);
    if (found[name] !== undefined) throw badRequest(`${name} is given once`, name);
    found[name] = value;
  }
  return found;
}

function requestOf(scope: HistoryScope, parameters: Parameters): AskedHistory {
  const sort = parameters['_sort'] ?? '-_lastUpdated';
  if (sort !== '-_lastUpdated') throw badRequest('a history runs newest first: -_lastUpdated', '_sort');
  return {
    scope,
    count: countOf(parameters['_count']),
    after: parameters['_page'],
    since: timeOf(parameters, '_since')?.low,
    at: timeOf(parameters, '_at'),
    list: parameters['_list'],
  };
}

/** `_summary` is left in the query where it is `count` only. */
const onlyCounts = (parameters: Parameters): boolean =>
  parameters['_summary'] !== undefined || parameters['_count'] === '0';

function countOf(written: string | undefined): number {
  if (written === undefined) return defaultCount;
  if (!/^\d{1,9}$/.test(written)) throw badRequest('_count is a whole number', '_count');
  return Math.min(Math.max(1, Number(written)), maximumCount);
}

/** A `+` before a time zone that was not percent-encoded arrives as a space. */
function timeOf(parameters: Parameters, name: '_since' | '_at'): InstantRange | undefined {
  const written = parameters[name];
  if (written === undefined) return undefined;
  const range = instantRange(written.replace(' ', '+'));
  if (!range) throw badRequest(`${name} is a FHIR instant, dateTime or date`, name);
  return range;
}

const selfQuery = (parameters: Parameters): string =>
  new URLSearchParams({
    _count: onlyCounts(parameters) ? '0' : String(countOf(parameters['_count'])),
    ...(parameters['_since'] === undefined ? {} : { _since: parameters['_since'] }),
    ...(parameters['_at'] === undefined ? {} : { _at: parameters['_at'] }),
    ...(parameters['_list'] === undefined ? {} : { _list: parameters['_list'] }),
  }).toString();
