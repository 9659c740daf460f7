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
  if (Array.isArray(value)) return rewrittenItems(value, key, rewriter);
  if (!isObject(value)) return value;
  return rewrittenObject(value, rewriter);
}

function rewrittenItems(items: readonly unknown[], key: string, rewriter: Rewriter): readonly unknown[] {
  let changed: unknown[] | undefined;
  for (let place = 0; place < items.length; place += 1) {
    const after = rewritten(items[place], key, rewriter);
    if (after === items[place]) continue;
    changed ??= [...items];
    changed[place] = after;
  }
  return changed ?? items;
}

function rewrittenObject(
  value: Readonly<Record<string, unknown>>,
  rewriter: Rewriter,
): Readonly<Record<string, unknown>> {
  let changed: Record<string, unknown> | undefined;
  for (const key in value) {
    const before = value[key];
    const after = rewritten(before, key, rewriter);
    if (after === before) continue;
    changed ??= { ...value };
    if (key === '__proto__') setAsProperty(changed, key, after);
    else changed[key] = after;
  }
  return changed ?? value;
}

/** An assignment would change what the object inherits from. */
function setAsProperty(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
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

/** The rewriter, noting what conditional references are left in what it rewrites. */
export const notingConditionals =
  (rewriter: Rewriter, conditionals: Set<string>): Rewriter =>
  (text, key) => {
    const after = rewriter(text, key);
    if (isConditional(after, key)) conditionals.add(after);
    return after;
  };

/** All conditional references of a resource. */
export function conditionalReferences(resource: unknown): ReadonlySet<string> {
  const found = new Set<string>();
  rewriteTexts(resource, notingConditionals(unchanged, found));
  return found;
}

const unchanged: Rewriter = (text) => text;
