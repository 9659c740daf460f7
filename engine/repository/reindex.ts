// Indexing again in the background, for definitions that have changed: one slice after the other, at half the time at most, going on after a
// restart where it was.
import { setTimeout as wait } from 'node:timers/promises';
import { parseResource } from '../fhir/exact-json.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { IndexRecipe, MendParts, ReindexTask } from '../storage/index-upkeep.ts';
import type { Store } from '../storage/store.ts';

export interface ReindexParts {
  readonly store: Pick<Store, 'upkeep' | 'resources'>;
  readonly index: SearchIndex;
  readonly clock: Clock;
  readonly logger: Logger;
  /** By which `index` was loaded. */
  readonly recipe: Omit<IndexRecipe, 'added'>;
}

export interface Reindexing {
  /** Begins, anew where it was begun, for these types or for all. Resolves when it will be done whatever happens. */
  request(types: readonly string[] | undefined): Promise<void>;
  /** How far it has come, by type; what has not been asked for is not there. */
  status(type: string | undefined): Promise<readonly ReindexTask[]>;
  /** Called, and waited for, each time that a type is finished. */
  onFinished(listener: () => Promise<void>): void;
  /** Goes on with what is not finished. */
  start(): void;
  /** Resolves when nothing is left to do. */
  idle(): Promise<void>;
  /** Begins no further transaction. */
  stop(): void;
}

/** Between two transactions others have their turn for as long as the last one took, and at least so long. */
const leastBreathMs = 5;

class Stopped extends Error {}

export function createReindexing(parts: ReindexParts): Reindexing {
  const { store, clock, logger } = parts;
  let stopped = false;
  let running: Promise<void> | undefined;
  let isAskedFor = false;
  const finishedListeners: (() => Promise<void>)[] = [];

  const breathe = async (tookMs: number): Promise<void> => {
    await wait(Math.max(leastBreathMs, tookMs));
    if (stopped) throw new Stopped();
  };

  async function run(): Promise<void> {
    isAskedFor = false;
    for (;;) {
      const task = stopped
        ? undefined
        : await store.upkeep.mendNext(await mendParts(parts, breathe), clock.now());
      if (task === undefined) return;
      const { type, seen, total, mended, finishedAt } = task;
      logger.info({ type, seen, total, mended, finished: finishedAt !== undefined }, 'indexing again');
      if (finishedAt !== undefined) for (const listener of finishedListeners) await listener();
    }
  }

  function start(): void {
    isAskedFor = true;
    running ??= run()
      .catch((error: unknown) => {
        if (!stopped) {
          logger.error({}, 'indexing again was broken off; it goes on with the next start', error);
        }
      })
      .finally(() => {
        running = undefined;
        // Asked for after the last look at what is left to do.
        if (isAskedFor && !stopped) start();
      });
  }

  return {
    request: async (types) => {
      await store.upkeep.request(types, clock.now());
      start();
    },
    onFinished: (listener) => void finishedListeners.push(listener),
    status: async (type) => {
      const tasks = await store.upkeep.tasks();
      return tasks.filter((task) => type === undefined || task.type === type);
    },
    start,
    idle: async () => {
      while (running !== undefined) await running;
    },
    stop: () => {
      stopped = true;
    },
  };
}

async function mendParts(
  { store, index, recipe }: ReindexParts,
  breathe: MendParts['breathe'],
): Promise<MendParts> {
  return {
    recipe: { ...recipe, added: await searchParametersInUse(store, index) },
    entriesOf: (body) => index.entries(parseResource(body)),
    breathe,
  };
}

async function searchParametersInUse(
  { resources }: Pick<Store, 'resources'>,
  index: SearchIndex,
): Promise<readonly string[]> {
  const limits = { lenient: false, base: '', defaultCount: 200, maximumCount: 200 };
  const { plan } = index.request('SearchParameter', 'status=active&_sort=_lastUpdated', limits);
  const found: string[] = [];
  let after: string | undefined;
  do {
    const page = await resources.search({ ...plan, after });
    found.push(...page.matches.flatMap(({ body }) => body ?? []));
    after = page.next;
  } while (after !== undefined);
  return found;
}
