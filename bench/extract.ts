// What it costs to index a resource: microseconds and index entries for an Observation and a Patient.
// `node bench/extract.ts`; the limit is 60 µs for an Observation.
import type { Observation, Patient } from '@medplum/fhirtypes';
import type { FhirResource } from '../engine/fhir/resource.ts';
import { loadSearchIndex } from '../engine/search/load-index.ts';

export interface ExtractionCost {
  readonly name: string;
  readonly microseconds: number;
  readonly entries: number;
}

/** A laboratory result as an analyser's map makes it. */
const observation: Observation = {
  resourceType: 'Observation',
  id: '0198f3a2-0001-7000-8000-000000000001',
  identifier: [{ system: 'urn:kiungo:observation', value: 'BC-6800|20261121|WBC' }],
  status: 'preliminary',
  category: [
    {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }],
    },
  ],
  code: {
    coding: [
      { system: 'http://loinc.org', code: '6690-2', display: 'Leukocytes' },
      { system: 'urn:lab', code: 'WBC' },
    ],
  },
  subject: { reference: 'Patient/0198f3a2-0001-7000-8000-000000000002' },
  effectiveDateTime: '2026-11-21T09:30:00+03:00',
  performer: [{ reference: 'Organization/lab' }],
  valueQuantity: { value: 2.78, unit: '10*3/uL', system: 'http://unitsofmeasure.org', code: '10*3/uL' },
  interpretation: [{ coding: [{ code: 'L' }] }],
  specimen: { reference: 'Specimen/1' },
  device: { reference: 'Device/1' },
  referenceRange: [{ low: { value: 4 }, high: { value: 10 } }],
};

const patient: Patient = {
  resourceType: 'Patient',
  id: '0198f3a2-0001-7000-8000-000000000002',
  identifier: [{ system: 'urn:mrn', value: 'MRN-1' }],
  active: true,
  name: [{ family: "Ng'ang'a", given: ['Wanjiru', 'Mary'] }],
  telecom: [{ system: 'phone', value: '+254700000000' }],
  gender: 'female',
  birthDate: '1987-04-12',
  address: [{ line: ['12 Example Road'], city: 'Kisumu', country: 'KE', postalCode: '40100' }],
};

/** Each measured over `rounds` calls, after as many to warm up. */
export function measureExtraction(rounds = 50_000): readonly ExtractionCost[] {
  const index = loadSearchIndex({ base: 'http://localhost:8080/fhir/R4' });
  return [observation, patient].map((resource) => {
    const fhir = resource as unknown as FhirResource;
    const run = (): void => {
      for (let round = 0; round < rounds; round++) index.entries(fhir);
    };
    run();
    const started = performance.now();
    run();
    const microseconds = ((performance.now() - started) * 1000) / rounds;
    return { name: resource.resourceType, microseconds, entries: index.entries(fhir).length };
  });
}

if (process.argv[1] === import.meta.filename) {
  for (const { name, microseconds, entries } of measureExtraction()) {
    console.log(`${name}: ${microseconds.toFixed(1)} µs, ${entries} entries`);
  }
}
