// What it costs to find the index entries of an Observation, and of a Patient.
import type { FhirResource } from '../../engine/fhir/resource.ts';
import { loadSearchIndex } from '../../engine/search/load-index.ts';
import type { Figure } from '../report.ts';
import { sampleObservation, samplePatient } from '../samples.ts';

const rounds = 20_000;

export async function measureExtraction(): Promise<Figure[]> {
  const index = loadSearchIndex();
  const microseconds = (resource: FhirResource): number => {
    for (let warm = 0; warm < rounds; warm += 1) index.entries(resource);
    const begin = performance.now();
    for (let round = 0; round < rounds; round += 1) index.entries(resource);
    return ((performance.now() - begin) * 1000) / rounds;
  };
  const observation: FhirResource = { ...sampleObservation('o', 'Patient/p', 1) };
  const patient: FhirResource = { ...samplePatient('p') };
  return [
    {
      name: 'index extraction of an Observation',
      value: microseconds(observation),
      unit: 'µs',
      target: 40,
      better: 'less',
      remarks: `${index.entries(observation).length} entries; a Patient: ${microseconds(patient).toFixed(1)} µs, ${index.entries(patient).length} entries`,
    },
  ];
}
