// What can be counted in the Synthea files by a few lines of plain code, and the search that asks for the same.

interface Coding {
  readonly system?: string;
  readonly code?: string;
  readonly display?: string;
}
interface Concept {
  readonly text?: string;
  readonly coding?: readonly Coding[];
}
interface Quantity {
  readonly value: number;
  readonly code?: string;
}

/** As much of a resource as is counted by. Undefined where a type has no such element. */
export interface SyntheaResource {
  readonly resourceType: string;
  readonly id: string;
  readonly status?: string;
  readonly intent?: string;
  readonly use?: string;
  readonly code?: Concept;
  readonly class?: Coding;
  readonly type?: Concept | readonly Concept[];
  readonly clinicalStatus?: Concept;
  readonly vaccineCode?: Concept;
  readonly category?: readonly (Concept & string)[];
  readonly subject?: { readonly reference: string };
  readonly valueQuantity?: Quantity;
  readonly valueCodeableConcept?: Concept;
  readonly component?: readonly { readonly code: Concept; readonly valueQuantity?: Quantity }[];
  readonly effectiveDateTime?: string;
  readonly onsetDateTime?: string;
  readonly abatementDateTime?: string;
  readonly period?: { readonly start: string; readonly end: string };
  readonly performedPeriod?: { readonly start: string; readonly end: string };
  readonly gender?: string;
  readonly birthDate?: string;
  readonly deceasedDateTime?: string;
  readonly name?: string | readonly { readonly family: string; readonly given: readonly string[] }[];
  readonly address?: readonly { readonly city: string }[] & { readonly city?: string };
  readonly identifier?: readonly { readonly type?: Concept; readonly value: string }[];
  readonly position?: { readonly latitude: number; readonly longitude: number };
  readonly text?: { readonly div: string };
  readonly meta?: { readonly profile?: readonly string[] };
}

type Holds = (resource: SyntheaResource, subject: SyntheaResource | undefined) => boolean;
export type SyntheaCount = readonly [query: string, holds: Holds];

const has = (concept: Concept | undefined, code: string): boolean =>
  concept?.coding?.some((coding) => coding.code === code) === true;
const at = (instant: string | undefined): number => Date.parse(instant ?? '');
const between = (instant: string | undefined, from: string, to: string): boolean =>
  at(instant) >= at(from) && at(instant) < at(to);
const value = (one: SyntheaResource, code: string): number =>
  has(one.code, code) ? (one.valueQuantity?.value ?? NaN) : NaN;
const concentrations: Readonly<Record<string, number>> = {
  'mg/dL': 1,
  'g/dL': 1000,
  'g/L': 100,
  'ng/mL': 1e-4,
  'ug/mL': 0.1,
  'ug/L': 1e-4,
  'pg/mL': 1e-7,
};
const milligramsPerDecilitre = (quantity: Quantity | undefined): number =>
  (quantity?.value ?? NaN) * (concentrations[quantity?.code ?? ''] ?? NaN);
const part = (one: SyntheaResource, code: string): number =>
  one.component?.find((component) => has(component.code, code))?.valueQuantity?.value ?? NaN;
const persons = (one: SyntheaResource): readonly { family: string; given: readonly string[] }[] =>
  Array.isArray(one.name) ? (one.name as readonly { family: string; given: readonly string[] }[]) : [];
const words = (text: string | undefined): readonly string[] => (text ?? '').toLowerCase().split(/[^a-z0-9]+/);
const isDay = (instant: string | undefined, year: number): boolean =>
  between(instant, `${year}-01-01T00:00:00Z`, `${year + 1}-01-01T00:00:00Z`);
const texts = (one: Concept | undefined): readonly string[] =>
  [one?.text, ...(one?.coding ?? []).map(({ display }) => display)].flatMap(
    (text) => text?.toLowerCase() ?? [],
  );
const metres = (one: SyntheaResource, latitude: number, longitude: number): number => {
  const [north, east] = [one.position?.latitude ?? NaN, one.position?.longitude ?? NaN].map((degrees) => (degrees * Math.PI) / 180); // prettier-ignore
  const [toNorth, toEast] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180];
  const cosine =
    Math.sin(north!) * Math.sin(toNorth) + Math.cos(north!) * Math.cos(toNorth) * Math.cos(east! - toEast);
  return 6_371_008.8 * Math.acos(cosine);
};
/** All dates in these files have a time, and with it an exact moment. */
const bounds = { early: '2012-01-01T00:00:00Z', late: '2019-07-01T00:00:00Z' } as const;

const counts: readonly SyntheaCount[] = [
  ['Observation?code=29463-7', (one) => has(one.code, '29463-7')],
  ['Observation?code=http://loinc.org|8302-2', (one) => has(one.code, '8302-2')],
  ['Observation?code=http://loinc.org|', () => true],
  ['Observation?code=urn:other|8302-2', () => false],
  ['Observation?code=8867-4,9279-1', (one) => has(one.code, '8867-4') || has(one.code, '9279-1')],
  ['Observation?code:not=8867-4', (one) => !has(one.code, '8867-4')],
  ['Observation?category=laboratory', (one) => has(one.category?.[0], 'laboratory')],
  ['Observation?category=vital-signs&status=final', (one) => has(one.category?.[0], 'vital-signs')],
  ['Observation?code:text=body', (one) => texts(one.code).some((text) => text.startsWith('body'))],
  ['Observation?combo-code=8480-6', (one) => !Number.isNaN(part(one, '8480-6'))],
  ['Observation?component-code=8302-2', () => false],
  ['Observation?value-quantity:missing=true', (one) => one.valueQuantity === undefined],
  ['Observation?value-concept:missing=false', (one) => one.valueCodeableConcept !== undefined],
  ['Observation?code-value-quantity=29463-7$gt80', (one) => value(one, '29463-7') > 80],
  ['Observation?code-value-quantity=29463-7$le50||kg', (one) => value(one, '29463-7') <= 50],
  ['Observation?code-value-quantity=29463-7$gt80000|http://unitsofmeasure.org|g', (one) => value(one, '29463-7') > 80],
  ['Observation?code-value-quantity=8302-2$lt1.5||m', (one) => value(one, '8302-2') < 150],
  ['Observation?component-code-value-quantity=8480-6$ge130', (one) => part(one, '8480-6') >= 130],
  ['Observation?component-code-value-quantity=8462-4$lt70', (one) => part(one, '8462-4') < 70],
  ['Observation?component-code-value-quantity=8480-6$gt16||kPa', (one) => part(one, '8480-6') > 16_000 / 133.322],
  ['Observation?combo-code-value-quantity=8867-4$gt90', (one) => value(one, '8867-4') > 90],
  ['Observation?combo-code-value-quantity=8480-6$ge130,8867-4$gt90', (one) => part(one, '8480-6') >= 130 || value(one, '8867-4') > 90],
  ['Observation?value-quantity=100', (one) => Math.abs((one.valueQuantity?.value ?? NaN) - 99.999999) <= 0.5],
  ['Observation?value-quantity=gt300||mg/dL', (one) => milligramsPerDecilitre(one.valueQuantity) > 300],
  ['Observation?date=2019', (one) => isDay(one.effectiveDateTime, 2019)],
  ['Observation?date=lt2012', (one) => at(one.effectiveDateTime) < at(bounds.early)],
  ['Observation?date=ge2019-07-01T00:00:00Z', (one) => at(one.effectiveDateTime) >= at(bounds.late)],
  ['Observation?date=sa2018&date=eb2020', (one) => isDay(one.effectiveDateTime, 2019)],
  ['Observation?date=ne2019', (one) => !isDay(one.effectiveDateTime, 2019)],
  ['Observation?subject:Patient.gender=female', (_one, subject) => subject?.gender === 'female'],
  ['Observation?patient.birthdate=lt1970', (_one, subject) => (subject?.birthDate ?? '9') < '1970'],
  ['Observation?patient.name=re&code=8867-4', (one, subject) => has(one.code, '8867-4') && subject !== undefined && persons(subject).some(({ family, given }) => [family, ...given].some((name) => name.toLowerCase().startsWith('re')))],
  ['Observation?_content=systolic', (one) => words(JSON.stringify([one.code, one.component])).includes('systolic')],
  ['Observation?_filter=code eq 8302-2 or code eq 8867-4', (one) => has(one.code, '8302-2') || has(one.code, '8867-4')],
  ['Observation?_filter=code eq 8302-2 and value-quantity gt 170', (one) => value(one, '8302-2') > 170],
  ['Observation?_filter=not (category eq laboratory)', (one) => !has(one.category?.[0], 'laboratory')],
  ['Observation?_filter=patient.gender eq male and code eq 8867-4', (one, subject) => has(one.code, '8867-4') && subject?.gender === 'male'],
  ['Observation?_profile=http://hl7.org/fhir/StructureDefinition/bmi', (one) => one.meta?.profile?.includes('http://hl7.org/fhir/StructureDefinition/bmi') === true],
  ['Observation?_profile:below=http://hl7.org/fhir/StructureDefinition', (one) => one.meta?.profile?.some((url) => url.startsWith('http://hl7.org/fhir/StructureDefinition/')) === true],
  ['Condition?clinical-status=active', (one) => has(one.clinicalStatus, 'active')],
  ['Condition?clinical-status:in=http://hl7.org/fhir/ValueSet/condition-clinical', () => true],
  ['Condition?clinical-status:below=http://terminology.hl7.org/CodeSystem/condition-clinical|inactive', (one) => has(one.clinicalStatus, 'inactive') || has(one.clinicalStatus, 'resolved') || has(one.clinicalStatus, 'remission')],
  ['Condition?code:text=acute', (one) => texts(one.code).some((text) => text.startsWith('acute'))],
  ['Condition?_content=covid 19', (one) => words(one.code?.text).includes('covid')],
  ['Condition?_content=sinus*', (one) => words(one.code?.text).some((word) => word.startsWith('sinus'))],
  ['Condition?onset-date=ge2015', (one) => at(one.onsetDateTime) >= at('2015-01-01T00:00:00Z')],
  ['Condition?abatement-date:missing=true', (one) => one.abatementDateTime === undefined],
  ['Encounter?class=EMER', (one) => one.class?.code === 'EMER'],
  ['Encounter?class:not=AMB', (one) => one.class?.code !== 'AMB'],
  ['Encounter?date=sa2018', (one) => at(one.period?.start) >= at('2019-01-01T00:00:00Z')],
  ['Encounter?date=eb2012', (one) => at(one.period?.end) < at(bounds.early)],
  ['Encounter?date=2019', (one) => isDay(one.period?.start, 2019) && isDay(one.period?.end, 2019)],
  ['Patient?gender=male', (one) => one.gender === 'male'],
  ['Patient?birthdate=ge1990&birthdate=lt2005', (one) => (one.birthDate ?? '') >= '1990' && (one.birthDate ?? '') < '2005'],
  ['Patient?deceased=true', (one) => one.deceasedDateTime !== undefined],
  ['Patient?death-date:missing=true', (one) => one.deceasedDateTime === undefined],
  ['Patient?family:contains=rau', (one) => persons(one).some(({ family }) => family.toLowerCase().includes('rau'))],
  ['Patient?address-city=lexington', (one) => one.address?.[0]?.city === 'Lexington'],
  ['Patient?identifier:text=medical', (one) => one.identifier?.some(({ type }) => type?.text?.startsWith('Medical')) === true],
  ['Patient?_has:Condition:patient:clinical-status=active', (one) => patientsWith.active.has(one.id)],
  ['Patient?_has:Observation:patient:code-value-quantity=29463-7$gt80', (one) => patientsWith.heavy.has(one.id)],
  ['Patient?_has:Encounter:patient:class=IMP', (one) => patientsWith.admitted.has(one.id)],
  ['MedicationRequest?status=active', (one) => one.status === 'active'],
  ['MedicationRequest?status=http://hl7.org/fhir/CodeSystem/medicationrequest-status|stopped&intent=order', (one) => one.status === 'stopped'],
  ['Claim?use=claim&patient.gender=female', (_one, subject) => subject?.gender === 'female'],
  ['Procedure?code:text=colonoscopy', (one) => texts(one.code).some((text) => text.startsWith('colonoscopy'))],
  ['Procedure?date=ge2019-07-01T00:00:00Z', (one) => at(one.performedPeriod?.end) >= at(bounds.late)],
  ['Immunization?vaccine-code:text=influenza', (one) => texts(one.vaccineCode).some((text) => text.startsWith('influenza'))],
  ['DiagnosticReport?code:text=lipid', (one) => texts(one.code).some((text) => text.startsWith('lipid'))],
  ['Organization?name=mount', (one) => typeof one.name === 'string' && one.name.toLowerCase().startsWith('mount')],
  ['Organization?name:contains=hospital', (one) => typeof one.name === 'string' && one.name.toLowerCase().includes('hospital')],
  ['Organization?phonetic=mownt', (one) => typeof one.name === 'string' && words(one.name).slice(0, 8).some((word) => /^m(?:ou?|au?|ea?|ie?|iy|y)?nt[aeiouy]*$/.test(word))],
  ['Location?near=42.3601|-71.0589|10|km', (one) => metres(one, 42.3601, -71.0589) <= 10_000],
  ['Location?near=42.3601|-71.0589|30|mi', (one) => metres(one, 42.3601, -71.0589) <= 30 * 1609.3472],
]; // prettier-ignore

export const syntheaCounts = (): readonly SyntheaCount[] => counts;

/** Filled from the files: ids of patients of whom something is told by other resources. */
export const patientsWith = {
  active: new Set<string>(),
  heavy: new Set<string>(),
  admitted: new Set<string>(),
};

/** Notes what a resource tells of its patient. */
export function noteForPatient(one: SyntheaResource, patient: SyntheaResource | undefined): void {
  if (patient === undefined) return;
  if (has(one.clinicalStatus, 'active') && one.resourceType === 'Condition') {
    patientsWith.active.add(patient.id);
  }
  if (value(one, '29463-7') > 80) patientsWith.heavy.add(patient.id);
  if (one.resourceType === 'Encounter' && one.class?.code === 'IMP') patientsWith.admitted.add(patient.id);
}
