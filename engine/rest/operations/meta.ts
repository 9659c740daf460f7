// $meta, $meta-add, $meta-delete: https://hl7.org/fhir/R4/resource-operations.html#meta
import { allows } from '../../auth/scopes.ts';
import { parseResource } from '../../fhir/exact-json.ts';
import type { FhirResource } from '../../fhir/resource.ts';
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import { admitMetaSets, withMeta, withoutMeta, type MetaSets } from '../../repository/meta.ts';
import type { Exchange, FhirAnswer, Interaction, Operation } from '../interaction.ts';
import { preconditions } from '../update.ts';
import { parametersText, sentParameters } from './parameters.ts';

const operation = (name: string): Operation => ({
  name,
  definition: `http://hl7.org/fhir/OperationDefinition/Resource-${name}`,
});

/** Of one resource all of its meta, above that what is in use. */
const metaLevels: readonly Pick<Interaction, 'path' | 'access' | 'answer' | 'capability'>[] = [
  {
    path: '/$meta',
    access: 'each',
    capability: { level: 'system', codes: [], operation: operation('meta') },
    answer: async ({ repository, index }, { actor }) => {
      if (!allows(actor.scopes, '*', 'r')) {
        throw new Refusal('forbidden', 'the scopes of this token do not include *.r');
      }
      return answerMeta(await repository.metaInUse(index.types));
    },
  },
  {
    path: '/:type/$meta',
    access: 'r',
    capability: { level: 'type', codes: [], operation: operation('meta') },
    answer: async ({ repository }, { type }) => answerMeta(await repository.metaInUse([type])),
  },
  {
    path: '/:type/:id/$meta',
    access: 'r',
    answer: async ({ repository }, { actor, type, id }) => {
      const { body } = await repository.as(actor).read(type, id);
      return answerMeta(parseResource(body ?? 'null').meta ?? {});
    },
  },
];

export const metaInteractions: readonly Interaction[] = [
  ...metaLevels.flatMap(({ capability, ...level }): readonly Interaction[] => [
    { name: 'meta', takes: 'nothing', method: 'GET', ...level, ...(capability && { capability }) },
    { name: 'meta', takes: 'nothing', method: 'POST', ...level },
  ]),
  changing('meta-add', withMeta),
  changing('meta-delete', withoutMeta),
];

/** A change of the sets is a new version like any other; where nothing changes there is none. */
function changing(
  name: string,
  change: (resource: FhirResource, meta: MetaSets) => FhirResource,
): Interaction {
  return {
    name,
    method: 'POST',
    path: `/:type/:id/$${name}`,
    access: 'u',
    takes: 'resource',
    capability: { level: 'type', codes: [], operation: operation(name) },
    answer: async ({ repository }, exchange) => {
      const { actor, type, id, headers } = exchange;
      const meta = sentMeta(exchange);
      const { stored } = await repository.transact(actor, async (unit) => {
        const resource = parseResource((await unit.read(type, id)).body ?? 'null');
        return unit.update(change(resource, meta), preconditions(headers));
      });
      return answerMeta(parseResource(stored.body ?? 'null').meta ?? {}, `W/"${stored.version}"`);
    },
  };
}

function sentMeta(exchange: Exchange): MetaSets {
  const meta = sentParameters(exchange).get('meta')?.['valueMeta'];
  if (meta === undefined) throw badRequest('a parameter named meta with a valueMeta is expected', 'meta');
  const sent = admitMetaSets(meta, 'Parameters.parameter.value');
  if (Object.keys(sent).length === 0) {
    throw badRequest('the meta has no profile, tag or security label', 'meta');
  }
  return sent;
}

const answerMeta = (meta: object, etag?: string): FhirAnswer => ({
  status: 200,
  body: parametersText({ name: 'return', valueMeta: meta }),
  ...(etag !== undefined && { headers: { etag } }),
});
