// What the server itself writes into a resource: id, meta.versionId and meta.lastUpdated.
import { isDeepStrictEqual } from 'node:util';
import { parseResource, writeJson } from '../fhir/exact-json.ts';
import type { FhirResource } from '../fhir/resource.ts';
import type { StoredVersion } from '../storage/resource-store.ts';

/** A copy with these facts in it; the client's tags, profiles and security labels stay. `at`: ms since 1970. */
export function stamp(resource: FhirResource, id: string, version: number, at: number): FhirResource {
  const meta = { ...resource.meta, versionId: String(version), lastUpdated: instant(at) };
  const head = { resourceType: resource.resourceType, id, meta };
  return { ...head, ...resource, ...head };
}

/** ms since 1970 as a FHIR instant. */
export const instant = instants();

/** Remembers the last one: a transaction asks for the same again and again. */
function instants(): (at: number) => string {
  let last = { at: NaN, text: '' };
  return (at) => {
    if (at !== last.at) last = { at, text: new Date(at).toISOString() };
    return last.text;
  };
}

/**
 * Whether storing `resource` (with what is kept apart of it) would change nothing but versionId and lastUpdated. The order of properties means nothing
 * in JSON; texts that differ only in it are of one length, so only then the slow comparison is made.
 */
export function isUnchanged(
  resource: FhirResource,
  content: { readonly digest: string } | undefined,
  held: StoredVersion,
  heldBody: string,
): boolean {
  if (content?.digest !== held.content?.digest) return false;
  const text = writeJson(stamp(resource, held.id, held.version, held.lastUpdated));
  if (text === heldBody) return true;
  return text.length === heldBody.length && isDeepStrictEqual(parseResource(text), parseResource(heldBody));
}
