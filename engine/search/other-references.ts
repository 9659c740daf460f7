// References that no search parameter of their type looks at: in extensions, in contained resources, and here and there in R4.
// They are indexed under one name of their own, so that the store knows of every reference that leads to a resource.
import { collectReferences, referenceTarget } from '../fhir/references.ts';
import type { FhirResource } from '../fhir/resource.ts';
import type { IndexEntry } from './index-entry.ts';

/** No search asks for it. */
const parameter = 'Resource.reference';
const relative = /^[A-Z][A-Za-z]{1,60}\/[A-Za-z0-9.-]{1,64}$/;

/** `entries`, and one more for each relative reference that they do not know. */
export function withOtherReferences(
  entries: readonly IndexEntry[],
  resource: FhirResource,
  base: string,
): readonly IndexEntry[] {
  // A Bundle's references are read within the Bundle.
  if (resource.resourceType === 'Bundle') return entries;
  const references = collectReferences(resource);
  if (references.length === 0) return entries;
  const known = new Set<string>();
  for (const entry of entries) if (entry.kind === 'reference') known.add(entry.target);
  const others = new Set<string>();
  for (const reference of references) {
    const target = referenceTarget(reference, base);
    if (target !== undefined && relative.test(target) && !known.has(target)) others.add(target);
  }
  if (others.size === 0) return entries;
  return [...entries, ...[...others].map((target) => ({ kind: 'reference', parameter, target }) as const)];
}
