// $reindex: an administrator has the index brought to what the definitions say now, in the background; GET tells how far it has come.
import { adminScope } from '../../auth/scopes.ts';
import { Refusal } from '../../kernel/outcomes.ts';
import type { Reindexing } from '../../repository/reindex.ts';
import type { ReindexTask } from '../../storage/index-upkeep.ts';
import type { Exchange, FhirAnswer, FhirParts, Interaction } from '../interaction.ts';

const definition = 'urn:kiungo:OperationDefinition/reindex';

const reindex = {
  name: 'reindex',
  access: 'each',
} as const satisfies Partial<Interaction>;

export const reindexInteractions: readonly Interaction[] = ['/$reindex', '/:type/$reindex'].flatMap(
  (path, place): readonly Interaction[] => [
    { ...reindex, method: 'GET', path, takes: 'nothing', answer: answerStatus },
    {
      ...reindex,
      method: 'POST',
      path,
      takes: 'nothing',
      capability: {
        level: place === 0 ? 'system' : 'type',
        codes: [],
        operation: { name: 'reindex', definition },
      },
      answer: answerRequest,
    },
  ],
);

async function answerRequest(parts: FhirParts, exchange: Exchange): Promise<FhirAnswer> {
  const reindexing = admitted(parts, exchange);
  const type = exchange.type === '' ? undefined : exchange.type;
  await reindexing.request(type === undefined ? undefined : [type]);
  const location = `${exchange.base}${type === undefined ? '' : `/${type}`}/$reindex`;
  return {
    status: 202,
    headers: { 'content-location': location },
    body: statusText(await reindexing.status(type)),
  };
}

async function answerStatus(parts: FhirParts, exchange: Exchange): Promise<FhirAnswer> {
  const reindexing = admitted(parts, exchange);
  return {
    status: 200,
    body: statusText(await reindexing.status(exchange.type === '' ? undefined : exchange.type)),
  };
}

function admitted({ reindexing, index }: FhirParts, { actor, type }: Exchange): Reindexing {
  if (!actor.scopes.includes(adminScope)) throw new Refusal('forbidden', 'the scope admin is needed');
  if (type !== '' && !index.isType(type)) throw new Refusal('not-found', `${type} is no resource type`);
  if (reindexing === undefined) throw new Refusal('not-found', 'nothing is indexed again here');
  return reindexing;
}

/** One parameter a type. */
const statusText = (tasks: readonly ReindexTask[]): string =>
  JSON.stringify({
    resourceType: 'Parameters',
    parameter: tasks.map(({ type, requestedAt, finishedAt, total, seen, mended }) => ({
      name: 'type',
      part: [
        { name: 'code', valueCode: type },
        { name: 'status', valueCode: finishedAt === undefined ? 'in-progress' : 'completed' },
        { name: 'requested', valueInstant: new Date(requestedAt).toISOString() },
        ...(finishedAt === undefined
          ? []
          : [{ name: 'finished', valueInstant: new Date(finishedAt).toISOString() }]),
        { name: 'resources', valueInteger: Math.max(total, seen) },
        { name: 'compared', valueInteger: seen },
        { name: 'mended', valueInteger: mended },
      ],
    })),
  });
