// What a run makes: the entries of one transaction, in the order in which they were made.
import type { Bundle, BundleEntry, Resource } from '@medplum/fhirtypes';
import type { FhirResource } from '../fhir/resource.ts';
import { deterministicId } from './deterministic-id.ts';
import { settle, type Earlier, type WriteKind } from './settle.ts';
import { mergedPlaces, type MergeRules, type Merging } from './merge.ts';
import type { Made } from './scope.ts';
import type { Issue } from './wire-message.ts';

export interface Wish {
  readonly write: WriteKind;
  /** The search that finds it, for `if-none-exist`. */
  readonly condition: string | undefined;
  readonly corrects: boolean;
  readonly merging: Merging;
  /** Stands for it in the trace. */
  readonly key: object;
  /** The segment that it was made of. */
  readonly place: string | undefined;
}

interface Entry {
  readonly resource: FhirResource;
  readonly wish: Wish;
  /** Of all makings that went into it. */
  readonly keys: readonly object[];
  /** False when what is stored stays as it is. */
  readonly written: boolean;
}

export class Output {
  readonly issues: Issue[] = [];
  readonly #entries = new Map<string, Entry & { readonly made: Made }>();
  readonly #uses = new Map<string, number>();
  /** What was made before it was merged, for the trace. */
  readonly #merged = new Map<object, { readonly made: FhirResource; readonly rules: MergeRules }>();
  readonly #earlier: Earlier;
  readonly #messageId: string;

  constructor(earlier: Earlier, messageId: string) {
    this.#earlier = earlier;
    this.#messageId = messageId;
  }

  /** What was made before in this run under the same type and id. */
  known(type: string, id: string): Made | undefined {
    return this.#entries.get(`${type}/${id}`)?.made;
  }

  /** As it is stored, with what this run has changed of it so far; undefined when it is not. */
  current(type: string, id: string): FhirResource | undefined {
    const name = `${type}/${id}`;
    return this.#entries.get(name)?.resource ?? this.#earlier.get(name);
  }

  /** The id, or the next that follows from it when it is taken: the second replicate, the third. */
  freeId(type: string, id: string): string {
    const uses = (this.#uses.get(`${type}/${id}`) ?? 0) + 1;
    this.#uses.set(`${type}/${id}`, uses);
    return uses === 1 ? id : deterministicId([id, String(uses)]);
  }

  add(wanted: FhirResource, wish: Wish): Made {
    const name = `${wanted.resourceType}/${wanted.id ?? ''}`;
    const written = (reference: string): boolean => this.#entries.get(reference)?.written ?? false;
    const before = wish.write === 'merge' ? this.#entries.get(name) : undefined;
    if (wish.write === 'merge') this.#merged.set(wish.key, { made: wanted, rules: wish.merging.rules });
    const earlier = before === undefined ? this.#earlier : new Map([[name, before.resource]]);
    const settled = settle(wanted, earlier, { ...wish, messageId: this.#messageId, written });
    if (settled.issue !== undefined) this.issues.push(settled.issue);
    const { resource } = settled;
    const own = `${resource.resourceType}/${resource.id ?? ''}`;
    const reference = wish.write === 'if-none-exist' ? `urn:uuid:${resource.id ?? ''}` : own;
    const made = { resource, reference };
    const keys = [...(before?.keys ?? []), wish.key];
    this.#entries.set(name, {
      resource,
      wish,
      keys,
      made,
      written: settled.written || (before?.written ?? false),
    });
    return made;
  }

  get entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  /** undefined when nothing was made, or nothing of it needs to be written. */
  bundle(): Bundle | undefined {
    const entry = this.entries.filter(({ written }) => written).map(bundleEntry);
    return entry.length === 0 ? undefined : { resourceType: 'Bundle', type: 'transaction', entry };
  }

  /**
   * How an element (`.name[0].family`) of a made resource is called in the trace: below `Observation[2]` in the bundle, below
   * `Observation/id` when it is stored already; a member of a list by its place among those that were there before.
   */
  names(): (key: object, element: string) => string | undefined {
    const entries = new Map<object, readonly [name: string, resource: FhirResource]>();
    const counts = new Map<string, number>();
    for (const { resource, keys, written } of this.entries) {
      const { resourceType: type, id = '' } = resource;
      const count = counts.get(type) ?? 0;
      if (written) counts.set(type, count + 1);
      for (const key of keys) entries.set(key, [written ? `${type}[${count}]` : `${type}/${id}`, resource]);
    }
    const places = new Map<object, (element: string) => string>();
    for (const [key, { made, rules }] of this.#merged) {
      const [, resource] = entries.get(key) ?? [];
      if (resource !== undefined) places.set(key, mergedPlaces(made, resource, rules));
    }
    return (key, element) => {
      const [name] = entries.get(key) ?? [];
      return name === undefined ? undefined : `${name}${places.get(key)?.(element) ?? element}`;
    };
  }
}

function bundleEntry({ resource, wish }: Entry): BundleEntry {
  const { resourceType, id = '' } = resource;
  const fullUrl = `urn:uuid:${id}`;
  const body = resource as unknown as Resource;
  if (wish.write !== 'if-none-exist') {
    return { fullUrl, resource: body, request: { method: 'PUT', url: `${resourceType}/${id}` } };
  }
  const request = { method: 'POST', url: resourceType } as const;
  const { condition } = wish;
  return { fullUrl, resource: body, request: condition ? { ...request, ifNoneExist: condition } : request };
}
