// What a search asks of a store, as set algebra over index entries: any store can carry it out, and no store's
// words are in it. See https://hl7.org/fhir/R4/search.html for what each comparison means.

/**
 * Names a search parameter of a resource type as the index knows it: `Observation.code`. Parameters that mean
 * the same set of values share one name (Observation `patient` is found under `Observation.subject`).
 */
export type ParameterName = string;

/** One condition on the index entries of one parameter. */
export type Leaf =
  | {
      readonly kind: 'token';
      readonly parameter: ParameterName;
      /** undefined: any system; '': explicitly no system. */
      readonly system: string | undefined;
      /** undefined: any code of that system. */
      readonly code: string | undefined;
    }
  | {
      readonly kind: 'reference';
      readonly parameter: ParameterName;
      /** `Patient/123`, an absolute URL, a canonical or a `urn:`; relative without version. */
      readonly target: string;
    }
  | {
      readonly kind: 'uri';
      readonly parameter: ParameterName;
      readonly value: string;
      /** `versions`: as in a leaf of kind canonical. */
      readonly match: 'exact' | 'below' | 'versions';
    }
  /** A reference that is this canonical `url|version`, or of a version that continues it after a dot or a hyphen: 1.2 is one of 1. */
  | { readonly kind: 'canonical'; readonly parameter: ParameterName; readonly value: string }
  | {
      readonly kind: 'string';
      readonly parameter: ParameterName;
      /** `whole` is the folded value itself; `exact` the value as it is written. */
      readonly match: 'prefix' | 'exact' | 'contains' | 'whole' | 'suffix';
      /** As written for exact, else folded (see `foldString`). */
      readonly value: string;
    }
  | ({ readonly kind: 'date'; readonly parameter: ParameterName } & Span)
  | ({ readonly kind: 'number'; readonly parameter: ParameterName } & Span)
  | ({
      readonly kind: 'quantity';
      readonly parameter: ParameterName;
      /** undefined: any unit. Canonical unit code or unit text as indexed. */
      readonly unit: string | undefined;
      readonly system: string | undefined;
    } & Span)
  | { readonly kind: 'missing'; readonly parameter: ParameterName }
  /** Any of many tokens (`:in`, `:below`): by system, '' where the code has none. */
  | {
      readonly kind: 'token-in';
      readonly parameter: ParameterName;
      readonly codes: readonly { readonly system: string; readonly codes: readonly string[] }[];
    }
  /**
   * One entry whose parts satisfy these leaves, part by part; the leaves' own `parameter` is that of the composite. Two parts, or
   * three.
   */
  | { readonly kind: 'composite'; readonly parameter: ParameterName; readonly parts: readonly PartLeaf[] }
  /** A position at most so many metres from this one, along a great circle. Degrees, WGS 84. */
  | {
      readonly kind: 'near';
      readonly parameter: ParameterName;
      readonly latitude: number;
      readonly longitude: number;
      readonly metres: number;
    }
  /** Full text that has all of these words, folded (see `foldString`); `prefix`: a word that begins so. */
  | {
      readonly kind: 'text';
      readonly parameter: ParameterName;
      readonly words: readonly { readonly word: string; readonly prefix: boolean }[];
    }
  /** Logical ids of the searched type. */
  | { readonly kind: 'id'; readonly values: readonly string[] }
  | ({ readonly kind: 'lastUpdated' } & Span);

/** What a part of a composite can be asked. */
export type PartLeaf = Extract<
  Leaf,
  { readonly kind: 'token' | 'reference' | 'uri' | 'string' | 'date' | 'number' | 'quantity' }
>;

/**
 * Compares the stored range [low, high) with the asked range [low, high): dates in ms since 1970, numbers as they are.
 * https://hl7.org/fhir/R4/search.html#prefix — eq: the asked range contains the stored one; gt: the stored range has a part
 * above the asked one; lt: a part below; ge, le: gt or lt, or eq; sa, eb: wholly after or before; ap: they overlap.
 */
export interface Span {
  readonly comparator: 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap';
  readonly low: number;
  readonly high: number;
}

/**
 * Where a reference is no address but a canonical: the parameter under which the resources that it may lead to have strings with the canonical as
 * value, their `folded` the canonical and its order (see canonical-names.ts). It leads to those that lie last in this order, one or several.
 */
export type CanonicalNames = ParameterName;

export type Condition =
  | { readonly op: 'every' }
  | { readonly op: 'none' }
  | { readonly op: 'leaf'; readonly leaf: Leaf }
  | { readonly op: 'and' | 'or'; readonly of: readonly Condition[] }
  | { readonly op: 'not'; readonly of: Condition }
  /** Chain: the resources whose reference `parameter` points at a `target` resource for which `where` holds. */
  | {
      readonly op: 'points-at';
      readonly by?: CanonicalNames;
      readonly parameter: ParameterName;
      readonly target: string;
      readonly where: Condition;
    }
  /** `_has`: the resources at which a `source` resource, for which `where` holds, points by `parameter`. */
  | {
      readonly op: 'pointed-at-by';
      readonly by?: CanonicalNames;
      readonly source: string;
      readonly parameter: ParameterName;
      readonly where: Condition;
    };

export interface SortKey {
  readonly by:
    | { readonly kind: 'lastUpdated' | 'id' }
    | {
        readonly kind: 'date' | 'number' | 'quantity' | 'string' | 'token' | 'reference' | 'uri';
        readonly parameter: ParameterName;
      };
  readonly descending: boolean;
}

export interface Plan {
  /** The resource type searched. */
  readonly type: string;
  readonly where: Condition;
  /** Ties are by the store's own key. Empty: any order that the store keeps to from page to page. */
  readonly order: readonly SortKey[];
  /** Matches per page; 0 asks for the count alone. */
  readonly count: number;
  /** The place to go on from, as an earlier page of the same plan gave it in `SearchPage.next`. */
  readonly after: string | undefined;
  /** The place to go back from, as `SearchPage.previous` gave it; never together with `after`. */
  readonly before?: string;
  readonly total: 'none' | 'estimate' | 'accurate';
}

/** `order` has one key at least, and in all parts the same kinds of keys: their values are compared. */
export type SystemPart = Pick<Plan, 'type' | 'where' | 'order'>;

/** A search over several types (https://hl7.org/fhir/R4/http.html#search, system): the parts' matches in one order. */
export interface SystemPlan {
  readonly parts: readonly SystemPart[];
  readonly count: number;
  /** As in a Plan. */
  readonly after: string | undefined;
  readonly before?: string;
  readonly total: 'none' | 'accurate';
}
