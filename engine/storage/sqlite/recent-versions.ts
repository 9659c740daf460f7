// Current versions that were read lately, so that what many look at is not fetched from the file each time. True at any moment to what
// is committed: a commit takes out what it changed before any of its works is answered.
import type { StoredVersion } from '../resource-store.ts';

/** Of the bodies of one of the two halves, in characters. */
const mostInHalf = 4 * 1024 * 1024;
/** A larger body is not held: it would push out many that are wanted more. */
const largestHeld = 64 * 1024;

/**
 * Two halves: what is asked for moves to the first; when that is full it becomes the second, and what was in the second and was not asked for
 * meanwhile is let go. So what many read is found without anything being written.
 */
export class RecentVersions {
  #first = new Map<string, StoredVersion>();
  #second = new Map<string, StoredVersion>();
  /** Of the bodies in the first half. */
  #length = 0;
  readonly #changing = new Set<string>();

  get(type: string, id: string): StoredVersion | undefined {
    const key = keyOf(type, id);
    const version = this.#first.get(key);
    if (version !== undefined) return version;
    const older = this.#second.get(key);
    if (older !== undefined) this.hold(older);
    return older;
  }

  hold(version: StoredVersion): void {
    const length = lengthOf(version);
    if (length > largestHeld) return;
    const key = keyOf(version.type, version.id);
    this.#forget(key);
    if (this.#length + length > mostInHalf) this.#turn();
    this.#first.set(key, version);
    this.#length += length;
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

  #turn(): void {
    this.#second = this.#first;
    this.#first = new Map();
    this.#length = 0;
  }

  #forget(key: string): void {
    this.#second.delete(key);
    const version = this.#first.get(key);
    if (version === undefined) return;
    this.#first.delete(key);
    this.#length -= lengthOf(version);
  }
}

const keyOf = (type: string, id: string): string => `${type}/${id}`;
const lengthOf = ({ body = '' }: StoredVersion): number => body.length;
