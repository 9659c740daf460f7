// GET [base]?_type=…, POST [base]/_search, and the same within a compartment, [base]/Patient/[id]/*: searches over several types.
// https://hl7.org/fhir/R4/http.html#search
import { allows } from '../auth/scopes.ts';
import { isCompartmentType, memberTypes, type Compartment } from '../fhir/compartments.ts';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import { typesIn } from '../repository/search-types.ts';
import type { Exchange, FhirAnswer, FhirParts, Interaction } from './interaction.ts';
import { lenientIn } from './prefer.ts';
import { refuseHiddenConditions } from './search-access.ts';
import { answerFound, askedOf } from './search-answer.ts';

const system = {
  name: 'search-system',
  access: 'each',
  mayWait: true,
  answer: async (parts: FhirParts, exchange: Exchange) =>
    answerSearch(parts, exchange, '', parts.index.types, undefined),
} as const;

export const searchSystemInteractions: readonly Interaction[] = [
  {
    ...system,
    method: 'GET',
    path: '/',
    takes: 'nothing',
    capability: { level: 'system', codes: ['search-system'] },
  },
  { ...system, method: 'GET', path: '/_search', takes: 'nothing' },
  { ...system, method: 'POST', path: '/_search', takes: 'form' },
];

/** https://hl7.org/fhir/R4/http.html#vsearch */
const compartment = {
  name: 'search-compartment',
  mayWait: true,
  answer: async (parts: FhirParts, exchange: Exchange) => {
    const found = compartmentOf(exchange);
    const path = `/${found.type}/${found.id}`;
    const { type } = exchange;
    if (type === '') return answerSearch(parts, exchange, `${path}/*`, memberTypes(found.type), found);
    return answerOneType(parts, exchange, `${path}/${type}`, found);
  },
} as const;

export const compartmentInteractions: readonly Interaction[] = [
  {
    ...compartment,
    method: 'GET',
    path: '/:compartment/:id/*',
    access: 'each',
    takes: 'nothing',
  },
  {
    ...compartment,
    method: 'POST',
    path: '/:compartment/:id/*/_search',
    access: 'each',
    takes: 'form',
  },
  {
    ...compartment,
    method: 'GET',
    path: '/:compartment/:id/:type',
    access: 's',
    takes: 'nothing',
  },
  {
    ...compartment,
    method: 'POST',
    path: '/:compartment/:id/:type/_search',
    access: 's',
    takes: 'form',
  },
];

/** Throws Refusal `not-found` for what has no compartments. */
function compartmentOf({ compartment: type, id }: Exchange): Compartment {
  if (!isCompartmentType(type)) throw new Refusal('not-found', 'resources of this type have no compartment');
  return { type, id };
}

async function answerOneType(
  parts: FhirParts,
  exchange: Exchange,
  path: string,
  found: Compartment,
): Promise<FhirAnswer> {
  const { actor, type, headers } = exchange;
  const query = askedOf(exchange);
  const lenient = lenientIn(headers);
  refuseHiddenConditions(parts, actor, { type, query, lenient });
  const result = await parts.repository.as(actor).search(type, query, { lenient, compartment: found });
  return answerFound(exchange, path, result);
}

async function answerSearch(
  parts: FhirParts,
  exchange: Exchange,
  path: string,
  possible: readonly string[],
  found: Compartment | undefined,
): Promise<FhirAnswer> {
  const { actor, headers } = exchange;
  const { types: named, query } = typesIn(askedOf(exchange));
  const types = typesToSearch(exchange, named, possible);
  const lenient = lenientIn(headers);
  for (const type of types) refuseHiddenConditions(parts, actor, { type, query, lenient });
  const choice = { lenient, ...(found && { compartment: found }) };
  const result = await parts.repository.as(actor).searchTypes(types, query, choice);
  return answerFound(exchange, path, result, named.length === 0 ? '' : `_type=${named.join(',')}`);
}

/** Those that are named; where none are, those that the scopes let be searched. */
function typesToSearch(
  { actor }: Exchange,
  named: readonly string[],
  possible: readonly string[],
): readonly string[] {
  const known = new Set(possible);
  if (!named.every((type) => known.has(type))) {
    throw badRequest('_type names resource types that can be here', '_type');
  }
  const types = (named.length === 0 ? possible : named).filter((type) => allows(actor.scopes, type, 's'));
  if (types.length === 0 || (named.length > 0 && types.length < named.length)) {
    throw new Refusal('forbidden', 'the scopes of this token do not let these types be searched');
  }
  return types;
}
