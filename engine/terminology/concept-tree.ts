// Which concepts of a code system lie above and below which, and which a filter keeps.
// https://hl7.org/fhir/R4/codesystem.html#hierachy https://hl7.org/fhir/R4/valueset-filter-operator.html
import { badRequest } from '../kernel/outcomes.ts';
import type { CodeSystemContent, Concept, Filter } from './content.ts';

class ConceptTree {
  readonly #url: string;
  readonly #concepts: ReadonlyMap<string, Concept>;
  readonly #children = new Map<string, string[]>();

  constructor({ url, concepts }: CodeSystemContent) {
    this.#url = url;
    this.#concepts = new Map(concepts.map((concept) => [concept.code, concept]));
    for (const { code, parents } of concepts) {
      for (const parent of parents ?? []) this.#openChildrenOf(parent).push(code);
    }
  }

  concept(code: string): Concept | undefined {
    return this.#concepts.get(code);
  }

  childrenOf(code: string): readonly string[] {
    return this.#children.get(code) ?? [];
  }

  get codes(): readonly string[] {
    return [...this.#concepts.keys()];
  }

  /** The code itself, when it is known here, and all that lie under it. */
  below(code: string): ReadonlySet<string> {
    return this.#reached(code, (one) => this.#children.get(one) ?? []);
  }

  /** The code itself, when it is known here, and all under which it lies. */
  above(code: string): ReadonlySet<string> {
    return this.#reached(code, (one) => this.#concepts.get(one)?.parents ?? []);
  }

  /** The codes that a filter keeps. Throws Refusal `bad-request` for one that is not known here. */
  filtered({ property, op, value }: Filter): ReadonlySet<string> {
    if (property === 'concept' || property === 'code') return this.#byCode(op, value);
    if (property === 'parent' && op === '=') return this.#where((concept) => has(concept.parents, value));
    const wanted = value.split(',').map((one) => one.trim());
    const valuesOf = (concept: Concept): readonly string[] => concept.properties?.[property] ?? [];
    switch (op) {
      case '=':
        return this.#where((concept) => valuesOf(concept).includes(value));
      case 'in':
        return this.#where((concept) => valuesOf(concept).some((one) => wanted.includes(one)));
      case 'not-in':
        return this.#where((concept) => !valuesOf(concept).some((one) => wanted.includes(one)));
      case 'exists':
        return this.#where((concept) => valuesOf(concept).length > 0 === (value === 'true'));
      default:
        throw this.#unknownFilter(property, op);
    }
  }

  #byCode(op: string, value: string): ReadonlySet<string> {
    const wanted = new Set(value.split(',').map((one) => one.trim()));
    switch (op) {
      case '=':
      case 'in':
        return this.#where(({ code }) => wanted.has(code));
      case 'not-in':
        return this.#where(({ code }) => !wanted.has(code));
      case 'is-a':
        return this.below(value);
      case 'descendent-of':
        return without(this.below(value), value);
      case 'is-not-a':
        return difference(new Set(this.codes), this.below(value));
      case 'generalizes':
        return this.above(value);
      default:
        throw this.#unknownFilter('concept', op);
    }
  }

  #unknownFilter(property: string, op: string): Error {
    return badRequest(
      `the filter ${property.slice(0, 40)} ${op.slice(0, 20)} on ${this.#url} is not supported`,
    );
  }

  #where(keeps: (concept: Concept) => boolean): ReadonlySet<string> {
    return new Set([...this.#concepts.values()].filter(keeps).map(({ code }) => code));
  }

  #reached(start: string, next: (code: string) => readonly string[]): ReadonlySet<string> {
    const found = new Set<string>(this.#concepts.has(start) ? [start] : []);
    for (const code of found) for (const other of next(code)) found.add(other);
    return found;
  }

  #openChildrenOf(code: string): string[] {
    const known = this.#children.get(code) ?? [];
    this.#children.set(code, known);
    return known;
  }
}

const trees = new WeakMap<CodeSystemContent, ConceptTree>();

/** The tree of a content, made once for as long as the content is held. */
export function treeOf(content: CodeSystemContent): ConceptTree {
  const known = trees.get(content) ?? new ConceptTree(content);
  trees.set(content, known);
  return known;
}

const has = (values: readonly string[] | undefined, value: string): boolean =>
  values?.includes(value) === true;

const without = (codes: ReadonlySet<string>, code: string): ReadonlySet<string> =>
  difference(codes, new Set([code]));

export const difference = (codes: ReadonlySet<string>, others: ReadonlySet<string>): ReadonlySet<string> =>
  codes.difference(others);
