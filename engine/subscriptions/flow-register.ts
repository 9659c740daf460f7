// The subscriptions of the deployed flows: kept as FHIR Subscriptions, held in memory, so that events are made while no flow runs.
import type { Actor } from '../kernel/actor.ts';
import type { Logger } from '../kernel/logger.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { Repository } from '../repository/repository.ts';
import type { SearchIndex } from '../search/search-index.ts';
import { fromResource, toResource, understand, type Listening } from './flow-criteria.ts';
import type { FlowSubscription } from './flow-port.ts';

export interface FlowRegister {
  /** Reads what is kept. Before the first change. */
  load(): Promise<void>;
  /** These, and no others, from now on. Nothing is changed when one of them is refused. */
  replace(subscriptions: readonly FlowSubscription[]): Promise<void>;
  readonly names: readonly string[];
  /** Subscriptions to changes of this resource type. */
  toType(type: string): readonly Extract<Listening, { kind: 'resource' }>[];
  toMessages(): readonly Extract<Listening, { kind: 'message' }>[];
}

export interface FlowRegisterOptions {
  readonly repository: Pick<Repository, 'as' | 'transact'>;
  readonly index: SearchIndex;
  readonly logger: Logger;
}

const registrar: Actor = { kind: 'system', id: 'flow-subscriptions', scopes: ['system/*.cruds'] };
const most = 500;

export function createFlowRegister({ repository, index, logger }: FlowRegisterOptions): FlowRegister {
  let known: readonly FlowSubscription[] = [];
  let listening: readonly Listening[] = [];
  let byType: ReadonlyMap<string, readonly Extract<Listening, { kind: 'resource' }>[]> = new Map();

  const hold = (subscriptions: readonly FlowSubscription[], understood: readonly Listening[]): void => {
    known = subscriptions;
    listening = understood;
    byType = Map.groupBy(
      understood.filter((one) => one.kind === 'resource'),
      ({ type }) => type,
    );
  };
  return {
    load: async () => {
      const kept = await keptSubscriptions(repository);
      const understood = kept.flatMap((one) => understandKept(one, index, logger));
      hold(kept, understood);
    },
    replace: async (subscriptions) => {
      refuseDoubles(subscriptions);
      const understood = subscriptions.map((one) => understand(one, index));
      await write(repository, known, subscriptions);
      hold(subscriptions, understood);
    },
    get names() {
      return listening.map((one) => one.name);
    },
    toType: (type) => byType.get(type) ?? [],
    toMessages: () => listening.filter((one) => one.kind === 'message'),
  };
}

function refuseDoubles(subscriptions: readonly FlowSubscription[]): void {
  if (subscriptions.length > most) throw badRequest(`there can be ${most} flow subscriptions at most`);
  const names = new Set(subscriptions.map((one) => one.name));
  if (names.size < subscriptions.length) throw badRequest('two flow subscriptions have the same name');
}

/** Only what differs from what is kept gets a new version. */
async function write(
  repository: Pick<Repository, 'transact'>,
  known: readonly FlowSubscription[],
  wanted: readonly FlowSubscription[],
): Promise<void> {
  const wantedNames = new Set(wanted.map((one) => one.name));
  const gone = known.filter((one) => !wantedNames.has(one.name)).map((one) => toResource(one, 'off'));
  const kept = new Set(known.map((one) => JSON.stringify(toResource(one, 'active'))));
  const news = wanted
    .map((one) => toResource(one, 'active'))
    .filter((resource) => !kept.has(JSON.stringify(resource)));
  if (gone.length + news.length === 0) return;
  await repository.transact(registrar, async (unit) => {
    for (const resource of [...gone, ...news]) await unit.update(resource);
  });
}

async function keptSubscriptions(repository: Pick<Repository, 'as'>): Promise<readonly FlowSubscription[]> {
  const found: FlowSubscription[] = [];
  let query: string | undefined = 'status=active&type=message&_count=100';
  while (query !== undefined) {
    const page: { matches: readonly { readonly body: string | undefined }[]; next: string | undefined } =
      await repository.as(registrar).search('Subscription', query);
    found.push(...page.matches.flatMap(({ body }) => (body === undefined ? [] : (fromResource(body) ?? []))));
    query = page.next;
  }
  return found;
}

/** Criteria kept by an earlier release may be refused by this one: the flow's next deployment will say so to its author. */
function understandKept(one: FlowSubscription, index: SearchIndex, logger: Logger): readonly Listening[] {
  try {
    return [understand(one, index)];
  } catch (cause) {
    logger.error(
      { subscription: one.name },
      'a kept flow subscription is not understood and makes no events',
      cause,
    );
    return [];
  }
}
