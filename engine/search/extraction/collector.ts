// Gathers the index entries of one resource, no two alike.
import type { IndexEntry } from '../index-entry.ts';

export interface ExtractionOptions {
  /** The public FHIR base without a slash at its end: references under it are made relative. '' when there is none. */
  readonly base: string;
  /** For dates without a time zone. */
  readonly zoneOffsetMinutes: number;
}

/** Up to here comparing with each is quicker than keeping keys. */
const fewEntries = 64;

export class Collector {
  readonly entries: IndexEntry[] = [];
  readonly options: ExtractionOptions;
  #keys: Set<string> | undefined;

  constructor(options: ExtractionOptions) {
    this.options = options;
  }

  add(entry: IndexEntry): void {
    if (!this.#has(entry)) this.entries.push(entry);
  }

  #has(entry: IndexEntry): boolean {
    if (this.entries.length < fewEntries) return this.entries.some((known) => sameEntry(known, entry));
    this.#keys ??= new Set(this.entries.map(keyOf));
    const before = this.#keys.size;
    return this.#keys.add(keyOf(entry)).size === before;
  }
}

function sameEntry(one: IndexEntry, other: IndexEntry): boolean {
  if (one.parameter !== other.parameter || one.kind !== other.kind) return false;
  switch (one.kind) {
    case 'token':
      return other.kind === 'token' && one.code === other.code && one.system === other.system;
    case 'reference':
      return other.kind === 'reference' && one.target === other.target;
    case 'uri':
      return other.kind === 'uri' && one.value === other.value;
    case 'string':
      return other.kind === 'string' && one.value === other.value;
    case 'date':
    case 'number':
      return other.kind === one.kind && one.low === other.low && one.high === other.high;
    case 'quantity':
    case 'composite':
    case 'position':
      return keyOf(one) === keyOf(other);
    case 'text':
      return true;
  }
}

const keyOf = (entry: IndexEntry): string =>
  entry.kind === 'composite'
    ? JSON.stringify([entry.parameter, entry.parts.map(keyOf)])
    : JSON.stringify(Object.values(entry).map(String));
