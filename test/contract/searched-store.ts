// A store and the plain model of what it should answer, written to together and compared.
import { expect } from '@jest/globals';
import type { IndexEntry } from '../../engine/search/index-entry.ts';
import type { Condition, Leaf, Plan, SortKey } from '../../engine/search/plan.ts';
import type { StoredVersion } from '../../engine/storage/resource-store.ts';
import type { Store } from '../../engine/storage/store.ts';
import { compareByKeys, SearchModel, type Indexed } from '../support/search-model.ts';

export const leaf = (of: Leaf): Condition => ({ op: 'leaf', leaf: of });

export const plan = (change: Partial<Plan>): Plan => ({
  type: 'Observation',
  where: { op: 'every' },
  order: [],
  count: 1000,
  after: undefined,
  total: 'accurate',
  ...change,
});

/** A store and the model of it, written to together. */
export class Both {
  readonly store: Store;
  readonly model = new SearchModel();

  constructor(store: Store) {
    this.store = store;
  }

  async put(
    type: string,
    id: string,
    entries: readonly IndexEntry[],
    change: Partial<StoredVersion> = {},
  ): Promise<void> {
    await this.putAll([{ type, id, entries, change }]);
  }

  async putAll(
    resources: readonly {
      readonly type: string;
      readonly id: string;
      readonly entries: readonly IndexEntry[];
      readonly change?: Partial<StoredVersion>;
    }[],
  ): Promise<void> {
    await this.store.transact(async (transaction) => {
      for (const { type, id, entries, change } of resources) {
        const previous = this.model.get(type, id);
        const number = (previous?.version.version ?? 0) + 1;
        const next: StoredVersion = {
          type,
          id,
          version: number,
          lastUpdated: number,
          method: 'PUT',
          body: '{}',
          ...change,
        };
        await transaction.resources.write(next, entries, previous?.entries ?? []);
        this.model.put(next, entries);
      }
    });
  }

  delete(type: string, id: string): Promise<void> {
    return this.put(type, id, [], { method: 'DELETE', body: undefined });
  }

  /** Reads all pages, and expects the model's matches, each once, in an order that the sort keys allow, and the right total. */
  async expectAsModel(asked: Plan): Promise<void> {
    const expected = this.model.matches(asked);
    const found = await readAll(this.store, asked);
    expect([...found].sort()).toEqual(expected.map(({ version }) => version.id).sort());
    const indexed = found.map((id) => this.model.get(asked.type, id)!);
    expect(indexed.findIndex((one, place) => isBehind(asked.order, indexed[place - 1], one))).toBe(-1);
    expect(await readAllBackwards(this.store, asked)).toEqual(found);
    const { total } = await this.store.resources.search({ ...asked, count: 0 });
    expect(total).toBe(expected.length);
  }
}

const isBehind = (order: readonly SortKey[], before: Indexed | undefined, one: Indexed): boolean =>
  before !== undefined && compareByKeys(order, before, one) > 0;

export async function readAll(store: Store, asked: Plan): Promise<readonly string[]> {
  const found: string[] = [];
  let after: string | undefined;
  do {
    const page = await store.resources.search({ ...asked, after });
    expect(page.matches.length).toBeLessThanOrEqual(asked.count);
    found.push(...page.matches.map(({ id }) => id));
    if (found.length > 10_000) throw new Error('the pages do not end');
    after = page.next;
  } while (after !== undefined);
  return found;
}

/** From the last page to the first, in the order in which the pages show it. */
async function readAllBackwards(store: Store, asked: Plan): Promise<readonly string[]> {
  let page = await store.resources.search(asked);
  while (page.next !== undefined) page = await store.resources.search({ ...asked, after: page.next });
  let found = page.matches.map(({ id }) => id);
  while (page.previous !== undefined) {
    page = await store.resources.search({ ...asked, before: page.previous });
    expect(page.next).toBeDefined();
    found = [...page.matches.map(({ id }) => id), ...found];
    if (found.length > 10_000) throw new Error('the pages do not end');
  }
  return found;
}
