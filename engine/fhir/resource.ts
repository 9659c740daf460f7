// A FHIR resource as the engine holds it in memory.
import type { Meta } from '@medplum/fhirtypes';

/**
 * Any resource. Decimals that JavaScript's numbers would change (`2.780`, 20 digits) are held as raw JSON: see exact-json.ts.
 * Never changed once somebody else holds it: make a copy.
 */
export interface FhirResource {
  readonly resourceType: string;
  readonly id?: string;
  readonly meta?: Meta;
  readonly [element: string]: unknown;
}
