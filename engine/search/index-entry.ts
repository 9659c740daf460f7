// One value under which a resource is found. Made by the compiled extractors, kept by the stores, matched by
// subscriptions and access rules: one meaning of "matches" for all of them.
import type { ParameterName } from './plan.ts';

export type IndexEntry =
  | {
      readonly kind: 'token';
      readonly parameter: ParameterName;
      /** '' when the value has no system. */
      readonly system: string;
      readonly code: string;
    }
  /**
   * `target` is relative (`Patient/123`) when it is on this server, otherwise as written; never with a version. A canonical
   * with a version (`url|2.0`) has an entry without it too.
   */
  | { readonly kind: 'reference'; readonly parameter: ParameterName; readonly target: string }
  | { readonly kind: 'uri'; readonly parameter: ParameterName; readonly value: string }
  | {
      readonly kind: 'string';
      readonly parameter: ParameterName;
      readonly value: string;
      readonly folded: string;
    }
  /** [low, high): the instants that the value may mean at its precision, ms since 1970. ±Infinity where open. */
  | { readonly kind: 'date'; readonly parameter: ParameterName; readonly low: number; readonly high: number }
  /** [low, high): the value itself (high is the next number above it); wider for ranges and where a comparator opens it. */
  | {
      readonly kind: 'number';
      readonly parameter: ParameterName;
      readonly low: number;
      readonly high: number;
    }
  | {
      readonly kind: 'quantity';
      readonly parameter: ParameterName;
      readonly system: string;
      /** Unit code, or the unit text where there is no code. */
      readonly unit: string;
      readonly low: number;
      readonly high: number;
    }
  /**
   * Values that belong together (one component's code and value), in the order of the composite's components. Their own `parameter`
   * is that of the composite.
   */
  | {
      readonly kind: 'composite';
      readonly parameter: ParameterName;
      readonly parts: readonly PartEntry[];
    }
  /** Degrees, WGS 84. */
  | {
      readonly kind: 'position';
      readonly parameter: ParameterName;
      readonly latitude: number;
      readonly longitude: number;
    }
  /** Text to be found by its words: folded (see `foldString`), words separated by single spaces. One entry a parameter. */
  | { readonly kind: 'text'; readonly parameter: ParameterName; readonly folded: string };

/** What a part of a composite can be. */
export type PartEntry = Exclude<IndexEntry, { readonly kind: 'composite' | 'text' | 'position' }>;
