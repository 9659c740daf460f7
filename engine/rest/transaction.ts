// POST [base]: https://hl7.org/fhir/R4/http.html#transaction
import type { Bundle } from '@medplum/fhirtypes';
import { allows, type Letter } from '../auth/scopes.ts';
import { writeJson } from '../fhir/exact-json.ts';
import { parseBundle } from '../fhir/parse-bundle.ts';
import { openEntryPatch } from '../fhir/patch/patch.ts';
import type { Actor } from '../kernel/actor.ts';
import { badRequest, Refusal } from '../kernel/outcomes.ts';
import { createBreath } from '../repository/breath.ts';
import { entriesOf, named, requestOf, type Request } from '../repository/bundle-entries.ts';
import { bareQuery } from '../repository/find-one.ts';
import { conditionalReferences } from '../repository/rewrite-references.ts';
import { preferredBundle } from './answer-bundle.ts';
import { createBundleReads } from './bundle-reads.ts';
import type { Exchange, FhirParts, Interaction } from './interaction.ts';
import { refuseHiddenCriteria } from './search-access.ts';
import { bodyText } from './sent-resource.ts';

/** `offered`: what its entries may read, asked for when the first Bundle comes. */
export function transactionInteraction(offered: () => readonly Interaction[]): Interaction {
  let reads: ReturnType<typeof createBundleReads> | undefined;
  return {
    name: 'transaction',
    method: 'POST',
    path: '/',
    access: 'each',
    takes: 'resource',
    mayWait: true,
    capability: { level: 'system', codes: ['transaction', 'batch'] },
    answer: async (parts, exchange) => {
      const bundle = await sentBundle(exchange);
      refuseForbiddenEntries(parts, bundle, exchange.actor);
      reads ??= createBundleReads(offered());
      const own = parts.repository.as(exchange.actor);
      const applied = await own.apply(bundle, reads(parts, exchange));
      return { status: 200, body: await written(await preferredBundle(own, exchange, applied)) };
    },
  };
}

/** The Bundle as JSON; others have their turn while it is written. */
async function written({ entry, ...head }: Bundle): Promise<string> {
  if (entry === undefined) return writeJson(head);
  const breathe = createBreath();
  const texts: string[] = [];
  for (const one of entry) {
    await breathe();
    texts.push(writeJson(one));
  }
  return `${writeJson(head).slice(0, -1)},"entry":[${texts.join(',')}]}`;
}

async function sentBundle({ body }: Exchange): Promise<Bundle> {
  const breathe = createBreath();
  const text = bodyText(body);
  await breathe();
  const resource = await parseBundle(text, breathe);
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
function refuseForbiddenEntries(parts: FhirParts, bundle: Bundle, actor: Actor): void {
  if (['c', 'r', 'u', 'd', 's'].every((letter) => allows(actor.scopes, '*', letter as Letter))) return;
  const base = parts.repository.base();
  for (const [place, entry] of entriesOf(bundle).entries()) {
    const request = readable(() => requestOf(entry, place, base));
    if (request && !mayRequest(actor, request)) {
      throw new Refusal(
        'forbidden',
        'the scopes of this token do not cover this entry',
        `Bundle.entry[${place}]`,
      );
    }
    if (request) named(place, () => refuseHiddenCriteriaIn(parts, actor, request));
  }
}

function mayRequest({ scopes }: Actor, { method, target }: Request): boolean {
  if (method !== 'GET' && method !== 'HEAD') return allows(scopes, target.type, letters[method]);
  // The interaction that answers it asks for itself.
  if (target.kind === 'other') return true;
  // What a search within a Bundle includes is not looked at entry by entry: it needs the right to read everything.
  if (target.kind === 'matching') return allows(scopes, '*', 's') && allows(scopes, '*', 'r');
  return allows(scopes, target.type, target.kind === 'type' ? 's' : 'r');
}

/** Criteria of a write, and references that are written as a search. */
function refuseHiddenCriteriaIn(parts: FhirParts, actor: Actor, request: Request): void {
  const { method, target, ifNoneExist, resource } = request;
  if (method === 'GET' || method === 'HEAD') return;
  const sent = method === 'PATCH' ? readable(() => openEntryPatch(resource)) : resource;
  const criteria = [...conditionalReferences(sent)].map((reference) => splitAt(reference, '?'));
  if (target.kind === 'matching') criteria.push([target.type, target.query]);
  if (ifNoneExist !== undefined) criteria.push([target.type, bareQuery(target.type, ifNoneExist)]);
  for (const [type, query] of criteria) {
    // One that cannot be read hides none of the others.
    if (parts.index.isType(type)) readable(() => refuseHiddenCriteria(parts, actor, { type, query }));
  }
}

const splitAt = (text: string, mark: string): readonly [string, string] => {
  const place = text.indexOf(mark);
  return [text.slice(0, place), text.slice(place + 1)];
};

/** What cannot be read is refused, in its place, by the repository. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal && error.code !== 'forbidden') return undefined;
    throw error;
  }
}
