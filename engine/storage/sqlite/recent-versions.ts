// Current versions that were read lately, so that what many look at is not fetched from the file each time. True at any moment to what
// is committed: a commit takes out what it changed before any of its works is answered.
import type { StoredVersion } from '../resource-store.ts';

/** Of all bodies that are held, in characters. */
const mostHeld = 8 * 1024 * 1024;
/** A larger body is not held: it would push out many that are wanted more. */
const largestHeld = 64 * 1024;

export class RecentVersions {
  /** The one that was asked for longest ago stands first. */
  readonly #held = new Map<string, StoredVersion>();
  readonly #changing = new Set<string>();
  #length = 0;

  get(type: string, id: string): StoredVersion | undefined {
    const key = keyOf(type, id);
    const version = this.#held.get(key);
    if (version === undefined) return undefined;
    this.#held.delete(key);
    this.#held.set(key, version);
    return version;
  }

  hold(version: StoredVersion): void {
    const length = lengthOf(version);
    if (length > largestHeld) return;
    const key = keyOf(version.type, version.id);
    this.#forget(key);
    this.#held.set(key, version);
    this.#length += length;
    while (this.#length > mostHeld) this.#forget(this.#held.keys().next().value ?? key);
  }

  /** The transaction under way writes it: what is held stays true until the commit. */
  changing(type: string, id: string): void {
    this.#changing.add(keyOf(type, id));
  }

  /** In the same turn as the commit, or as its failure. */
  changed(): void {
    for (const key of this.#changing) this.#forget(key);
    this.#changing.clear();
  }

  #forget(key: string): void {
    const version = this.#held.get(key);
    if (version === undefined) return;
    this.#held.delete(key);
    this.#length -= lengthOf(version);
  }
}

const keyOf = (type: string, id: string): string => `${type}/${id}`;
const lengthOf = ({ body = '' }: StoredVersion): number => body.length;
