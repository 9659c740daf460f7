// What the compiler of search parameters writes and the engine loads: plain JSON, small, one part for each resource type.
import type { ParameterName } from '../plan.ts';
import type { SearchParameterInfo } from '../search-index.ts';

/** The entries under which a parameter looks, all of one name or only a part of them. */
export interface CompiledSet {
  readonly name: ParameterName;
  /**
   * Only the entries that point at this type (references: `Patient`) or are of this system (contact points: `email`);
   * absent: all of them.
   */
  readonly only?: string;
}

export interface CompiledParameter extends SearchParameterInfo {
  readonly sets: readonly CompiledSet[];
  /** Resource types that a reference parameter may point at; empty: any type. */
  readonly targets: readonly string[];
  /** Whether it points by literal references (not by canonical), so that it can be chained and included. */
  readonly literal: boolean;
}

/** One step into a resource: a property, which of its values to take, and what to make of them. */
export interface ExtractionNode {
  readonly property: string;
  /** Take only values whose property `[0]` equals `[1]`. */
  readonly where?: readonly [string, string | boolean];
  /** Names of extractors, each with the place in `CompiledType.names` under which its entries go. */
  readonly emit?: readonly (readonly [extractor: string, name: number])[];
  readonly children?: readonly ExtractionNode[];
}

/** `x.exists() and x != false`: true or false for every resource. */
export interface Presence {
  readonly properties: readonly string[];
  readonly name: number;
}

export interface CompiledType {
  readonly parameters: readonly CompiledParameter[];
  readonly names: readonly ParameterName[];
  readonly nodes: readonly ExtractionNode[];
  readonly presences: readonly Presence[];
}

export interface CompiledDefinitions {
  readonly types: Readonly<Record<string, CompiledType>>;
  /** Search parameters (canonical URL) that are not compiled, and why. */
  readonly left: readonly (readonly [string, string])[];
}
