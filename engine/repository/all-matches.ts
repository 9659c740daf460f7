// All that a condition finds, page by page.
import type { Condition } from '../search/plan.ts';
import type { StoredVersion } from '../storage/resource-store.ts';
import type { Reading } from './work.ts';

/** Resources read at once. */
const pageSize = 500;

export async function* allMatches(
  { resources }: Pick<Reading, 'resources'>,
  type: string,
  where: Condition,
): AsyncGenerator<StoredVersion> {
  let after: string | undefined;
  do {
    const page = await resources.search({ type, where, order: [], count: pageSize, after, total: 'none' });
    yield* page.matches;
    after = page.next;
  } while (after !== undefined);
}
