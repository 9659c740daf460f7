// What a search means, written as plainly as possible over a list: the measure for every store.
import type { IndexEntry } from '../../engine/search/index-entry.ts';
import { metresBetween } from '../../engine/search/great-circle.ts';
import type { Condition, Leaf, Plan, SortKey, Span } from '../../engine/search/plan.ts';
import type { StoredVersion } from '../../engine/storage/resource-store.ts';

export interface Indexed {
  readonly version: StoredVersion;
  readonly entries: readonly IndexEntry[];
}

export class SearchModel {
  readonly #resources = new Map<string, Indexed>();

  put(version: StoredVersion, entries: readonly IndexEntry[]): void {
    this.#resources.set(`${version.type}/${version.id}`, { version, entries });
  }

  get(type: string, id: string): Indexed | undefined {
    return this.#resources.get(`${type}/${id}`);
  }

  matches(plan: Pick<Plan, 'type' | 'where'>): readonly Indexed[] {
    return this.#live(plan.type).filter((resource) => this.#holds(plan.where, resource));
  }

  #live(type: string): readonly Indexed[] {
    return [...this.#resources.values()].filter(
      ({ version }) => version.type === type && version.body !== undefined,
    );
  }

  #holds(condition: Condition, resource: Indexed): boolean {
    switch (condition.op) {
      case 'every':
        return true;
      case 'none':
        return false;
      case 'leaf':
        return leafHolds(condition.leaf, resource);
      case 'and':
        return condition.of.every((part) => this.#holds(part, resource));
      case 'or':
        return condition.of.some((part) => this.#holds(part, resource));
      case 'not':
        return !this.#holds(condition.of, resource);
      case 'points-at':
        return this.#live(condition.target).some(
          (target) => this.#leads(resource, condition, target) && this.#holds(condition.where, target),
        );
      case 'pointed-at-by':
        return this.#live(condition.source).some(
          (source) => this.#leads(source, condition, resource) && this.#holds(condition.where, source),
        );
    }
  }

  #leads(source: Indexed, { parameter, by }: Link, target: Indexed): boolean {
    if (by === undefined) return pointsAt(source, parameter, target);
    const all = [...this.#resources.values()].filter(({ version }) => version.body !== undefined);
    return referencesUnder(source, parameter).some((canonical) => {
      const names = all.flatMap((one) => namesUnder(one, by, canonical));
      const last = names.toSorted(compareValues).at(-1);
      return last !== undefined && namesUnder(target, by, canonical).includes(last);
    });
  }
}

type Link = Pick<Extract<Condition, { op: 'points-at' }>, 'parameter' | 'by'>;

const referencesUnder = ({ entries }: Indexed, parameter: string): readonly string[] =>
  entries.flatMap((entry) =>
    entry.kind === 'reference' && entry.parameter === parameter ? entry.target : [],
  );

const namesUnder = ({ entries }: Indexed, parameter: string, canonical: string): readonly string[] =>
  entries.flatMap((entry) =>
    entry.kind === 'string' && entry.parameter === parameter && entry.value === canonical ? entry.folded : [],
  );

function pointsAt(source: Indexed, parameter: string, target: Indexed): boolean {
  const reference = `${target.version.type}/${target.version.id}`;
  return source.entries.some(
    (entry) => entry.kind === 'reference' && entry.parameter === parameter && entry.target === reference,
  );
}

function leafHolds(leaf: Leaf, { version, entries }: Indexed): boolean {
  if (leaf.kind === 'id') return leaf.values.includes(version.id);
  if (leaf.kind === 'lastUpdated') return spanHolds(leaf, version.lastUpdated, version.lastUpdated + 1);
  if (leaf.kind === 'missing') return entries.every((entry) => entry.parameter !== leaf.parameter);
  return entries.some((entry) => entry.parameter === leaf.parameter && entryHolds(leaf, entry));
}

function entryHolds(leaf: Leaf, entry: IndexEntry): boolean {
  if (leaf.kind === 'token' && entry.kind === 'token') {
    return is(leaf.system, entry.system) && is(leaf.code, entry.code);
  }
  if (leaf.kind === 'reference' && entry.kind === 'reference') return leaf.target === entry.target;
  if (leaf.kind === 'uri' && entry.kind === 'uri') {
    const stem = leaf.value.endsWith('/') ? leaf.value : `${leaf.value}/`;
    return (
      entry.value === leaf.value ||
      (leaf.match === 'below' && entry.value.startsWith(stem)) ||
      (leaf.match === 'versions' && /^[.-]/.test(afterStem(entry.value, leaf.value)))
    );
  }
  if (leaf.kind === 'canonical' && entry.kind === 'reference') {
    return entry.target === leaf.value || /^[.-]/.test(afterStem(entry.target, leaf.value));
  }
  if (leaf.kind === 'string' && entry.kind === 'string') {
    return textHolds(leaf, entry);
  }
  if (leaf.kind === 'quantity' && entry.kind === 'quantity') {
    return (
      is(leaf.unit, entry.unit) && is(leaf.system, entry.system) && spanHolds(leaf, entry.low, entry.high)
    );
  }
  if (
    (leaf.kind === 'date' && entry.kind === 'date') ||
    (leaf.kind === 'number' && entry.kind === 'number')
  ) {
    return spanHolds(leaf, entry.low, entry.high);
  }
  if (leaf.kind === 'token-in' && entry.kind === 'token') {
    return leaf.codes.some(({ system, codes }) =>
      codes.some((code) => `${system}|${code}` === tokenText(entry)),
    );
  }
  if (leaf.kind === 'composite' && entry.kind === 'composite') {
    return leaf.parts.every((part, place) => entryHolds(part, entry.parts[place]!));
  }
  if (leaf.kind === 'near' && entry.kind === 'position') return metresBetween(leaf, entry) <= leaf.metres;
  if (leaf.kind === 'text' && entry.kind === 'text') {
    const stored = entry.folded.split(' ');
    return leaf.words.every(({ word, prefix }) =>
      stored.some((one) => (prefix ? one.startsWith(word) : one === word)),
    );
  }
  return false;
}

const afterStem = (value: string, stem: string): string =>
  value.startsWith(stem) ? value.slice(stem.length) : '';

const tokenText = ({ system, code }: { readonly system: string; readonly code: string }): string =>
  `${system}|${code}`;

function textHolds(
  leaf: Extract<Leaf, { kind: 'string' }>,
  { value, folded }: Extract<IndexEntry, { kind: 'string' }>,
): boolean {
  const meanings: Readonly<Record<typeof leaf.match, boolean>> = {
    exact: value === leaf.value,
    whole: folded === leaf.value,
    prefix: folded.startsWith(leaf.value),
    suffix: folded.endsWith(leaf.value),
    contains: folded.includes(leaf.value),
  };
  return meanings[leaf.match];
}

const is = (asked: string | undefined, stored: string): boolean => asked === undefined || asked === stored;

/** The sentences of `Span`'s documentation, one by one. */
export function spanHolds({ comparator, low, high }: Span, from: number, to: number): boolean {
  const eq = low <= from && to <= high;
  const above = to > high;
  const below = from < low;
  const meanings: Readonly<Record<Span['comparator'], boolean>> = {
    eq,
    ne: !eq,
    gt: above,
    lt: below,
    ge: above || eq,
    le: below || eq,
    sa: from >= high,
    eb: to <= low,
    ap: from < high && to > low,
  };
  return meanings[comparator];
}

type SortValue = string | number | undefined;

/** By what a resource sorts: the least of its values ascending, the greatest descending. */
export function sortValue(key: SortKey, { version, entries }: Indexed): SortValue {
  if (!('parameter' in key.by)) return key.by.kind === 'id' ? version.id : version.lastUpdated;
  const { kind, parameter } = key.by;
  const values = entries
    .filter((entry) => entry.parameter === parameter && entry.kind === kind)
    .map((entry) => valueOf(entry));
  const ordered = values.sort((one, other) => compareValues(one, other));
  return key.descending ? ordered.at(-1) : ordered[0];
}

function valueOf(entry: IndexEntry): string | number {
  switch (entry.kind) {
    case 'token':
      return entry.code;
    case 'reference':
      return entry.target;
    case 'uri':
      return entry.value;
    case 'string':
      return entry.folded;
    case 'date':
    case 'number':
    case 'quantity':
      return entry.low;
    case 'composite':
    case 'position':
    case 'text':
      throw new Error(`nothing is sorted by a ${entry.kind}`);
  }
}

/** Texts by their UTF-8 bytes, as every store compares them. */
export function compareValues(one: string | number, other: string | number): number {
  if (typeof one === 'number' && typeof other === 'number') return one < other ? -1 : one > other ? 1 : 0;
  return Buffer.compare(Buffer.from(String(one)), Buffer.from(String(other)));
}

/** How two resources stand by the sort keys alone; missing values last, whichever the direction. */
export function compareByKeys(order: readonly SortKey[], one: Indexed, other: Indexed): number {
  for (const key of order) {
    const [left, right] = [sortValue(key, one), sortValue(key, other)];
    if (left === undefined && right === undefined) continue;
    if (left === undefined) return 1;
    if (right === undefined) return -1;
    const compared = compareValues(left, right);
    if (compared !== 0) return key.descending ? -compared : compared;
  }
  return 0;
}
