// The content of a large Binary is kept apart from it. What stays says so: it has no data, and is tagged as not being all of the resource.
// https://hl7.org/fhir/R4/resource.html#tag-subsetted
import { marked, isMarked, unmarked } from '../fhir/subset.ts';
import type { FhirResource } from '../fhir/resource.ts';
import { badRequest } from '../kernel/outcomes.ts';
import { digestOf, keptApartFrom, type ContentWriter, type StoredContent } from '../storage/content-store.ts';

/** A content that is stored already, or is to be. */
export type LargeContent =
  StoredContent | { readonly id: undefined; readonly bytes: Uint8Array; readonly digest: string };

export interface Parted {
  /** What is stored as the resource. */
  readonly resource: FhirResource;
  readonly content: LargeContent | undefined;
}

/** `content`: of which the resource is told apart from its data. Throws Refusal `bad-request` for a Binary that lacks its content. */
export function partedOf(resource: FhirResource, content?: StoredContent): Parted {
  if (resource.resourceType !== 'Binary') return { resource, content: undefined };
  const { data, ...rest } = resource;
  if (content !== undefined) return { resource: tagged(rest), content };
  if (data === undefined && isMarked(resource)) {
    const text =
      'a Binary that comes without its content, as Bundles have it, is not all of it: send it with its data';
    throw badRequest(text, 'Binary.data');
  }
  const bytes = largeBytes(data);
  if (bytes === undefined) return { resource, content: undefined };
  return { resource: tagged(rest), content: { id: undefined, bytes, digest: digestOf(bytes) } };
}

/** A change of a stored Binary: its content stays unless the change brings another one. */
export function partedChange(changed: FhirResource, content: StoredContent | undefined): Parted {
  if (content === undefined) return partedOf(changed);
  return changed['data'] === undefined ? partedOf(changed, content) : partedOf(unmarked(changed));
}

const tagged = (resource: Omit<FhirResource, 'data'>): FhirResource => {
  const { resourceType, meta } = resource as FhirResource;
  return { ...resource, resourceType, meta: marked(meta) };
};

/** Base64 that is not written as it would be written here stays as it was sent. */
function largeBytes(data: unknown): Uint8Array | undefined {
  if (typeof data !== 'string' || data.length < (keptApartFrom / 3) * 4) return undefined;
  const bytes = Buffer.from(data, 'base64');
  return bytes.length >= keptApartFrom && bytes.toString('base64') === data ? bytes : undefined;
}

export async function storedContent(contents: ContentWriter, content: LargeContent): Promise<StoredContent> {
  return content.id === undefined ? contents.put(content.bytes) : content;
}
