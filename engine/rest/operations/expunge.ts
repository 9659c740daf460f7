// $expunge: an administrator takes versions, or resources, away for good. Parameters as HAPI has them.
import { adminScope } from '../../auth/scopes.ts';
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import type { Expunging } from '../../repository/expunge.ts';
import type { Exchange, Interaction } from '../interaction.ts';
import { parametersText, sentParameters } from './parameters.ts';

const usualLimit = 1000;
const greatestLimit = 10_000;

const definition = 'urn:kiungo:OperationDefinition/expunge';

export const expungeInteractions: readonly Interaction[] = ['/:type/:id/$expunge', '/:type/$expunge'].map(
  (path, place) => ({
    name: 'expunge',
    method: 'POST',
    path,
    access: 'd',
    takes: 'resource',
    ...(place === 0 && {
      capability: { level: 'type', codes: [], operation: { name: 'expunge', definition } },
    }),
    answer: async ({ repository }, exchange) => {
      const { actor } = exchange;
      if (!actor.scopes.includes(adminScope)) throw new Refusal('forbidden', 'the scope admin is needed');
      const count = await repository.expunge(actor, askedOf(exchange));
      return { status: 200, body: parametersText({ name: 'count', valueInteger: count }) };
    },
  }),
);

/** Throws Refusal `bad-request` unless it says what is to go: nothing is expunged by leaving something out. */
function askedOf(exchange: Exchange): Expunging {
  const parameters = sentParameters(exchange);
  const known = new Set<string>([...Object.values(switches), 'limit']);
  for (const name of parameters.keys()) {
    if (!known.has(name)) throw badRequest(`the parameters are ${[...known].join(', ')}`, 'Parameters');
  }
  const isOn = (name: string): boolean => {
    const value = parameters.get(name)?.['valueBoolean'];
    if (parameters.has(name) && typeof value !== 'boolean') {
      throw badRequest(`${name} has a valueBoolean`, name);
    }
    return value === true;
  };
  const asked = {
    type: exchange.type,
    id: exchange.id === '' ? undefined : exchange.id,
    previousVersions: isOn(switches.previousVersions),
    deletedResources: isOn(switches.deletedResources),
    livingResource: isOn(switches.livingResource),
    limit: limitOf(parameters.get('limit')?.['valueInteger'] ?? usualLimit),
  };
  if (!asked.previousVersions && !asked.deletedResources && !asked.livingResource) {
    throw badRequest(`at least one of ${Object.values(switches).join(', ')} is to be true`, 'Parameters');
  }
  if (asked.livingResource && asked.id === undefined) {
    throw badRequest('living resources are expunged one by one', switches.livingResource);
  }
  return asked;
}

const switches = {
  previousVersions: 'expungePreviousVersions',
  deletedResources: 'expungeDeletedResources',
  livingResource: 'expungeEverything',
} as const;

function limitOf(value: unknown): number {
  if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= greatestLimit) return Number(value);
  throw badRequest(`limit is a whole number from 1 to ${greatestLimit}`, 'limit');
}
