// What must be true of anything before the repository takes it as a resource. Elements are the validator's matter.
import type { FhirResource } from '../fhir/resource.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { SearchIndex } from '../search/search-index.ts';
import type { Admitted } from './work.ts';

/** https://hl7.org/fhir/R4/datatypes.html#id */
const idSyntax = /^[A-Za-z0-9\-.]{1,64}$/;

export const isId = (text: string): boolean => idSyntax.test(text);

/** Throws Refusal `bad-request` for what is not a resource of a known type with well-formed id and meta. */
export function admit(index: SearchIndex, value: unknown): Admitted {
  if (!isObject(value)) throw badRequest('a resource is a JSON object', 'Resource');
  const type = value['resourceType'];
  if (typeof type !== 'string') throw badRequest('resourceType is missing or not a string', 'resourceType');
  admitType(index, type);
  if (value['id'] !== undefined) admitId(value['id'], `${type}.id`);
  admitMeta(value['meta'], `${type}.meta`);
  return { type, resource: value as FhirResource };
}

export function admitType(index: SearchIndex, type: string): void {
  if (!index.isType(type)) throw badRequest('this is not the name of an R4 resource type', 'resourceType');
}

/** Throws Refusal `bad-request` for what is not a FHIR id. */
export function admitId(id: unknown, expression: string): asserts id is string {
  if (typeof id !== 'string' || !isId(id)) {
    throw badRequest('an id has 1 to 64 characters of A-Z, a-z, 0-9, "-" and "."', expression);
  }
}

/** Whether `meta`'s parts, as far as the repository itself uses them, are what they should be. */
export function admitMeta(meta: unknown, expression: string): void {
  if (meta === undefined) return;
  if (!isObject(meta)) throw badRequest('meta is an object', expression);
  for (const list of ['profile', 'tag', 'security']) {
    const items = meta[list];
    if (items !== undefined && !Array.isArray(items)) {
      throw badRequest(`meta.${list} is a list`, `${expression}.${list}`);
    }
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
