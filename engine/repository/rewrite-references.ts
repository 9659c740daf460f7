// A transaction's references: from the urls that its entries gave each other to where the resources really are.
// https://hl7.org/fhir/R4/http.html#trules and https://hl7.org/fhir/R4/bundle.html#references
import { isObject } from './admit.ts';

/** What a text at this place of a resource is to become. */
export type Rewriter = (text: string, key: string) => string;

/** A copy in which every string went through `rewriter`; the same value where nothing changed. */
export function rewriteTexts<T>(value: T, rewriter: Rewriter): T {
  return rewritten(value, '', rewriter) as T;
}

function rewritten(value: unknown, key: string, rewriter: Rewriter): unknown {
  if (typeof value === 'string') return rewriter(value, key);
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value.map((item) => rewritten(item, key, rewriter));
    return items.some((item, place) => item !== value[place]) ? items : value;
  }
  if (!isObject(value)) return value;
  return rewrittenObject(value, rewriter);
}

function rewrittenObject(
  value: Readonly<Record<string, unknown>>,
  rewriter: Rewriter,
): Readonly<Record<string, unknown>> {
  let changed: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const before = value[key];
    const after = rewritten(before, key, rewriter);
    if (after === before) continue;
    changed ??= { ...value };
    // Not an assignment: a property named __proto__ must stay a property.
    Object.defineProperty(changed, key, {
      value: after,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return changed ?? value;
}

/** Elements whose text is somebody's own word, even where it looks like the url of an entry. */
const notLinks = new Set(['id', 'value', 'system', 'code', 'display', 'text', 'resourceType']);

/** fullUrl → `Type/id`. */
export type Identities = Pick<ReadonlyMap<string, string>, 'get'>;

/**
 * Rewrites `reference` in every Reference, whole urls in uri elements, and links in narrative. `identities`: fullUrl → `Type/id`;
 * `own`: the fullUrl of the entry that is rewritten, against whose base relative references are read.
 */
export function toIdentities(identities: Identities, own: string | undefined): Rewriter {
  const base = restBase(own);
  const resolved = (reference: string): string | undefined =>
    identities.get(reference) ?? (base === undefined ? undefined : identities.get(`${base}/${reference}`));
  return (text, key) => {
    if (key === 'reference') return resolved(text) ?? text;
    if (key === 'div') return rewriteLinks(text, resolved);
    if (notLinks.has(key) || !/^(?:urn:|https?:)/.test(text)) return text;
    return identities.get(text) ?? text;
  };
}

/** `http://lab.example/fhir` of `http://lab.example/fhir/Patient/1`. */
function restBase(fullUrl: string | undefined): string | undefined {
  return /^(https?:\/\/.+)\/[A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/.exec(fullUrl ?? '')?.[1];
}

function rewriteLinks(narrative: string, resolved: (reference: string) => string | undefined): string {
  return narrative.replace(
    /\b(href|src)=(["'])([^"'<>]{1,500})\2/g,
    (whole, name: string, quote: string, link: string) => {
      const target = resolved(link);
      return target === undefined ? whole : `${name}=${quote}${target}${quote}`;
    },
  );
}

/** `Patient?identifier=…` in a Reference: https://hl7.org/fhir/R4/http.html#trules, "conditional references". */
export const isConditional = (text: string, key: string): boolean =>
  key === 'reference' && /^[A-Z][A-Za-z]*\?/.test(text);

/** All conditional references of a resource. */
export function conditionalReferences(resource: unknown): ReadonlySet<string> {
  const found = new Set<string>();
  rewriteTexts(resource, (text, key) => {
    if (isConditional(text, key)) found.add(text);
    return text;
  });
  return found;
}
