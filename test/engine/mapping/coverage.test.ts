// Every kind of message that the page of maps promises has a golden pair, or one of its kin of which the same is made.
import { describe, expect, test } from '@jest/globals';
import { goldenPairs, hl7, parse, shippedMapper } from '../../support/maps.ts';

const mapper = await shippedMapper();
const golden = new Set(goldenPairs().map(({ raw }) => parse(raw).type));

const numbered = (type: string, first: number, last: number): readonly string[] =>
  Array.from({ length: last - first + 1 }, (_, at) => `${type}${String(first + at).padStart(2, '0')}`);

/** Each with a pair of its own. */
const shown = [
  ...numbered('ADT^A', 1, 14),
  ...[
    'ADT^A17',
    'ADT^A23',
    'ADT^A24',
    'ADT^A28',
    'ADT^A29',
    'ADT^A31',
    'ADT^A34',
    'ADT^A35',
    'ADT^A36',
    'ADT^A37',
  ],
  ...[
    'ADT^A39',
    'ADT^A40',
    'ADT^A41',
    'ADT^A42',
    'ADT^A43',
    'ADT^A44',
    'ADT^A45',
    'ADT^A46',
    'ADT^A47',
    'ADT^A48',
  ],
  ...['ADT^A49', 'ADT^A50', 'ADT^A51', 'ADT^A60'],
  ...[
    'ORM^O01',
    'OML^O21',
    'OML^O33',
    'ORU^R01',
    'ORU^R30',
    'ORU^R32',
    'OUL^R21',
    'OUL^R22',
    'OUL^R23',
    'OUL^R24',
  ],
  ...['SIU^S12', 'SIU^S13', 'SIU^S14', 'SIU^S15', 'SIU^S16', 'SIU^S17', 'SIU^S23', 'SIU^S24', 'SIU^S26'],
  ...['MDM^T01', 'MDM^T02', 'MDM^T05', 'MDM^T10', 'MDM^T11', 'VXU^V04', 'DFT^P03', 'DFT^P11'],
  ...['BAR^P01', 'BAR^P02', 'BAR^P06', 'BAR^P12', 'REF^I12', 'REF^I14', 'RDE^O11', 'RDS^O13'],
  ...['ORL^O22', 'ORL^O34', 'ORR^O02'],
];

/** Taken by the map of which another event shows what it makes. */
const kin: readonly (readonly [type: string, like: string])[] = [
  ...['A15', 'A16', 'A21', 'A22', 'A25', 'A26', 'A27', 'A32', 'A33', 'A38', 'A52', 'A53', 'A54', 'A55'].map(
    (event) => [`ADT^${event}`, 'ADT^A08'] as const,
  ),
  ['ADT^A61', 'ADT^A08'],
  ['ADT^A62', 'ADT^A08'],
  ['ADT^A18', 'ADT^A40'],
  ['ADT^A30', 'ADT^A40'],
  ...numbered('SIU^S', 18, 22).map((type) => [type, 'SIU^S14'] as const),
  ...['T03', 'T04', 'T06', 'T07', 'T08', 'T09'].map((event) => [`MDM^${event}`, 'MDM^T02'] as const),
  ['BAR^P05', 'BAR^P01'],
  ['ORU^R31', 'ORU^R01'],
  ['OMG^O19', 'OML^O21'],
  ['OML^O35', 'OML^O33'],
  ['REF^I13', 'REF^I12'],
  ['RDE^O25', 'RDE^O11'],
  ['OMP^O09', 'RDE^O11'],
];

/** What is chosen for a message of this type of a patient with a number. */
const chosen = (type: string): unknown =>
  mapper.select(
    parse(hl7(`MSH|^~\\&|A|B|C|D|20260412083015||${type}|1|P|2.5.1`, 'PID|1||P1^^^^MR', 'ORC|NW')),
  );

describe('messages that are mapped', () => {
  test.each(shown)('%s has a golden pair', (type) => {
    expect([...golden]).toContain(type);
  });

  test.each(kin)('%s gets the map of %s', (type, like) => {
    expect(chosen(type)).toMatchObject({ kind: 'map' });
    expect(chosen(type)).toEqual(chosen(like));
  });

  test.each(['ADT^A20', 'SIU^S11', 'MDM^T12', 'BAR^P10', 'XYZ^Z99'])('%s waits for a map', (type) => {
    expect(chosen(type)).toEqual({ kind: 'none' });
  });
});
