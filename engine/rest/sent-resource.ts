// The resource in a request's body, checked against the url that it was sent to.
import { isUtf8 } from 'node:buffer';
import { parseSent } from '../fhir/parse-bundle.ts';
import type { FhirResource } from '../fhir/resource.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { Exchange } from './interaction.ts';

/** Throws Refusal `bad-request` when the body is no resource of the type in the url. */
export function sentResource({ body, type, resource: sent }: Exchange): FhirResource {
  const resource = sent ?? parseBody(body);
  if (resource.resourceType !== type) {
    throw badRequest('the resource is of another type than the url', 'resourceType');
  }
  return resource;
}

/** Throws Refusal `bad-request` when the body is no resource in UTF-8. */
export const parseBody = (body: Uint8Array): FhirResource => parseSent(bodyText(body));

/** Throws Refusal `bad-request` when the body is empty or not in UTF-8. */
export function bodyText(body: Uint8Array): string {
  if (body.length === 0) throw badRequest('the body is empty; a resource is expected');
  if (!isUtf8(body)) throw badRequest('the body is not UTF-8');
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}
