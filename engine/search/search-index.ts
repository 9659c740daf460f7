// What the compiled search parameters can do: the face of engine/search that the other parts see.
import type { FhirResource } from '../fhir/resource.ts';
import type { IndexEntry } from './index-entry.ts';
import type { Answers } from './answers.ts';
import type { Condition, ParameterName, Plan } from './plan.ts';

export interface SearchParameterInfo {
  /** The code in the URL: `birthdate`. */
  readonly code: string;
  readonly type:
    'number' | 'date' | 'string' | 'token' | 'reference' | 'composite' | 'quantity' | 'uri' | 'special';
  /** Canonical URL of the SearchParameter. */
  readonly definition: string;
  readonly documentation: string;
  /** References that are followed, by chains and includes, to the address that they say. */
  readonly literal?: boolean;
  /** Canonical urls, which are followed to the resources that have that url. */
  readonly canonical?: boolean;
  /** The types that a reference may point at; none: any. */
  readonly targets?: readonly string[];
}

export interface Include {
  /** `_include`: `source` is in the results; `_revinclude`: `source` points at the results, `*` for any type. */
  readonly kind: 'include' | 'revinclude';
  readonly source: string;
  /** Code of the reference parameter, or `*`. */
  readonly parameter: string;
  readonly target: string | undefined;
  readonly iterate: boolean;
}

/** The parts of a condition `points-at` or `pointed-at-by` over canonicals. */
export interface CanonicalLink {
  readonly parameter: ParameterName;
  readonly by: ParameterName;
  readonly target: string;
}

/** What a search URL asked for, understood. */
export interface SearchRequest {
  readonly plan: Plan;
  readonly includes: readonly Include[];
  /** The query that was really carried out, for the `self` link: without what was ignored, without the page. */
  readonly self: string;
  /** Parameters that lenient handling left out. */
  readonly ignored: readonly string[];
  /** Codes of parameters that the request uses and that do not find everything yet: see `setUnfinished`. */
  readonly unfinished: readonly string[];
}

export interface SearchOptions {
  /** Prefer: handling=lenient leaves unknown parameters out instead of refusing them. */
  readonly lenient: boolean;
  /** The public FHIR base: absolute references under it are made relative. */
  readonly base: string;
  readonly defaultCount: number;
  readonly maximumCount: number;
  /**
   * Collects what must be looked up first (value sets, hierarchies), and holds what has been. While questions are open the request is
   * not what was asked: answer them and read the query again. Without this, such queries are refused.
   */
  readonly answers?: Answers;
}

export interface SearchIndex {
  /** How often definitions were taken in or out of use: entries made at another count may lack something. */
  readonly revision: number;
  readonly types: readonly string[];
  isType(name: string): boolean;
  parameters(type: string): readonly SearchParameterInfo[];
  /** The index entries of a resource, all parameters; no two alike. */
  entries(resource: FhirResource): readonly IndexEntry[];
  /** Reads a query string (`code=http://loinc.org|6690-2&_count=10`); throws Refusal `unknown-parameter` or `bad-request`. */
  request(type: string, query: string, options: SearchOptions): SearchRequest;
  /** Whether a resource with these entries satisfies the condition. Chains cannot be seen in the entries: they throw. */
  matches(resource: FhirResource, entries: readonly IndexEntry[], condition: Condition): boolean;
  /**
   * Takes a SearchParameter resource in use, instead of an earlier one with its URL; answers the types that it is for, whose resources
   * are found by it once they are indexed again. None for a definition of R4 itself, which is in use already. Throws Refusal
   * `unprocessable` for one that is not active, lies outside what can be compiled, or whose code another parameter has.
   */
  define(parameter: FhirResource): Promise<readonly string[]>;
  /** From now on the parameters with these URLs, and no others, do not find everything yet: requests that use them say so. */
  setUnfinished(urls: ReadonlySet<string>): void;
  /** Takes it out of use again; answers the types that it was for. */
  forget(url: string): readonly string[];
  /** The relative references (`Patient/1`) that a resource carries under a reference parameter; `*`: under any. */
  referencesOf(resource: FhirResource, parameter: string, target: string | undefined): readonly string[];
  /** How the canonicals of a type lead on, under a reference parameter or (`*`) under any, to one type or to each. */
  canonicalLinks(source: string, parameter: string, target: string | undefined): readonly CanonicalLink[];
}
