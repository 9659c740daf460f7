// The searches of the search mix: one shape each, with values that vary.
import {
  conditions,
  loinc,
  measures,
  mrn,
  organizationId,
  patientId,
  resourcesOfPatient,
  snomed,
  turn,
} from './hospital.ts';

const measure = (n: number): string => turn(measures, n)[0];
const condition = (n: number): string => `${snomed}|${turn(conditions, n)}`;
const day = (n: number): string =>
  new Date(Date.UTC(2016, 0, 1) + ((n * 37) % 3_600) * 86_400_000).toISOString().slice(0, 10);

/** The n-th search of each shape, over a hospital of so many resources. */
export const shapesOf = (resources: number): Readonly<Record<string, (n: number) => string>> => {
  const patients = resources / resourcesOfPatient;
  const patient = (n: number): string => patientId((n * 7_919) % patients);
  return {
  'by identifier': (n) => `Patient?identifier=${mrn}|MRN-${(n * 31) % patients}`,
  'token': (n) => `Condition?code=${condition(n)}`,
  'token, newest first': (n) => `Observation?code=${loinc}|${measure(n)}&_sort=-date`,
  'two tokens': (n) => `Observation?code=${loinc}|${measure(n)}&category=laboratory`,
  'string': (n) => `Patient?family=${turn(['mwa', 'otieno', 'kar', 'wanj', 'nj'], n)}&given=${turn(['amina', 'juma', 'faith'], n)}`,
  'name': (n) => `Patient?name=${turn(['wanjiku', 'otieno', 'hassan', 'grace'], n)}`,
  'date range': (n) => `Observation?date=ge${day(n)}&date=lt${day(n + 1)}`,
  'token and date, newest first': (n) => `Observation?code=${loinc}|${measure(n)}&date=ge${day(n)}&_sort=-date`,
  'birth date, sorted': (n) => `Patient?birthdate=ge${1940 + (n % 60)}&_sort=birthdate`,
  'subject': (n) => `Observation?subject=Patient/${patient(n)}&_sort=-date`,
  'subject and token': (n) => `Observation?subject=Patient/${patient(n)}&code=${loinc}|${measure(n)}`,
  'chain': (n) => `Observation?subject.identifier=${mrn}|MRN-${(n * 13) % patients}`,
  'chain over two': (n) => `Encounter?subject.organization.name=nairobi&date=ge${day(n)}`,
  'chain to many': (n) => `Condition?code=${condition(n)}&subject.gender=female`,
  '_include': (n) => `Encounter?subject=Patient/${patient(n)}&_include=Encounter:subject&_include=Encounter:participant`,
  '_revinclude': (n) => `Patient?_id=${patient(n)}&_revinclude=Condition:subject&_revinclude=Encounter:subject`,
  '_has': (n) => `Patient?_has:Condition:subject:code=${condition(n)}&gender=male`,
  '_has, rare': (n) => `Patient?_has:Observation:subject:value-quantity=gt${170 + (n % 20)}|http://unitsofmeasure.org|cm`,
  'quantity': (n) => `Observation?code=${loinc}|718-7&value-quantity=lt${8.5 + (n % 10) / 10}|http://unitsofmeasure.org|g/dL`,
  'composite': (n) => `Observation?code-value-quantity=${loinc}|718-7$gt${15 + (n % 20) / 10}`,
  'composite of a component': (n) => `Observation?component-code-value-quantity=${loinc}|8480-6$gt${170 + (n % 15)}`,
  'count': (n) => `Condition?code=${condition(n)}&_summary=count`,
  'organization': (n) => `Patient?organization=Organization/${organizationId(n % 20)}&_sort=family`,
  }; // prettier-ignore
};
