// References between resources: their forms, and a walk over all that a resource carries.
// https://hl7.org/fhir/R4/references.html#literal
import type { FhirResource } from './resource.ts';

export type ParsedReference =
  /** `Patient/1`, `Patient/1/_history/2` */
  | {
      readonly kind: 'relative';
      readonly type: string;
      readonly id: string;
      readonly version: string | undefined;
    }
  /** `https://elsewhere/fhir/Patient/1`; type and id only where the URL ends like a FHIR address. */
  | {
      readonly kind: 'absolute';
      readonly url: string;
      readonly base: string | undefined;
      readonly type: string | undefined;
      readonly id: string | undefined;
      readonly version: string | undefined;
    }
  /** `urn:uuid:…`, `urn:oid:…` */
  | { readonly kind: 'urn'; readonly urn: string }
  /** `#med`: a contained resource; `#` alone: the container. */
  | { readonly kind: 'fragment'; readonly id: string }
  /** `Patient?identifier=…`, in transactions only. */
  | { readonly kind: 'conditional'; readonly type: string; readonly query: string }
  | { readonly kind: 'other'; readonly text: string };

const address =
  /^(?:(https?:\/\/.{1,1000}?)\/)?([A-Z][A-Za-z]{1,60})\/([A-Za-z0-9.-]{1,64})(?:\/_history\/([A-Za-z0-9.-]{1,64}))?$/;
const conditional = /^([A-Z][A-Za-z]{1,60})\?(.+)$/s;

/** Reads the text of a reference; never throws. */
export function parseReference(text: string): ParsedReference {
  if (text.startsWith('#')) return { kind: 'fragment', id: text.slice(1) };
  if (text.startsWith('urn:')) return { kind: 'urn', urn: text };
  const [found, base, type, id, version] = address.exec(text) ?? [];
  if (found !== undefined && base === undefined && type !== undefined && id !== undefined) {
    return { kind: 'relative', type, id, version };
  }
  if (/^https?:\/\//.test(text)) return { kind: 'absolute', url: text, base, type, id, version };
  const [, onType, query] = conditional.exec(text) ?? [];
  if (onType !== undefined && query !== undefined) return { kind: 'conditional', type: onType, query };
  return { kind: 'other', text };
}

/** The text of a relative reference. */
export const formatReference = (type: string, id: string, version?: string): string =>
  version === undefined ? `${type}/${id}` : `${type}/${id}/_history/${version}`;

/**
 * What a reference points at, as one text for all its spellings: relative when it lies under `base` (given without a slash at its
 * end), never with a version. undefined for fragments, conditional references and what is no reference.
 */
export function referenceTarget(text: string, base: string): string | undefined {
  const local = base !== '' && text.startsWith(`${base}/`) ? text.slice(base.length + 1) : text;
  const parsed = parseReference(local);
  switch (parsed.kind) {
    case 'relative':
      return formatReference(parsed.type, parsed.id);
    case 'absolute':
      return parsed.version === undefined ? parsed.url : parsed.url.replace(/\/_history\/[^/]*$/, '');
    case 'urn':
      return parsed.urn;
    case 'fragment':
    case 'conditional':
    case 'other':
      return undefined;
  }
}

/**
 * The resource with every `Reference.reference` put through `change`: a copy where something changed, the same object where
 * nothing did. Looks into contained resources and Bundle entries.
 */
export function mapReferences<T extends FhirResource>(resource: T, change: (reference: string) => string): T {
  return mapObject(resource, change) as T;
}

type Fields = Readonly<Record<string, unknown>>;

function mapObject(value: Fields, change: (reference: string) => string): Fields {
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const part = value[key];
    const mapped = key === 'reference' && typeof part === 'string' ? change(part) : mapPart(part, change);
    if (mapped === part) continue;
    copy ??= { ...value };
    copy[key] = mapped;
  }
  return copy ?? value;
}

function mapPart(part: unknown, change: (reference: string) => string): unknown {
  if (typeof part !== 'object' || part === null) return part;
  return Array.isArray(part) ? mapArray(part, change) : mapObject(part as Fields, change);
}

function mapArray(parts: readonly unknown[], change: (reference: string) => string): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (const [position, part] of parts.entries()) {
    const mapped = mapPart(part, change);
    if (mapped === part) continue;
    copy ??= [...parts];
    copy[position] = mapped;
  }
  return copy ?? parts;
}

/** Every `Reference.reference` that a resource carries, each once, in the order of the text. */
export function collectReferences(resource: FhirResource): readonly string[] {
  const found = new Set<string>();
  collect(resource, found);
  return [...found];
}

function collect(value: object, found: Set<string>): void {
  if (Array.isArray(value)) {
    for (const part of value as readonly unknown[]) collectPart(part, found);
    return;
  }
  const { reference } = value as { readonly reference?: unknown };
  if (typeof reference === 'string') found.add(reference);
  for (const key in value) collectPart((value as Readonly<Record<string, unknown>>)[key], found);
}

function collectPart(part: unknown, found: Set<string>): void {
  if (typeof part === 'object' && part !== null) collect(part, found);
}
