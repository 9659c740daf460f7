// The port to where resources live. Promises, for every implementation: reads see only what is committed; a
// resource's versions count 1, 2, 3 … without gaps; the JSON text comes back byte for byte.
import type { IndexEntry } from '../search/index-entry.ts';
import type { Plan, SystemPlan } from '../search/plan.ts';

export interface StoredVersion {
  readonly type: string;
  readonly id: string;
  /** 1, 2, 3 … */
  readonly version: number;
  /** ms since 1970; equals meta.lastUpdated in the body. */
  readonly lastUpdated: number;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** The resource as JSON text, id and meta in it; undefined where this version is a deletion. */
  readonly body: string | undefined;
}

export interface SearchPage {
  readonly matches: readonly StoredVersion[];
  /** Where the next page begins; undefined on the last page. Opaque, safe in a URL, needs no state in the store. */
  readonly next: string | undefined;
  /** Where the page before ends: to be asked for with `before`; undefined on the first page. */
  readonly previous?: string | undefined;
  /** Only when the plan asked for it; `estimate` may be accurate too. */
  readonly total: number | undefined;
}

export interface HistoryPage {
  /** Newest first. */
  readonly versions: readonly StoredVersion[];
  readonly next: string | undefined;
  readonly total: number;
}

export interface ResourceReader {
  /** The current version, also when it is a deletion; undefined when there never was one. */
  read(type: string, id: string): Promise<StoredVersion | undefined>;
  readVersion(type: string, id: string, version: number): Promise<StoredVersion | undefined>;
  history(type: string, id: string, count: number, after?: string): Promise<HistoryPage>;
  search(plan: Plan): Promise<SearchPage>;
  /** Over several types, newest first. Goes forwards only. */
  searchTypes(plan: SystemPlan): Promise<SearchPage>;
}

/** Inside a transaction: reads see this transaction's own writes. */
export interface ResourceWriter extends ResourceReader {
  /**
   * Makes `next` the current version. `entries` are its index entries (none for a deletion), `previousEntries` those
   * of the version that it replaces (none when there is none): the store brings the index from the one to the other.
   * Throws Refusal `conflict` when `next.version` is not the stored version plus one.
   */
  write(
    next: StoredVersion,
    entries: readonly IndexEntry[],
    previousEntries: readonly IndexEntry[],
  ): Promise<void>;
}
