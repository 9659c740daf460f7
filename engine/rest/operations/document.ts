// $document: https://hl7.org/fhir/R4/composition-operation-document.html
import { allows, type Letter } from '../../auth/scopes.ts';
import { parseResource, writeJson } from '../../fhir/exact-json.ts';
import type { Actor } from '../../kernel/actor.ts';
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import type { Exchange, FhirAnswer, FhirParts, Interaction } from '../interaction.ts';
import { inputOf } from './parameters.ts';

const document = { name: 'document', access: 'r' } as const;
const operation = {
  name: 'document',
  definition: 'http://hl7.org/fhir/OperationDefinition/Composition-document',
  types: ['Composition'],
};

export const documentInteractions: readonly Interaction[] = [
  '/:type/:id/$document',
  '/:type/$document',
].flatMap((path, place): readonly Interaction[] => [
  {
    ...document,
    path,
    method: 'GET',
    takes: 'nothing',
    answer: (parts, exchange) => answerDocument(parts, exchange, false),
    ...(place === 0 && { capability: { level: 'type', codes: [], operation } }),
  },
  {
    ...document,
    path,
    method: 'POST',
    takes: 'resource',
    answer: (parts, exchange) => answerDocument(parts, exchange, true),
  },
]);

/** `mayStore`: what is asked by GET, alone or within a Bundle, changes nothing. */
async function answerDocument(
  { repository }: FhirParts,
  exchange: Exchange,
  mayStore: boolean,
): Promise<FhirAnswer> {
  const { actor, type, id } = exchange;
  if (type !== 'Composition') throw new Refusal('not-found', 'there is $document of a Composition');
  const input = inputOf(exchange, id === '' ? ['id', 'persist'] : ['persist']);
  const asked = id === '' ? input.get('id') : id;
  if (asked === null || asked === '') throw badRequest('$document needs the id of a Composition', 'id');
  const persist = switchOf(input.get('persist'));
  if (persist && !mayStore) throw badRequest('a document is stored by POST', 'persist');
  if (persist) admit(actor, 'Bundle', 'c');
  const own = repository.as(actor);
  const made = await own.document(asked, (one) => admit(actor, one, 'r'));
  if (!persist) return { status: 200, body: writeJson(made) };
  const { stored } = await own.create(made);
  return { status: 200, body: writeJson(parseResource(stored.body ?? 'null')) };
}

function switchOf(written: string | null): boolean {
  if (written === null || written === 'false') return false;
  if (written !== 'true') throw badRequest('persist is true or false', 'persist');
  return true;
}

/** A document with holes would be taken for the whole. */
function admit({ scopes }: Actor, type: string, letter: Letter): void {
  if (allows(scopes, type, letter)) return;
  throw new Refusal('forbidden', `the scopes of this token do not include ${type}.${letter}`);
}
