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
  /** Whether some of its values are literal references; others, where `canonical`, are canonicals. */
  readonly literal: boolean;
  /** For codes that stand in the JSON without a system: the systems that the elements' bindings imply. */
  readonly systems?: readonly string[];
  /** Read otherwise than its type says. */
  readonly reads?: Reading;
  readonly composite?: CompiledComposite;
}

/** What is neither of the types of R4's registry: words of texts, a position on earth, the sound of a name. */
export type Reading = 'text' | 'position' | 'phonetic';

/** A parameter whose values are values of several others, joined by `$`. */
export interface CompiledComposite {
  readonly components: readonly CompiledComponent[];
  /** Any of them finds a resource. */
  readonly ways: readonly CompositeWay[];
}

export type CompiledComponent = Pick<CompiledParameter, 'type' | 'targets' | 'literal' | 'systems'>;

/** By the conditions of several parameters together, where their elements cannot repeat; else by entries of their own. */
export type CompositeWay =
  { readonly type: string; readonly together: readonly string[] } | { readonly entry: ParameterName };

/** One step into a resource: a property, which of its values to take, and what to make of them. */
export interface ExtractionNode {
  readonly property: string;
  /** Take only values whose property `[0]` equals `[1]`. */
  readonly where?: readonly [string, string | boolean];
  /** Take only the first of several. */
  readonly first?: true;
  /** Names of extractors, each with the place in `CompiledType.names` under which its entries go. */
  readonly emit?: readonly (readonly [extractor: string, name: number])[];
  readonly children?: readonly ExtractionNode[];
  /** Composite entries made of each of its values. */
  readonly composites?: readonly CompositeNode[];
}

export interface CompositeNode {
  /** Place in `CompiledType.names`. */
  readonly name: number;
  readonly components: readonly ComponentNode[];
}

export interface ComponentNode {
  /** Looked for in the whole resource instead of in the value. */
  readonly fromResource: boolean;
  readonly nodes: readonly ExtractionNode[];
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
