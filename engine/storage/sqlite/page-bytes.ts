// A page of large bodies ends before its count is reached, so that no question can fill the memory: the next page goes on from there.
import type { StoredVersion } from '../resource-store.ts';

/** Of all bodies on one page, in characters. */
const mostOnPage = 16 * 1024 * 1024;

/** Reads from the first key on until the page is full; at least one. */
export function readPage<Key>(
  keys: readonly Key[],
  read: (key: Key) => StoredVersion,
): readonly StoredVersion[] {
  const versions: StoredVersion[] = [];
  let length = 0;
  for (const key of keys) {
    const version = read(key);
    versions.push(version);
    length += version.body?.length ?? 0;
    if (length > mostOnPage) break;
  }
  return versions;
}
