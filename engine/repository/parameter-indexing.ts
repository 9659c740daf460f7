// Which SearchParameters of the hospital's own do not find everything yet, because what was stored before them has not been indexed by
// them. It is written down, so that no end of the engine makes an incomplete answer look complete.
import { engineActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { ReindexTask } from '../storage/index-upkeep.ts';
import type { Store } from '../storage/store.ts';
import type { Reindexing } from './reindex.ts';

export interface ParameterIndexingOptions {
  readonly store: Pick<Store, 'configuration' | 'transact'>;
  readonly reindexing: Pick<Reindexing, 'request' | 'status' | 'onFinished'>;
  readonly index: Pick<SearchIndex, 'setUnfinished'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether indexing begins by itself; otherwise it waits until an administrator asks for it. */
  readonly automatic: boolean;
}

/** A stored SearchParameter as it is now. */
export interface FollowedParameter {
  readonly id: string;
  readonly version: number;
  /** Under which it is in use; undefined: it is not. */
  readonly url: string | undefined;
  /** Whose resources it finds or did find. */
  readonly types: readonly string[];
}

export interface ParameterIndexing {
  /** Has indexed again what these are for, unless that was done for this version. Resolves when it will be done whatever happens. */
  changed(parameters: readonly FollowedParameter[]): Promise<void>;
  /** The same at a start, of all that are stored: what is not among them has been deleted. */
  begin(parameters: readonly FollowedParameter[]): Promise<void>;
}

/** What is written down of one; with `since` (ms since 1970) it is unfinished. */
interface Note {
  readonly version: number;
  readonly url: string | undefined;
  readonly types: readonly string[];
  readonly since: number | undefined;
}

const kind = 'search-parameter-index';

export function createParameterIndexing(options: ParameterIndexingOptions): ParameterIndexing {
  const { store, reindexing, index, clock, logger, automatic } = options;
  const notes = new Map<string, Note>();
  const tell = (): void => {
    const unfinished = [...notes.values()].filter(({ since }) => since !== undefined);
    index.setUnfinished(new Set(unfinished.flatMap(({ url }) => url ?? [])));
  };
  const remember = (changed: ReadonlyMap<string, Note>): void => {
    for (const [id, note] of changed) notes.set(id, note);
    tell();
  };
  const writeDown = (changed: ReadonlyMap<string, Note>): Promise<void> =>
    store.transact(async ({ configuration }) => {
      const who = { by: engineActor.id, comment: '', at: clock.now() };
      for (const [name, note] of changed) {
        await configuration.put({
          kind,
          name,
          body: isOver(note) ? undefined : JSON.stringify(note),
          ...who,
        });
      }
    });

  async function changed(parameters: readonly FollowedParameter[]): Promise<void> {
    const since = clock.now();
    const open = new Map(
      parameters.flatMap((one) => {
        const types = typesOf(one, notes.get(one.id));
        const { id, version, url } = one;
        return types.length === 0 ? [] : [[id, { version, url, types, since }] as const];
      }),
    );
    if (open.size === 0) return;
    remember(open);
    // Until it is written down, the version of the SearchParameter says that this is owed.
    if (automatic) await reindexing.request(allTypes(open));
    await writeDown(open);
  }

  async function settle(): Promise<void> {
    const tasks = new Map((await reindexing.status(undefined)).map((task) => [task.type, task]));
    const finished = [...notes].filter(([, note]) => isFinished(note, tasks));
    if (finished.length === 0) return;
    const settled = new Map(finished.map(([id, note]) => [id, { ...note, since: undefined }]));
    remember(settled);
    await writeDown(settled);
    for (const [id, note] of settled) if (isOver(note)) notes.delete(id);
    logger.info(
      { parameters: [...settled.keys()].join(' ') },
      'SearchParameters find what was stored before them',
    );
  }

  reindexing.onFinished(settle);
  return {
    changed,
    begin: async (parameters) => {
      for (const { name, body = '' } of await store.configuration.current(kind)) {
        notes.set(name, JSON.parse(body) as Note);
      }
      const stored = new Set(parameters.map(({ id }) => id));
      const deleted = [...notes].filter(([id, { url }]) => url !== undefined && !stored.has(id));
      const gone = deleted.map(([id, { version, types }]) => ({ id, version, url: undefined, types }));
      tell();
      await changed([...parameters, ...gone]);
      await settle();
    },
  };
}

/** Nothing is left of it, neither in use nor in the index. */
const isOver = ({ url, since }: Note): boolean => url === undefined && since === undefined;

/** Empty: nothing is to be indexed for it. */
function typesOf(parameter: FollowedParameter, note: Note | undefined): readonly string[] {
  if (note?.version === parameter.version && note.url === parameter.url) return [];
  return [...new Set([...parameter.types, ...(note?.types ?? [])])];
}

const allTypes = (notes: ReadonlyMap<string, Note>): readonly string[] => [
  ...new Set([...notes.values()].flatMap(({ types }) => types)),
];

function isFinished({ since, types }: Note, tasks: ReadonlyMap<string, ReindexTask>): boolean {
  if (since === undefined) return false;
  return types.every((type) => {
    const task = tasks.get(type);
    return task?.finishedAt !== undefined && task.requestedAt >= since;
  });
}
