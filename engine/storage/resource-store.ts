// The port to where resources live. Promises, for every implementation: reads see only what is committed; a
// resource's versions count 1, 2, 3 … without gaps; the JSON text comes back byte for byte.
import type { IndexEntry } from '../search/index-entry.ts';
import type { StoredContent } from './content-store.ts';
import type { ParameterName, Plan, SystemPlan } from '../search/plan.ts';

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
  /**
   * What is kept apart from the body; absent: nothing is. Told by `read` and `readVersion` alone. `write` gives it to the version: it goes
   * when the last version that has it is forgotten.
   */
  readonly content?: StoredContent;
}

export interface SearchPage {
  /** As many as the plan asked for, or fewer where they are large: then there is a `next`. */
  readonly matches: readonly StoredVersion[];
  /** Where the next page begins; undefined on the last page. Opaque, safe in a URL, needs no state in the store. */
  readonly next: string | undefined;
  /** Where the page before ends: to be asked for with `before`; undefined on the first page. */
  readonly previous?: string | undefined;
  /** Only when the plan asked for it; `estimate` may be accurate too. */
  readonly total: number | undefined;
}

/** Names a resource with all its versions, or with one. */
export interface ListedVersion extends ResourceName {
  readonly version: number | undefined;
}

/** Of one resource, of all resources of these types, or of those that are listed, none twice. */
export type HistoryScope =
  | { readonly kind: 'instance'; readonly type: string; readonly id: string }
  | { readonly kind: 'types'; readonly types: readonly string[] }
  | { readonly kind: 'listed'; readonly listed: readonly ListedVersion[] };

/** https://hl7.org/fhir/R4/http.html#history, all times in ms since 1970. */
export interface HistoryRequest {
  readonly scope: HistoryScope;
  /** Versions per page, at least 1. */
  readonly count: number;
  /** The place to go on from, as an earlier page of the same request gave it in `HistoryPage.next`. */
  readonly after?: string | undefined;
  /** Only versions made at this time or later. */
  readonly since?: number | undefined;
  /** Only versions that were current at some time within [low, high). */
  readonly at?: { readonly low: number; readonly high: number } | undefined;
}

export interface HistoryPage {
  /** Newest first; deletions are versions too. Fewer than asked for where they are large: then there is a `next`. */
  readonly versions: readonly StoredVersion[];
  /** Where the next page begins; undefined on the last page. What is written meanwhile moves nothing between pages. */
  readonly next: string | undefined;
  /** Of all pages; undefined where counting would take long. */
  readonly total: number | undefined;
}

/** Names a resource, whether or not it is there. */
export interface ResourceName {
  readonly type: string;
  readonly id: string;
}

export interface ReferrersAsked {
  /** Resources of these types may point at what is not there: they are left out. */
  readonly exceptTypes: readonly string[];
  readonly limit: number;
}

/** What may be forgotten of resources: all their versions but the current one, or deleted resources whole. */
export type Forgettable = 'previous-versions' | 'deleted-resources';

export interface ResourceReader {
  /** The current version, also when it is a deletion; undefined when there never was one. */
  read(type: string, id: string): Promise<StoredVersion | undefined>;
  /** Those of `ids` that live, each once, in no order. */
  readMany(type: string, ids: readonly string[]): Promise<readonly StoredVersion[]>;
  readVersion(type: string, id: string, version: number): Promise<StoredVersion | undefined>;
  history(asked: HistoryRequest): Promise<HistoryPage>;
  search(plan: Plan): Promise<SearchPage>;
  /** Those of `names` that do not live: never were, or are deleted. In the order asked. */
  missing(names: readonly ResourceName[]): Promise<readonly ResourceName[]>;
  /** Resources that point at this one by an index entry of kind `reference`; never itself, each once. */
  referrers(name: ResourceName, asked: ReferrersAsked): Promise<readonly ResourceName[]>;
  /** The codes (with their systems; of a kind `uri`: values, without system) that resources are indexed under. */
  distinctCodes(
    parameter: ParameterName,
    kind: 'token' | 'uri',
    limit: number,
  ): Promise<readonly IndexedCode[]>;
  /** Ids of resources of this type that have something to forget. */
  forgettable(type: string, what: Forgettable, limit: number): Promise<readonly string[]>;
  /** Over several types, newest first. Goes forwards only. */
  searchTypes(plan: SystemPlan): Promise<SearchPage>;
}

export interface IndexedCode {
  readonly system: string;
  readonly code: string;
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
  /**
   * Forgets for good, so that no read finds it again: the versions before the current one, or the whole of a deleted resource.
   * Returns how many versions; 0 where there is nothing to forget, a living resource among `deleted-resources`.
   */
  forget(name: ResourceName, what: Forgettable): Promise<number>;
}
