// The resource in a request's body, checked against the url that it was sent to.
import { parseResource } from '../fhir/exact-json.ts';
import type { FhirResource } from '../fhir/resource.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { Exchange } from './interaction.ts';

/** Throws Refusal `bad-request` when the body is no resource of the type in the url. */
export function sentResource({ body, type }: Exchange): FhirResource {
  if (body.length === 0) throw badRequest('the body is empty; a resource is expected');
  const resource = parseResource(body);
  if (resource.resourceType !== type) {
    throw badRequest('the resource is of another type than the url', 'resourceType');
  }
  return resource;
}
