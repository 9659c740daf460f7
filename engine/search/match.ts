// Whether a resource satisfies a condition, seen from its index entries: the meaning that every store has to give the plan.
import { formatReference } from '../fhir/references.ts';
import { instantRange } from '../fhir/instants.ts';
import type { FhirResource } from '../fhir/resource.ts';
import { badRequest } from '../kernel/outcomes.ts';
import { metresBetween } from './great-circle.ts';
import type { IndexEntry } from './index-entry.ts';
import type { Condition, Leaf, Span } from './plan.ts';

/**
 * Chains lead to other resources, which cannot be seen here: Refusal `bad-request`. Only whether the resource points at a type at all
 * (a chain without a condition) is answered from its own references.
 */
export function matches(
  resource: FhirResource,
  entries: readonly IndexEntry[],
  condition: Condition,
): boolean {
  switch (condition.op) {
    case 'every':
      return true;
    case 'none':
      return false;
    case 'and':
      return condition.of.every((part) => matches(resource, entries, part));
    case 'or':
      return condition.of.some((part) => matches(resource, entries, part));
    case 'not':
      return !matches(resource, entries, condition.of);
    case 'leaf':
      return matchesLeaf(resource, entries, condition.leaf);
    case 'points-at':
      if (condition.where.op === 'every' && condition.by === undefined) {
        return pointsAt(entries, condition.parameter, condition.target);
      }
      throw badRequest('a chained condition cannot be decided from one resource alone');
    case 'pointed-at-by':
      throw badRequest('_has cannot be decided from one resource alone');
  }
}

const pointsAt = (entries: readonly IndexEntry[], parameter: string, type: string): boolean =>
  entries.some(
    (entry) =>
      entry.kind === 'reference' &&
      entry.parameter === parameter &&
      entry.target.startsWith(formatReference(type, '')),
  );

function matchesLeaf(resource: FhirResource, entries: readonly IndexEntry[], leaf: Leaf): boolean {
  switch (leaf.kind) {
    case 'id':
      return resource.id !== undefined && leaf.values.includes(resource.id);
    case 'lastUpdated':
      return wasUpdated(resource, leaf);
    case 'missing':
      return !entries.some((entry) => entry.parameter === leaf.parameter);
    case 'token':
    case 'reference':
    case 'uri':
    case 'canonical':
    case 'string':
    case 'date':
    case 'number':
    case 'quantity':
    case 'token-in':
    case 'composite':
    case 'near':
    case 'text':
      return entries.some((entry) => entry.parameter === leaf.parameter && satisfies(entry, leaf));
  }
}

function wasUpdated(resource: FhirResource, span: Span): boolean {
  const moment = resource.meta?.lastUpdated;
  const range = moment === undefined ? undefined : instantRange(moment);
  return range !== undefined && compares(range, span);
}

type ValueLeaf = Exclude<Leaf, { readonly kind: 'id' | 'lastUpdated' | 'missing' }>;

function satisfies(entry: IndexEntry, leaf: ValueLeaf): boolean {
  switch (leaf.kind) {
    case 'token':
      return entry.kind === 'token' && agrees(entry.system, leaf.system) && agrees(entry.code, leaf.code);
    case 'reference':
      return entry.kind === 'reference' && entry.target === leaf.target;
    case 'uri':
      return entry.kind === 'uri' && uriMatches[leaf.match](entry.value, leaf.value);
    case 'canonical':
      return entry.kind === 'reference' && isVersionOf(entry.target, leaf.value);
    case 'string':
      return entry.kind === 'string' && matchesText(entry, leaf);
    case 'date':
    case 'number':
      return entry.kind === leaf.kind && compares(entry, leaf);
    case 'quantity':
      return (
        entry.kind === 'quantity' &&
        agrees(entry.system, leaf.system) &&
        agrees(entry.unit, leaf.unit) &&
        compares(entry, leaf)
      );
    case 'token-in':
      return entry.kind === 'token' && isOneOf(entry, leaf);
    case 'composite':
      return (
        entry.kind === 'composite' &&
        leaf.parts.every((part, place) => {
          const value = entry.parts[place];
          return value !== undefined && satisfies(value, part);
        })
      );
    case 'near':
      return entry.kind === 'position' && metresBetween(entry, leaf) <= leaf.metres;
    case 'text':
      return entry.kind === 'text' && hasWords(entry.folded, leaf.words);
  }
}

const isOneOf = (
  entry: { readonly system: string; readonly code: string },
  leaf: Extract<Leaf, { readonly kind: 'token-in' }>,
): boolean => leaf.codes.some(({ system, codes }) => system === entry.system && codes.includes(entry.code));

function hasWords(folded: string, words: Extract<Leaf, { readonly kind: 'text' }>['words']): boolean {
  const spaced = ` ${folded} `;
  return words.every(({ word, prefix }) => spaced.includes(prefix ? ` ${word}` : ` ${word} `));
}

const agrees = (value: string, wanted: string | undefined): boolean =>
  wanted === undefined || value === wanted;

/** The value itself, and what has it for a whole part of its path. */
export const isBelow = (value: string, root: string): boolean =>
  value === root || value.startsWith(root.endsWith('/') ? root : `${root}/`);

const isVersionOf = (value: string, canonical: string): boolean =>
  value === canonical || value.startsWith(`${canonical}.`) || value.startsWith(`${canonical}-`);

const uriMatches: Readonly<
  Record<Extract<Leaf, { readonly kind: 'uri' }>['match'], (value: string, asked: string) => boolean>
> = {
  exact: (value, asked) => value === asked,
  below: isBelow,
  versions: isVersionOf,
};

function matchesText(
  entry: Extract<IndexEntry, { readonly kind: 'string' }>,
  leaf: Extract<Leaf, { readonly kind: 'string' }>,
): boolean {
  switch (leaf.match) {
    case 'exact':
      return entry.value === leaf.value;
    case 'prefix':
      return entry.folded.startsWith(leaf.value);
    case 'contains':
      return entry.folded.includes(leaf.value);
    case 'whole':
      return entry.folded === leaf.value;
    case 'suffix':
      return entry.folded.endsWith(leaf.value);
  }
}

type Range = Pick<Span, 'low' | 'high'>;

const contains = (asked: Range, stored: Range): boolean =>
  asked.low <= stored.low && stored.high <= asked.high;

/** See `Span` for what each comparison means. */
export function compares(stored: Range, asked: Span): boolean {
  switch (asked.comparator) {
    case 'eq':
      return contains(asked, stored);
    case 'ne':
      return !contains(asked, stored);
    case 'gt':
      return stored.high > asked.high;
    case 'lt':
      return stored.low < asked.low;
    case 'ge':
      return stored.high > asked.high || contains(asked, stored);
    case 'le':
      return stored.low < asked.low || contains(asked, stored);
    case 'sa':
      return stored.low >= asked.high;
    case 'eb':
      return stored.high <= asked.low;
    case 'ap':
      return stored.low < asked.high && asked.low < stored.high;
  }
}
