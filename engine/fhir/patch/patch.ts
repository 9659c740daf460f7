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

/** The patch in an entry of a Bundle: Parameters, or a Binary that holds a JSON patch or merge patch. Throws Refusal `bad-request`. */
export function readEntryPatch(resource: FhirResource, shapes: Shapes): Patch {
  if (resource.resourceType === 'Parameters') return patchBy(readFhirPathPatch(resource, shapes));
  const { contentType, data } = resource;
  const [type = ''] = typeof contentType === 'string' ? contentType.split(';') : [];
  const kind = Object.hasOwn(binaryKinds, type.trim()) ? binaryKinds[type.trim()] : undefined;
  if (resource.resourceType !== 'Binary' || !kind || typeof data !== 'string') {
    throw badRequest(
      'a PATCH carries Parameters, or a Binary of application/json-patch+json or merge-patch+json',
    );
  }
  return readPatch(kind, Buffer.from(data, 'base64').toString('utf8'), shapes);
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
