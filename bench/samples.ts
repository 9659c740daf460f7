// Made-up resources and messages of the sizes that a hospital's have.
import type { Bundle, Observation, Patient } from '@medplum/fhirtypes';

/** About 1.6 kB as JSON. */
export function samplePatient(id: string): Patient {
  return {
    resourceType: 'Patient',
    id,
    identifier: [
      { system: 'https://hospital.example/mrn', value: `MRN-${id}` },
      { system: 'https://hospital.example/national-id', value: `ID-${id}`, type: { text: 'National ID' } },
    ],
    active: true,
    name: [{ use: 'official', family: `Family ${id}`, given: ['Amina', 'Wanjiku'] }],
    telecom: [
      { system: 'phone', value: '+254700000000', use: 'mobile' },
      { system: 'email', value: `patient-${id}@hospital.example` },
    ],
    gender: 'female',
    birthDate: '1987-04-12',
    address: [{ line: ['12 Example Road', 'Block C'], city: 'Kisumu', country: 'KE', postalCode: '40100' }],
    contact: [
      {
        relationship: [{ text: 'Next of kin' }],
        name: { text: 'Someone Near' },
        telecom: [{ value: '+254711111111' }],
      },
    ],
    text: {
      status: 'generated',
      div: `<div xmlns="http://www.w3.org/1999/xhtml">${'Made-up narrative. '.repeat(30)}</div>`,
    },
  };
}

/** A laboratory result as an analyser's map makes it, about 1.2 kB. */
export function sampleObservation(id: string, subject: string, value: number): Observation {
  return {
    resourceType: 'Observation',
    id,
    identifier: [{ system: 'urn:bench:result', value: id }],
    status: 'preliminary',
    category: [
      {
        coding: [
          { system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' },
        ],
      },
    ],
    code: {
      coding: [
        { system: 'http://loinc.org', code: '6690-2', display: 'WBC' },
        { system: 'urn:bench:local', code: 'WBC' },
      ],
    },
    subject: { reference: subject },
    effectiveDateTime: '2026-01-12T08:30:00+03:00',
    issued: '2026-01-12T08:31:00+03:00',
    valueQuantity: {
      value: 2.78 + (value % 900) / 100,
      unit: '10*3/uL',
      system: 'http://unitsofmeasure.org',
      code: '10*3/uL',
    },
    interpretation: [
      {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation',
            code: 'L',
            display: 'Low',
          },
        ],
      },
    ],
    referenceRange: [
      { low: { value: 4, unit: '10*3/uL' }, high: { value: 10, unit: '10*3/uL' }, text: '4.00-10.00' },
    ],
  };
}

/** A transaction of one patient and `observations` results that point at it by urn:uuid. */
export function sampleTransaction(name: string, observations: number): Bundle {
  const urn = (place: number): string =>
    `urn:uuid:00000000-0000-4000-8000-${place.toString(16).padStart(12, '0')}`;
  const results = Array.from({ length: observations }, (_, place) => {
    const resource = sampleObservation(`${name}-${place}`, urn(0), place);
    return {
      fullUrl: urn(place + 1),
      resource,
      request: { method: 'POST' as const, url: 'Observation' },
    };
  });
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      { fullUrl: urn(0), resource: samplePatient(name), request: { method: 'POST', url: 'Patient' } },
      ...results,
    ],
  };
}

/** An ORU^R01 with 20 numeric OBX, about 1.9 kB, as a Mindray BC-5380 sends it. */
export function sampleOru(controlId: string, sample: string): string {
  const analytes = [
    '6690-2^WBC',
    '704-7^BAS#',
    '751-8^NEU#',
    '731-0^LYM#',
    '742-7^MON#',
    '711-2^EOS#',
    '789-8^RBC',
    '718-7^HGB',
    '4544-3^HCT',
    '787-2^MCV',
  ];
  const results = Array.from({ length: 20 }, (_, place) => {
    const code =
      place < analytes.length ? `${analytes[place] ?? ''}^LN` : `${20_000 + place}^Research ${place}^99MRC`;
    return `OBX|${place + 1}|NM|${code}||${(place + 2.78).toFixed(2)}|10*9/L|4.00-10.00|L~N|||F`;
  });
  return [
    `MSH|^~\\&|BC-5380|Mindray|||20260112083000||ORU^R01|${controlId}|P|2.3.1||||||UNICODE`,
    `PID|1||MRN-${sample}^^^^MR||Bench^Patient||19870412000000|Female`,
    'PV1|1||Medical^^12',
    `OBR|1||${sample}|00001^Automated Count^99MRC|||20260112083000|||||||||||||||||HM||||||||Technician`,
    ...results,
    '',
  ].join('\r');
}

/** An ORU^R01 with one picture of so many bytes of base64, as a Mindray BC sends its scattergrams. */
export function pictureOru(controlId: string, bytes: number): string {
  const data = 'iVBORw0KGgoAAAAN'.repeat(Math.ceil(bytes / 16));
  return [
    `MSH|^~\\&|BC-5380|Mindray|||20260112083000||ORU^R01|${controlId}|P|2.3.1||||||UNICODE`,
    `PID|1||MRN-${controlId}^^^^MR||Bench^Patient||19870412000000|Female`,
    `OBR|1||${controlId}|00001^Automated Count^99MRC|||20260112083000|||||||||||||||||HM||||||||Technician`,
    'OBX|1|NM|6690-2^WBC^LN||5.10|10*9/L|4.00-10.00|N|||F',
    `OBX|2|ED|15008^WBC Histogram. BMP^99MRC||^Image^PNG^Base64^${data}||||||F`,
    '',
  ].join('\r');
}
