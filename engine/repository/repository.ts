// The repository: FHIR's rules about resources, versions and transactions, over any store.
import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import type { Compartment } from '../fhir/compartments.ts';
import type { FhirResource } from '../fhir/resource.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Refusal } from '../kernel/outcomes.ts';
import type { IndexEntry } from '../search/index-entry.ts';
import type { StoredContent } from '../storage/content-store.ts';
import type { HistoryPage, HistoryRequest, StoredVersion } from '../storage/resource-store.ts';
import type { MessageWriter } from '../storage/message-store.ts';
import type { TransactionChoice } from '../storage/store.ts';
import type { Preconditions } from './preconditions.ts';

export interface SearchResult {
  readonly matches: readonly StoredVersion[];
  readonly included: readonly StoredVersion[];
  readonly total: number | undefined;
  /** Queries (without `?`) for the links of the answering Bundle. */
  readonly self: string;
  /** Of the first page; undefined when this is it. */
  readonly first: string | undefined;
  readonly next: string | undefined;
  readonly previous: string | undefined;
  readonly ignored: readonly string[];
  /** Codes of parameters by which not everything is found yet, because it is still being indexed. */
  readonly unfinished: readonly string[];
}

export interface SearchChoice {
  readonly lenient?: boolean;
  /** Only what is in this compartment. */
  readonly compartment?: Compartment;
}

/** What $everything is asked for. */
export interface Everything {
  readonly type: 'Patient' | 'Encounter';
  /** undefined: of all that there are. */
  readonly id: string | undefined;
  /** Dates of care, as FHIR writes them. */
  readonly start: string | undefined;
  readonly end: string | undefined;
  /** ms since 1970: only what was changed then or later. */
  readonly since: number | undefined;
  readonly types: readonly string[] | undefined;
  /** Types that the one who asks may not see are left out. */
  readonly mayRead: (type: string) => boolean;
}

/** `include`: it is not in the compartment, but something in it refers to it. */
export interface EverythingItem {
  readonly version: StoredVersion;
  readonly mode: 'match' | 'include';
}

export interface EverythingPage {
  readonly items: readonly EverythingItem[];
  readonly next: string | undefined;
}

export interface AskedHistory extends HistoryRequest {
  /** As in the search parameter `_list`: only versions that these Lists name, or of resources that they name. */
  readonly list?: string | undefined;
}

export interface ReadsResources {
  /** Throws Refusal `not-found`, or `gone` when it was deleted. */
  read(type: string, id: string): Promise<StoredVersion>;
  /** Those of `ids` that there are, each once, in no order. */
  readMany(type: string, ids: readonly string[]): Promise<readonly StoredVersion[]>;
  readVersion(type: string, id: string, version: string): Promise<StoredVersion>;
  /** Of one resource: throws Refusal `not-found` when there never was one. */
  history(asked: AskedHistory): Promise<HistoryPage>;
  /** `query` as after the `?` of a search URL. */
  search(type: string, query: string, choice?: SearchChoice): Promise<SearchResult>;
  /** The ConceptMaps that a search finds, parsed once for as long as they do not change. */
  conceptMaps(query: string): Promise<readonly FhirResource[]>;
  /** Over several types, newest first; `query` is without `_type`. */
  searchTypes(types: readonly string[], query: string, choice?: SearchChoice): Promise<SearchResult>;
  /** As it is read. Its first step throws Refusal `not-found` or `gone` where there is no such resource. */
  everything(asked: Everything): AsyncGenerator<EverythingItem>;
  everythingPage(asked: Everything, count: number, after: string | undefined): Promise<EverythingPage>;
  /** A document Bundle of a Composition, not stored. `admitType` is asked for each type in it, and throws to refuse. */
  document(id: string, admitType: (type: string) => void): Promise<FhirResource>;
  /** The last `max` Observations of each code that the query finds, newest first. */
  lastN(query: string, max: number): Promise<readonly StoredVersion[]>;
}

/** What an entry of a Bundle wants to read: `path` and `query` as under the FHIR base. */
export interface BundleRead {
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
  readonly query: string;
  readonly ifNoneMatch: string | undefined;
  readonly ifModifiedSince: string | undefined;
}

/** Answers it from `resources`, which see what the Bundle has done so far. Throws Refusal. */
export type BundleReader = (resources: ReadsResources, read: BundleRead) => Promise<BundleEntry>;

export interface BundleChoice {
  /**
   * Answers searches and whatever else can be read beside a resource and a version. Without it searches over one type are answered
   * by the repository, and nothing else is.
   */
  readonly others?: BundleReader;
  /** Entries of a batch, by their places, that are refused whatever they ask. */
  readonly refused?: ReadonlyMap<number, Refusal>;
}

/** What a write came to. `outcome` is `unchanged` where the resource was already so, or was found by its condition. */
export interface Written {
  readonly stored: StoredVersion;
  readonly outcome: 'created' | 'updated' | 'deleted' | 'unchanged';
}

export interface CreateChoice {
  readonly ifNoneExist?: string;
  readonly id?: string;
  /** The data of a Binary, kept already. */
  readonly content?: StoredContent | undefined;
}

export interface WritesResources extends ReadsResources {
  /** With `ifNoneExist`: one match is returned unchanged; more than one is refused (`multiple-matches`). */
  create(resource: FhirResource, choice?: CreateChoice): Promise<Written>;
  /**
   * Creates under the given id when there is none. `ifMatch`: the version that must be the current one; `ifNoneMatch`: those that must
   * not be, `*` for any; else `precondition-failed`. `content` as for `create`.
   */
  update(resource: FhirResource, expected?: Preconditions, content?: StoredContent): Promise<Written>;
  /** Deleting what is already deleted is `unchanged`. */
  delete(type: string, id: string, expected?: Preconditions): Promise<Written>;
  /**
   * A transaction or batch Bundle; answers the response Bundle. A transaction is all or nothing.
   */
  apply(bundle: Bundle, choice?: BundleChoice): Promise<Bundle>;
}

/** All of it commits together, or nothing. */
export interface RepositoryUnit extends WritesResources {
  readonly messages: MessageWriter;
}

/** A committed (or, inside the unit, about to be committed) new version. */
export interface Change {
  readonly version: StoredVersion;
  readonly outcome: 'created' | 'updated' | 'deleted';
  /** undefined for a deletion. */
  readonly resource: FhirResource | undefined;
  readonly entries: readonly IndexEntry[];
  readonly actor: Actor;
}

export interface Repository {
  /** The repository as this actor may use it: one durable transaction for each call. */
  as(actor: Actor): WritesResources;
  /** Several writes, and message states with them, in one durable transaction. */
  transact<T>(
    actor: Actor,
    work: (unit: RepositoryUnit) => Promise<T>,
    choice?: TransactionChoice,
  ): Promise<T>;
  /** Called inside the transaction of each change: what it writes commits with the change, and its failure undoes it. */
  onChange(listener: (change: Change, unit: RepositoryUnit) => Promise<void>): void;
  /** Called after each commit that changed resources or enqueued deliveries. */
  onCommitted(listener: () => void): void;
}
