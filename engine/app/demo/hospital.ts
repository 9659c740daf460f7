// The demo's hospital: its people and wards, sent to the engine as one transaction that may be sent again.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bundle, Condition, Patient, Resource } from '@medplum/fhirtypes';
import type { SimulatedPatient } from '../../../adapters/hl7/simulator/messages.ts';

const file = join(import.meta.dirname, '../../../fhir-profiles/examples/demo-hospital.json');
/** ICD-10: too few platelets. */
const thrombocytopenia = 'D69.6';

export interface Hospital {
  readonly bundle: Bundle;
  readonly patients: readonly SimulatedPatient[];
}

export function readHospital(): Hospital {
  const bundle = JSON.parse(readFileSync(file, 'utf8')) as Bundle;
  const entries = bundle.entry ?? [];
  const lowPlatelets = new Set(
    entries.flatMap(({ resource }) => (isThrombocytopenia(resource) ? [resource.subject.reference] : [])),
  );
  const patients = entries.flatMap(({ fullUrl, resource }) =>
    resource?.resourceType === 'Patient' ? [asSimulated(resource, lowPlatelets.has(fullUrl))] : [],
  );
  return { bundle, patients };
}

const isThrombocytopenia = (resource: Resource | undefined): resource is Condition =>
  resource?.resourceType === 'Condition' && resource.code?.coding?.[0]?.code === thrombocytopenia;

/** As analysers write them. */
function asSimulated(patient: Patient, lowPlatelets: boolean): SimulatedPatient {
  const [name] = patient.name ?? [];
  return {
    id: patient.identifier?.[0]?.value ?? '',
    family: name?.family ?? '',
    given: name?.given?.[0] ?? '',
    sex: patient.gender === 'female' ? 'Female' : 'Male',
    born: `${(patient.birthDate ?? '').replaceAll('-', '')}000000`,
    lowPlatelets,
  };
}
