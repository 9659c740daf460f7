// FHIR XML both ways: https://hl7.org/fhir/R4/xml.html
import type { FhirResource } from '../resource.ts';
import type { Shapes } from '../shapes/shape.ts';
import { readLongXml, readXml } from './read-xml.ts';
import { writeXml } from './write-xml.ts';

export interface FhirXml {
  /**
   * The resource in an XML text, decimals as they were written. Throws Refusal `bad-request` with line and column for what is not
   * well formed, carries a DTD, or does not fit the definitions (name, order, cardinality, kind of value) of R4.
   */
  read(text: string): FhirResource;
  /** The same for a text that may be long: others get their turn in between, `breathe` being awaited after each piece. */
  readLong(text: string, breathe: () => Promise<void>): Promise<FhirResource>;
  /** `pretty`: one element a line. Throws Refusal `not-acceptable` for a resource that XML cannot hold, saying where. */
  write(resource: FhirResource, options?: { readonly pretty?: boolean }): string;
}

/** `shapes` are asked for at each use, so that who speaks JSON alone never has them loaded. */
export function createFhirXml(shapes: () => Shapes): FhirXml {
  return {
    read: (text) => readXml(text, shapes()),
    readLong: (text, breathe) => readLongXml(text, shapes(), breathe),
    write: (resource, options) => writeXml(resource, shapes(), options?.pretty ?? false),
  };
}
