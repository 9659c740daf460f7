// Changes to a resource, told instead of the whole: https://hl7.org/fhir/R4/http.html#patch
import { parseJson, parseResource } from '../exact-json.ts';
import { badRequest, Refusal } from '../../kernel/outcomes.ts';
import type { FhirResource } from '../resource.ts';
import type { Shapes } from '../shapes/shape.ts';
import { readFhirPathPatch } from './fhirpath-patch.ts';
import { readJsonPatch } from './json-patch.ts';
import { copyOf, dropEmpty, isFields, type MutableFields } from './json-values.ts';
import { readMergePatch } from './merge-patch.ts';
import { createWork, type Change, type Patch } from './work.ts';

export type PatchKind = 'json-patch' | 'merge-patch' | 'fhirpath-patch';

/** Reads the text of a patch. Throws Refusal `bad-request` for what is none. */
export function readPatch(kind: PatchKind, text: string, shapes: Shapes): Patch {
  switch (kind) {
    case 'json-patch':
      return patchBy(readJsonPatch(parseJson(text)));
    case 'merge-patch':
      return patchBy(readMergePatch(parseJson(text)));
    case 'fhirpath-patch':
      return patchBy(readFhirPathPatch(parseResource(text), shapes));
  }
}

const binaryKinds: Readonly<Record<string, PatchKind>> = {
  'application/json-patch+json': 'json-patch',
  'application/merge-patch+json': 'merge-patch',
};

/**
 * The patch in an entry of a Bundle laid open, so that the references in it can be seen: Parameters as they are, of a Binary with a
 * JSON patch or merge patch its content as JSON. For `readOpenedPatch`. Throws Refusal `bad-request` for anything else.
 */
export function openEntryPatch(resource: unknown): FhirResource {
  if (isFields(resource) && resource['resourceType'] === 'Parameters') return resource as FhirResource;
  const { resourceType, contentType, data } = isFields(resource) ? resource : {};
  const [type = ''] = typeof contentType === 'string' ? contentType.split(';') : [];
  if (resourceType !== 'Binary' || !Object.hasOwn(binaryKinds, type.trim()) || typeof data !== 'string') {
    throw badRequest(
      'a PATCH carries Parameters, or a Binary of application/json-patch+json or merge-patch+json',
    );
  }
  const content = parseJson(Buffer.from(data, 'base64').toString('utf8'));
  return { resourceType, contentType: type.trim(), content };
}

/** What `openEntryPatch` gave, references in it perhaps changed. Throws Refusal `bad-request` for what is no patch. */
export function readOpenedPatch(opened: FhirResource, shapes: Shapes): Patch {
  if (opened.resourceType === 'Parameters') return patchBy(readFhirPathPatch(opened, shapes));
  const { contentType, content } = opened;
  const isList = binaryKinds[String(contentType)] === 'json-patch';
  return patchBy(isList ? readJsonPatch(content) : readMergePatch(content));
}

function patchBy(change: Change): Patch {
  return (resource) => {
    const work = createWork();
    const copy = copyOf(resource, () => undefined) as MutableFields;
    const changed = change(copy, work);
    dropEmpty(changed);
    if (
      !isFields(changed) ||
      changed['resourceType'] !== resource.resourceType ||
      changed['id'] !== resource.id
    ) {
      throw new Refusal('unprocessable', 'a patch changes neither resourceType nor id');
    }
    return changed as FhirResource;
  };
}
