// A made-up hospital of any size, always the same: 100 resources a patient, of the kinds, sizes and shares that Synthea makes.
import type { Observation, Quantity, Resource } from '@medplum/fhirtypes';

export const resourcesOfPatient = 100;
export const loinc = 'http://loinc.org';
export const snomed = 'http://snomed.info/sct';
const ucum = 'http://unitsofmeasure.org';
export const mrn = 'https://hospital.example/mrn';

const organizations = 20;
const practitioners = 200;
const visits = 8;

const given: Some<string> = [
  'Amina',
  'Baraka',
  'Chebet',
  'Daudi',
  'Esther',
  'Faith',
  'Grace',
  'Hassan',
  'Imani',
  'Juma',
];
const middle: Some<string> = [
  'Wanjiku',
  'Otieno',
  'Kiprop',
  'Mwangi',
  'Achieng',
  'Njeri',
  'Kamau',
  'Nekesa',
  'Mutua',
];
const family: Some<string> = ['Abdi', 'Barasa', 'Cheruiyot', 'Hassan', 'Kamau', 'Kariuki', 'Maina', 'Mwangi', 'Njoroge', 'Odhiambo', 'Onyango', 'Otieno', 'Wafula', 'Wanjala', 'Were']; // prettier-ignore
const cities: Some<string> = [
  'Nairobi',
  'Kisumu',
  'Mombasa',
  'Eldoret',
  'Nakuru',
  'Kakamega',
  'Nyeri',
  'Garissa',
];
export const conditions: Some<string> = ['44054006', '38341003', '195967001', '59621000', '73211009', '271737000', '61462000', '10509002', '444814009', '65363002']; // prettier-ignore
const medications: Some<string> = [
  '314076',
  '860975',
  '197361',
  '308136',
  '243670',
  '310965',
  '849574',
  '313782',
];
const procedures: Some<string> = ['430193006', '76601001', '710824005', '117015009', '23426006', '88039007'];
/** Code, name, unit, least, span. */
export const measures: Some<readonly [code: string, name: string, unit: string, least: number, span: number]> = [
  ['8302-2', 'Body Height', 'cm', 140, 55], ['29463-7', 'Body Weight', 'kg', 40, 70], ['39156-5', 'Body mass index (BMI) [Ratio]', 'kg/m2', 16, 22],
  ['8310-5', 'Body temperature', 'Cel', 36, 4], ['8867-4', 'Heart rate', '/min', 55, 60], ['9279-1', 'Respiratory rate', '/min', 11, 10],
  ['718-7', 'Hemoglobin [Mass/volume] in Blood', 'g/dL', 8, 10], ['6690-2', 'Leukocytes [#/volume] in Blood by Automated count', '10*3/uL', 3, 10],
  ['789-8', 'Erythrocytes [#/volume] in Blood by Automated count', '10*6/uL', 3, 3], ['777-3', 'Platelets [#/volume] in Blood by Automated count', '10*3/uL', 100, 350],
  ['2339-0', 'Glucose [Mass/volume] in Blood', 'mg/dL', 60, 140], ['38483-4', 'Creatinine [Mass/volume] in Blood', 'mg/dL', 0.5, 3],
  ['4548-4', 'Hemoglobin A1c/Hemoglobin.total in Blood', '%', 4, 8], ['2093-3', 'Cholesterol [Mass/volume] in Serum or Plasma', 'mg/dL', 120, 150],
]; // prettier-ignore

type Some<T> = readonly [T, ...(readonly T[])];

/** The n-th of a list that begins anew after its end. */
export const turn = <T>(list: Some<T>, number: number): T => list[number % list.length] ?? list[0];
/** The same in an order that looks like none. */
const pick = <T>(list: Some<T>, number: number): T => turn(list, scatter(number));
const scatter = (number: number): number => Math.imul(number + 1, 2_654_435_761) >>> 8;

const dayMs = 86_400_000;
const firstDay = Date.UTC(2016, 0, 1);
const days = 3_650;
const moment = (number: number): string =>
  new Date(firstDay + (scatter(number) % days) * dayMs + (scatter(number * 7) % dayMs)).toISOString();

const id = (type: string, number: number): string => `${type.toLowerCase()}-${number.toString(36)}-0198c0de`;
export const patientId = (number: number): string => id('Patient', number);
export const organizationId = (number: number): string => id('Organization', number);
const refer = (type: string, number: number): { reference: string } => ({
  reference: `${type}/${id(type, number)}`,
});
const coded = (
  system: string,
  code: string,
  display: string,
): { coding: { system: string; code: string; display: string }[]; text: string } => ({
  coding: [{ system, code, display }],
  text: display,
});

/** What all patients share: organizations and practitioners. */
export function sharedResources(): readonly Resource[] {
  return [
    ...Array.from({ length: organizations }, (_, n): Resource => ({
      resourceType: 'Organization',
      id: organizationId(n),
      active: true,
      name: `${pick(cities, n)} Hospital ${n}`,
      address: [{ city: pick(cities, n), country: 'KE' }],
    })),
    ...Array.from({ length: practitioners }, (_, n): Resource => ({
      resourceType: 'Practitioner',
      id: id('Practitioner', n),
      active: true,
      name: [{ family: pick(family, n), given: [pick(given, n * 3)], prefix: ['Dr.'] }],
    })),
  ];
}

/** The hundred resources of one patient. */
export function resourcesOf(patient: number): readonly Resource[] {
  const all: Resource[] = [patientOf(patient)];
  for (let visit = 0; visit < visits; visit += 1) all.push(encounterOf(patient, visit));
  for (let place = 0; place < 8; place += 1) {
    all.push(conditionOf(patient, place), procedureOf(patient, place), medicationOf(patient, place));
  }
  for (let place = 0; place < 7; place += 1) all.push(reportOf(patient, place));
  for (let place = 0; all.length < resourcesOfPatient; place += 1) all.push(observationOf(patient, place));
  return all;
}

const patientOf = (n: number): Resource => ({
  resourceType: 'Patient',
  id: patientId(n),
  meta: { profile: ['http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient'] },
  text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">Made-up patient ${n}</div>` },
  identifier: [
    { type: coded('http://terminology.hl7.org/CodeSystem/v2-0203', 'MR', 'Medical Record Number'), system: mrn, value: `MRN-${n}` },
    { system: 'https://hospital.example/national-id', value: `${20_000_000 + n}` },
  ],
  active: true,
  name: [{ use: 'official', family: pick(family, n), given: [pick(given, n * 5), pick(middle, n * 11)] }],
  telecom: [{ system: 'phone', value: `+2547${String(10_000_000 + n)}`, use: 'mobile' }],
  gender: n % 2 === 0 ? 'female' : 'male',
  birthDate: new Date(Date.UTC(1930, 0, 1) + (scatter(n) % 33_000) * dayMs).toISOString().slice(0, 10),
  address: [{ line: [`${n} Example Road`], city: pick(cities, n), country: 'KE', postalCode: `${40_000 + (n % 900)}` }],
  managingOrganization: refer('Organization', n % organizations),
  generalPractitioner: [refer('Practitioner', n % practitioners)],
}); // prettier-ignore

const visitNumber = (patient: number, place: number): number => patient * visits + (place % visits);

const encounterOf = (patient: number, visit: number): Resource => ({
  resourceType: 'Encounter',
  id: id('Encounter', visitNumber(patient, visit)),
  status: 'finished',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: visit === 0 ? 'IMP' : 'AMB' },
  type: [coded(snomed, '185345009', 'Encounter for symptom')],
  subject: refer('Patient', patient),
  participant: [{ individual: refer('Practitioner', scatter(patient + visit) % practitioners) }],
  period: { start: moment(visitNumber(patient, visit)) },
  serviceProvider: refer('Organization', patient % organizations),
});

const conditionOf = (patient: number, place: number): Resource => ({
  resourceType: 'Condition',
  id: id('Condition', patient * 8 + place),
  clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: place % 3 === 0 ? 'active' : 'resolved' }] },
  verificationStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-ver-status', code: 'confirmed' }] },
  code: coded(snomed, pick(conditions, patient * 8 + place), 'A finding with a name of usual length'),
  subject: refer('Patient', patient),
  encounter: refer('Encounter', visitNumber(patient, place)),
  onsetDateTime: moment(patient * 8 + place),
  recordedDate: moment(patient * 8 + place),
}); // prettier-ignore

const procedureOf = (patient: number, place: number): Resource => ({
  resourceType: 'Procedure',
  id: id('Procedure', patient * 8 + place),
  status: 'completed',
  code: coded(snomed, pick(procedures, patient * 8 + place), 'A procedure with a name of usual length'),
  subject: refer('Patient', patient),
  encounter: refer('Encounter', visitNumber(patient, place)),
  performedPeriod: { start: moment(patient * 9 + place) },
});

const medicationOf = (patient: number, place: number): Resource => ({
  resourceType: 'MedicationRequest',
  id: id('MedicationRequest', patient * 8 + place),
  status: place % 2 === 0 ? 'active' : 'stopped',
  intent: 'order',
  medicationCodeableConcept: coded('http://www.nlm.nih.gov/research/umls/rxnorm', pick(medications, patient * 8 + place), 'A medicine 10 MG Oral Tablet'),
  subject: refer('Patient', patient),
  encounter: refer('Encounter', visitNumber(patient, place)),
  authoredOn: moment(patient * 10 + place),
  requester: refer('Practitioner', scatter(patient + place) % practitioners),
}); // prettier-ignore

const reportOf = (patient: number, place: number): Resource => ({
  resourceType: 'DiagnosticReport',
  id: id('DiagnosticReport', patient * 7 + place),
  status: 'final',
  category: [coded('http://terminology.hl7.org/CodeSystem/v2-0074', 'LAB', 'Laboratory')],
  code: coded(loinc, '58410-2', 'CBC panel - Blood by Automated count'),
  subject: refer('Patient', patient),
  encounter: refer('Encounter', visitNumber(patient, place)),
  effectiveDateTime: moment(patient * 7 + place),
  issued: moment(patient * 7 + place),
  result: Array.from({ length: 6 }, (_, n) => refer('Observation', patient * 100 + place * 6 + n)),
});

const observationOf = (patient: number, place: number): Observation => ({
  resourceType: 'Observation',
  id: id('Observation', patient * 100 + place),
  status: 'final',
  category: [
    coded('http://terminology.hl7.org/CodeSystem/observation-category', place % 2 === 0 ? 'vital-signs' : 'laboratory', 'category'),
  ],
  subject: refer('Patient', patient),
  encounter: refer('Encounter', visitNumber(patient, place)),
  effectiveDateTime: moment(patient * 100 + place),
  issued: moment(patient * 100 + place),
  ...(place % 10 === 9 ? pressure(patient * 100 + place) : measured(patient * 100 + place)),
}); // prettier-ignore

function measured(number: number): Pick<Observation, 'code' | 'valueQuantity'> {
  const [code, name, unit, least, span] = pick(measures, number);
  const value = Math.round((least + (scatter(number * 13) % 1_000) * (span / 1_000)) * 100) / 100;
  return { code: coded(loinc, code, name), valueQuantity: amount(value, unit) };
}

function pressure(number: number): Pick<Observation, 'code' | 'component'> {
  return {
    code: coded(loinc, '85354-9', 'Blood Pressure'),
    component: [
      { code: coded(loinc, '8480-6', 'Systolic Blood Pressure'), valueQuantity: amount(90 + (scatter(number) % 100), 'mm[Hg]') },
      { code: coded(loinc, '8462-4', 'Diastolic Blood Pressure'), valueQuantity: amount(50 + (scatter(number * 3) % 60), 'mm[Hg]') },
    ],
  }; // prettier-ignore
}

const amount = (value: number, unit: string): Quantity => ({ value, unit, system: ucum, code: unit });
