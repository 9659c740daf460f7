// POST [base]: https://hl7.org/fhir/R4/http.html#transaction
import type { Bundle } from '@medplum/fhirtypes';
import { allows, type Letter } from '../auth/scopes.ts';
import { writeJson } from '../fhir/exact-json.ts';
import { parseBundle } from '../fhir/parse-bundle.ts';
import type { Actor } from '../kernel/actor.ts';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import { createBreath } from '../repository/breath.ts';
import { entriesOf, requestOf, type Request } from '../repository/bundle-entries.ts';
import { preferredBundle } from './answer-bundle.ts';
import type { Exchange, Interaction } from './interaction.ts';
import { bodyText } from './sent-resource.ts';

export const transactionInteraction: Interaction = {
  name: 'transaction',
  method: 'POST',
  path: '/',
  access: 'each',
  takes: 'resource',
  mayWait: true,
  capability: { level: 'system', codes: ['transaction', 'batch'] },
  answer: async ({ repository }, exchange) => {
    const bundle = await sentBundle(exchange);
    refuseForbiddenEntries(bundle, exchange);
    const own = repository.as(exchange.actor);
    const answer = await preferredBundle(own, exchange, await own.apply(bundle));
    return { status: 200, body: writeJson(answer) };
  },
};

async function sentBundle({ body }: Exchange): Promise<Bundle> {
  const resource = await parseBundle(bodyText(body), createBreath());
  if (resource.resourceType !== 'Bundle') throw badRequest('a Bundle is expected here', 'resourceType');
  return resource as unknown as Bundle;
}

const letters: Readonly<Record<Exclude<Request['method'], 'GET' | 'HEAD'>, Letter>> = {
  POST: 'c',
  PUT: 'u',
  PATCH: 'u',
  DELETE: 'd',
};

/** Throws Refusal `forbidden` for the first entry that the scopes leave out. */
function refuseForbiddenEntries(bundle: Bundle, { actor, base }: Exchange): void {
  if (['c', 'r', 'u', 'd', 's'].every((letter) => allows(actor.scopes, '*', letter as Letter))) return;
  for (const [place, entry] of entriesOf(bundle).entries()) {
    const request = readable(entry, place, base);
    if (request && !mayRequest(actor, request)) {
      throw new Refusal(
        'forbidden',
        'the scopes of this token do not cover this entry',
        `Bundle.entry[${place}]`,
      );
    }
  }
}

function mayRequest({ scopes }: Actor, { method, target }: Request): boolean {
  if (method !== 'GET' && method !== 'HEAD') return allows(scopes, target.type, letters[method]);
  // What a search within a Bundle includes is not looked at entry by entry: it needs the right to read everything.
  if (target.kind === 'matching') return allows(scopes, '*', 's') && allows(scopes, '*', 'r');
  return allows(scopes, target.type, target.kind === 'type' ? 's' : 'r');
}

/** What cannot be read is refused, in its place, by the repository. */
function readable(entry: unknown, place: number, base: string): Request | undefined {
  try {
    return requestOf(entry, place, base);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
