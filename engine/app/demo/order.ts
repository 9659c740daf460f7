// What a doctor of the demo's hospital orders: a specimen with its barcode, and the request for a test of it.
import type { Bundle, CodeableConcept, Patient, Reference } from '@medplum/fhirtypes';

export interface Order {
  readonly patientNumber: string;
  readonly barcode: string;
  readonly test: CodeableConcept;
  readonly specimen: CodeableConcept;
  /** A FHIR instant. */
  readonly at: string;
}

/** The systems are those that the maps find patients and samples by: engine/mapping/create-mapper.ts, Facility. */
export function orderBundle({ patientNumber, barcode, test, specimen, at }: Order): Bundle {
  const subject: Reference<Patient> = {
    reference: `Patient?identifier=urn:kiungo:patient-number|${patientNumber}`,
  };
  const specimenUrl = 'urn:uuid:5a3e0000-0000-4000-8000-000000000100';
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      {
        fullUrl: specimenUrl,
        resource: {
          resourceType: 'Specimen',
          identifier: [{ system: 'urn:kiungo:barcode', value: barcode }],
          status: 'available',
          type: specimen,
          subject,
          collection: { collectedDateTime: at },
        },
        request: { method: 'POST', url: 'Specimen' },
      },
      {
        resource: {
          resourceType: 'ServiceRequest',
          identifier: [{ system: 'urn:kiungo:order-number', value: `O${barcode}` }],
          status: 'active',
          intent: 'order',
          code: test,
          subject,
          authoredOn: at,
          requester: { reference: 'Practitioner?identifier=urn:kiungo:demo|doctor' },
          specimen: [{ reference: specimenUrl }],
        },
        request: { method: 'POST', url: 'ServiceRequest' },
      },
    ],
  };
}
