// What OBX-5 becomes, line by line: units, comparators, marks of numbers, words, absent values, status and flags.
import { describe, expect, test } from '@jest/globals';
import type { Observation } from '@medplum/fhirtypes';
import type { MapResult } from '../../../engine/mapping/mapper.ts';
import { hl7, mapMessage, ofType, shippedMapper } from '../../support/maps.ts';

const mapper = await shippedMapper();

const senders = {
  /** No dialect: decimal point, no thousands separator. */
  plain: [
    'MSH|^~\\&|LAB|HOSP|||20260401120000+0300||ORU^R01^ORU_R01|1|P|2.5.1',
    'PID|1||77',
    'OBR|1|O-1||P^Panel^L',
  ],
  alinity: [
    'MSH|^~\\&|||||20260401120000+0300||OUL^R22^OUL_R22|1|P|2.5.1|||NE|AL||UNICODE UTF-8|||LAB-29^IHE',
    'PID|1||77',
    'SPM|1||||||||||P',
    'SAC|||B1',
    'OBR|1|""||P^Panel^L',
  ],
  genexpert: [
    'MSH|^~\\&|GX^GeneXpert^6.5||LIS||20260401120000||ORU^R32^ORU_R30|1|P|2.5',
    'PID|1||77',
    'OBR|1|||P',
  ],
  mindray: [
    'MSH|^~\\&|BC-5380|Mindray|||20260401120000||ORU^R01|1|P|2.3.1||||||UNICODE',
    'PID|1||77',
    'OBR|1||B1|00001^Count^99MRC',
  ],
  x800: [
    'MSH|^~\\&|X800DM||Host||20260401120000+0300||OUL^R22^OUL_R22|1|P|2.5.1|||NE|AL',
    'PID|1||77',
    'SPM|1||||||||||P',
    'SAC|||B1',
    'OBR|1|""||P^Panel^L',
  ],
} as const;
type Sender = keyof typeof senders;

/** `OBX-2 | OBX-5 | OBX-6`, and OBX-7, 8 and 11 where they matter. */
function mapped(sender: Sender, type: string, value: string, unit: string, rest = '|||||F'): MapResult {
  const model = sender === 'alinity' ? '|||||||Alinity m^Abbott~M1^Abbott' : '';
  return mapMessage(
    mapper,
    hl7(...senders[sender], `OBX|1|${type}|T^Test^99X||${value}|${unit}${rest}${model}`),
  );
}

const observation = (result: MapResult): Observation | undefined => ofType(result.bundle, 'Observation')[0];
/** As JSON text, so that every digit counts. */
const valueText = (result: MapResult): string => {
  const entry = result.bundle?.entry?.find(({ resource }) => resource?.resourceType === 'Observation');
  const value = Object.entries(entry?.resource ?? {}).filter(([name]) => /^(value|dataAbsent)/.test(name));
  return JSON.stringify(Object.fromEntries(value));
};
const ucum = (unit: string, code = unit): string =>
  `"unit":"${unit}","system":"http://unitsofmeasure.org","code":"${code}"`;

describe('values', () => {
  const table: readonly (readonly [
    rule: string,
    Sender,
    type: string,
    value: string,
    unit: string,
    json: string,
  ])[] = [
    [
      'digits stay as written',
      'plain',
      'NM',
      '5.000000',
      'g/L',
      `{"valueQuantity":{"value":5.000000,${ucum('g/L')}}}`,
    ],
    [
      'long decimals are not rounded',
      'plain',
      'NM',
      '1769.859285123456789',
      'g/L',
      `{"valueQuantity":{"value":1769.859285123456789,${ucum('g/L')}}}`,
    ],
    [
      'a JSON number has no leading zeros or plus',
      'plain',
      'NM',
      '+007.10',
      'g/L',
      `{"valueQuantity":{"value":7.10,${ucum('g/L')}}}`,
    ],
    [
      'a spelling of a unit gets its UCUM code, and stays',
      'plain',
      'NM',
      '4',
      '10^9/L',
      `{"valueQuantity":{"value":4,${ucum('10^9/L', '10*9/L')}}}`,
    ],
    [
      'an unknown unit gets no code',
      'plain',
      'NM',
      '4',
      'furlongs',
      '{"valueQuantity":{"value":4,"unit":"furlongs"}}',
    ],
    ['no unit, no code', 'plain', 'NM', '17.0', '', '{"valueQuantity":{"value":17.0}}'],
    [
      'a comparator',
      'plain',
      'ST',
      '< 20',
      'Copies/mL',
      `{"valueQuantity":{"value":20,"comparator":"<",${ucum('Copies/mL', '{copies}/mL')}}}`,
    ],
    [
      'a comparator, above',
      'plain',
      'ST',
      '> 15000.00',
      'ng/mL',
      `{"valueQuantity":{"value":15000.00,"comparator":">",${ucum('ng/mL')}}}`,
    ],
    [
      'a thousands separator is the sender’s setting',
      'alinity',
      'ST',
      '161,152',
      '^Copies/mL',
      `{"valueQuantity":{"value":161152,${ucum('Copies/mL', '{copies}/mL')}}}`,
    ],
    ['and never guessed', 'plain', 'ST', '161,152', 'Copies/mL', '{"valueString":"161,152"}'],
    ['a decimal comma is not guessed', 'plain', 'ST', '60,96', 'ng/mL', '{"valueString":"60,96"}'],
    [
      'nor taken for a thousands separator',
      'alinity',
      'ST',
      '60,96',
      '^Copies/mL',
      '{"valueString":"60,96"}',
    ],
    [
      'a multiplier below one',
      'x800',
      'NM',
      '367',
      '10*-1.{copies}/mL^^UCUM',
      `{"valueQuantity":{"extension":[{"url":"urn:kiungo:value-as-sent","valueString":"367 10*-1.{copies}/mL"}],"value":36.7,${ucum('{copies}/mL')}}}`,
    ],
    [
      'a multiplier above one',
      'x800',
      'NM',
      '130',
      '10*2.{copies}/mL^^UCUM',
      `{"valueQuantity":{"extension":[{"url":"urn:kiungo:value-as-sent","valueString":"130 10*2.{copies}/mL"}],"value":13000,${ucum('{copies}/mL')}}}`,
    ],
    [
      'a number in component 2',
      'genexpert',
      'ST',
      '^1234.56',
      'copies/mL',
      `{"valueQuantity":{"value":1234.56,${ucum('copies/mL', '{copies}/mL')}}}`,
    ],
    [
      'a word in component 1',
      'genexpert',
      'ST',
      'NOT DETECTED^',
      '',
      '{"valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"260415000","display":"Not detected"}],"text":"NOT DETECTED"}}',
    ],
    [
      'a word with a flag < and a unit is no number',
      'genexpert',
      'ST',
      'DÉTECTÉ^',
      'copies/mL',
      '{"valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"260373001","display":"Detected"}],"text":"DÉTECTÉ"}}',
    ],
    [
      'a failed test',
      'genexpert',
      'ST',
      'ERROR^',
      '',
      '{"dataAbsentReason":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/data-absent-reason","code":"error"}],"text":"ERROR"}}',
    ],
    ...['***.**', '-----', '----', '++++', '.***'].map(
      (text) =>
        [
          'not a number',
          'plain',
          'NM',
          text,
          'g/L',
          `{"dataAbsentReason":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/data-absent-reason","code":"error"}],"text":"${text}"}}`,
        ] as const,
    ),
    ['text', 'plain', 'ST', 'turbid', '', '{"valueString":"turbid"}'],
    [
      'a code',
      'plain',
      'CE',
      '10828004^Positive^SCT',
      '',
      '{"valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"10828004","display":"Positive"}],"text":"Positive"}}',
    ],
    [
      'a structured number',
      'plain',
      'SN',
      '>^100',
      'mg/L',
      `{"valueQuantity":{"value":100,"comparator":">",${ucum('mg/L')}}}`,
    ],
    [
      'a structured range',
      'plain',
      'SN',
      '^5^-^10',
      'mg/L',
      `{"valueRange":{"low":{"value":5,${ucum('mg/L')}},"high":{"value":10,${ucum('mg/L')}}}}`,
    ],
    [
      'a titre',
      'plain',
      'SN',
      '^1^:^128',
      '',
      '{"valueRatio":{"numerator":{"value":1},"denominator":{"value":128}}}',
    ],
    ['a time', 'plain', 'TS', '202604011130', '', '{"valueDateTime":"2026-04-01T11:30:00+03:00"}'],
  ];
  test.each(table)('%s: %s %s %s %s', (_rule, sender, type, value, unit, json) => {
    expect(valueText(mapped(sender, type, value, unit))).toBe(json);
  });

  test('what is not a number is kept as a note', () => {
    expect(observation(mapped('plain', 'NM', '***.**', 'g/L'))?.note).toEqual([{ text: '***.**' }]);
  });

  test.each([
    ['empty with F', 'NM', '', 'F'],
    ['only a coding system', 'CE', '^^99ROC', 'F'],
  ])('%s is no result', (_rule, type, value, status) => {
    expect(observation(mapped('x800', type, value, '', `|||||${status}`))).toBeUndefined();
  });

  test('supplemental results and Ct values are not published', () => {
    const result = mapMessage(
      mapper,
      hl7(...senders.x800, 'OBX|1|NA|HIV^HIV^99ROC^S_OTHER^Other Supplemental^IHELAW|1|31.63^^39.91|||||F'),
    );
    expect(ofType(result.bundle, 'Observation')).toEqual([]);
    expect(result.unmapped).toContain('OBX[1]-5.3');
  });

  test('an alarm that is set is an observation of its own, outside the results', () => {
    const result = mapMessage(
      mapper,
      hl7(
        ...senders.mindray,
        'OBX|1|IS|12018^Thrombopenia^99MRC||T||||||F',
        'OBX|2|IS|12007^Lymphopenia^99MRC||F||||||F',
        'OBX|3|NM|777-3^PLT^LN||200|10*9/L|||||F',
      ),
    );
    expect(
      ofType(result.bundle, 'Observation').map(({ valueBoolean, meta }) => [
        valueBoolean,
        meta?.tag?.[0]?.code,
      ]),
    ).toEqual([
      [true, 'alarm'],
      [undefined, undefined],
    ]);
    expect(ofType(result.bundle, 'DiagnosticReport')[0]?.result).toHaveLength(1);
  });
});

describe('OBX-11', () => {
  test.each([
    ['F', 'preliminary', true],
    ['P', 'preliminary', true],
    ['C', 'preliminary', true],
    ['R', 'preliminary', false],
    ['X', 'cancelled', true],
    ['D', 'entered-in-error', true],
    ['W', 'entered-in-error', true],
  ])('%s → %s', (sent, status, reported) => {
    const result = mapped(
      'x800',
      sent === 'X' ? '' : 'NM',
      sent === 'X' ? '' : '5',
      'g/L',
      `||U04^order cancelled^99ROC|||${sent}`,
    );
    expect(observation(result)?.status).toBe(status);
    expect(ofType(result.bundle, 'DiagnosticReport')[0]?.result?.length ?? 0).toBe(reported ? 1 : 0);
  });

  test('X says why, and the report is cancelled when nothing else is in it', () => {
    const result = mapped('x800', '', '', '', '||U04^order cancelled^99ROC|||X');
    expect(observation(result)?.dataAbsentReason?.text).toBe('order cancelled');
    expect(ofType(result.bundle, 'DiagnosticReport')[0]?.status).toBe('cancelled');
  });

  test.each(['I', 'O', 'S', 'B', 'N', 'U', 'V', 'Z'])('%s waits for a person', (status) => {
    const { bundle, issues } = mapped('plain', 'NM', '5', 'g/L', `|||||${status}`);
    expect(bundle).toBeUndefined();
    expect(issues.map(({ code }) => code)).toContain('status-not-supported');
  });
});

describe('OBX-7 and OBX-8', () => {
  const v3 = 'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation';
  test.each([
    ['plain', 'A', [[v3, 'A']]],
    ['plain', 'HH', [[v3, 'HH']]],
    ['mindray', 'A', [['urn:mindray:obx8', 'A']]],
    [
      'mindray',
      'L~A',
      [
        [v3, 'L'],
        ['urn:mindray:obx8', 'A'],
      ],
    ],
    ['x800', 'VAL^^99ROC', [['urn:kiungo:coding-system:99ROC', 'VAL']]],
    ['x800', 'N^^HL70078', [[v3, 'N']]],
    ['plain', '""', undefined],
  ] as const)('%s %s', (sender, flags, codings) => {
    const { interpretation } = observation(mapped(sender, 'NM', '5', 'g/L', `||${flags}|||F`)) ?? {};
    expect(interpretation?.map(({ coding }) => [coding?.[0]?.system, coding?.[0]?.code])).toEqual(codings);
  });

  test.each([
    ['4.00-10.00', '{"low":4.00,"high":10.00,"text":"4.00-10.00"}'],
    ['< 5', '{"high":5,"text":"< 5"}'],
    ['> 60', '{"low":60,"text":"> 60"}'],
    ['-1.5-2', '{"low":-1.5,"high":2,"text":"-1.5-2"}'],
    ['up to 3', '{"text":"up to 3"}'],
    ['-', undefined],
  ])('range %s', (sent, json) => {
    const { bundle } = mapped('plain', 'NM', '5', '', `|${sent}||||F`);
    const entry = bundle?.entry?.find(({ resource }) => resource?.resourceType === 'Observation');
    const range = (entry?.resource as Observation | undefined)?.referenceRange?.[0];
    const short = range && { ...range, low: range.low?.value, high: range.high?.value };
    expect(short && JSON.parse(JSON.stringify(short))).toEqual(
      json === undefined ? undefined : JSON.parse(json),
    );
  });
});

describe('critical limits of the laboratory', () => {
  test.each([
    ['33', 'LL', true],
    ['39.99', 'LL', true],
    ['40', undefined, false],
    ['1000.1', 'HH', true],
    ['<40', undefined, false],
    ['<30', 'LL', true],
  ])('platelets %s → %s', (value, code, critical) => {
    const result = mapMessage(
      mapper,
      hl7(...senders.mindray, `OBX|1|NM|777-3^PLT^LN||${value}|10*3/uL|100-300|N|||F`),
    );
    const own = observation(result)
      ?.interpretation?.flatMap(({ coding = [] }) => coding)
      .find(({ system }) => system === 'urn:kiungo:critical-limit');
    expect(own?.code).toBe(code);
    const tags = ofType(result.bundle, 'DiagnosticReport')[0]?.meta?.tag?.map((tag) => tag.code) ?? [];
    expect(tags.includes('critical')).toBe(critical);
  });

  test.each(['LL', 'HH', 'AA'])('%s of the analyser makes the report critical too', (flag) => {
    const result = mapped('plain', 'NM', '5', 'g/L', `||N~${flag}|||F`);
    expect(ofType(result.bundle, 'DiagnosticReport')[0]?.meta?.tag).toContainEqual({
      system: 'urn:kiungo:tag',
      code: 'critical',
    });
    expect(ofType(result.bundle, 'Task')[0]?.priority).toBe('stat');
  });
});
