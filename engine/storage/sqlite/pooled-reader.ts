// Reads of what is committed. A search begins on the main thread, where a short one costs least; one that turns out long is given up
// there within milliseconds and begun anew in the pool, so that it holds up neither reads nor acknowledgements.
// Why: docs/decisions/0004-long-searches-on-threads.md
import type { Plan, SystemPlan } from '../../search/plan.ts';
import type { SearchPage, StoredVersion } from '../resource-store.ts';
import type { Names } from './names.ts';
import type { RecentVersions } from './recent-versions.ts';
import { SqliteResourceReader } from './resource-store.ts';
import { always } from './scope.ts';
import type { SearchPool } from './search-pool.ts';
import type { SearchQuestion } from './search-task.ts';
import { TimeIsUp } from './time-limit.ts';

export class PooledResourceReader extends SqliteResourceReader {
  readonly #pool: SearchPool;
  readonly #hereMs: number;

  readonly #recent: RecentVersions;

  /** `hereMs`: how long a search may hold up the main thread. */
  constructor(names: Names, pool: SearchPool, recent: RecentVersions, hereMs: number) {
    super(names, always);
    this.#recent = recent;
    this.#pool = pool;
    this.#hereMs = hereMs;
  }

  override async read(type: string, id: string): Promise<StoredVersion | undefined> {
    const recent = this.#recent.get(type, id);
    if (recent !== undefined) return recent;
    // Read and held in one turn: no commit can come between.
    const version = this.current(type, id);
    if (version !== undefined) this.#recent.hold(version);
    return version;
  }

  override search(plan: Plan): Promise<SearchPage> {
    return this.#hereOrThere({ plan }, () => super.search(plan));
  }

  override searchTypes(system: SystemPlan): Promise<SearchPage> {
    return this.#hereOrThere({ system }, () => super.searchTypes(system));
  }

  async #hereOrThere(question: SearchQuestion, search: () => Promise<SearchPage>): Promise<SearchPage> {
    try {
      return await this.names.connection.within(this.#hereMs, search);
    } catch (error) {
      if (error instanceof TimeIsUp) return this.#pool.search(question);
      throw error;
    }
  }
}
