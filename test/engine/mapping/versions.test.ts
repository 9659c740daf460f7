// One registration and one admission as versions 2.1 to 2.8 write them: the same patient and visit come of each.
import { describe, expect, test } from '@jest/globals';
import { hl7, mapMessage, ofType, shippedMapper } from '../../support/maps.ts';

const mapper = await shippedMapper();

interface Dialect {
  readonly version: string;
  readonly type: string;
  readonly patient: string;
  /** PV1-19 and PV1-44. */
  readonly visit: readonly [number: string, admitted: string];
}

const dialects: readonly Dialect[] = [
  // 2.1: MSH-9 names no event, EVN-1 does; PID-3 is ST.
  {
    version: '2.1',
    type: 'ADT',
    patient: 'PID|||P1||OTIENO^JAMES||19750505|M',
    visit: ['V1', '202604120815'],
  },
  // 2.2: CM for the number, PN for the name, TS.
  {
    version: '2.2',
    type: 'ADT^A01',
    patient: 'PID|||P1^5^M10||OTIENO^JAMES||19750505|M',
    visit: ['V1', '202604120815'],
  },
  {
    version: '2.3',
    type: 'ADT^A01',
    patient: 'PID|||P1^^^^MR||OTIENO^JAMES||19750505|M',
    visit: ['V1', '202604120815'],
  },
  // 2.3: only the external number.
  {
    version: '2.3',
    type: 'ADT^A01',
    patient: 'PID||P1|||OTIENO^JAMES||19750505|M',
    visit: ['V1', '202604120815'],
  },
  {
    version: '2.3.1',
    type: 'ADT^A01',
    patient: 'PID|1||P1^^^^MR||OTIENO^JAMES||19750505000000|M',
    visit: ['V1', '20260412081500'],
  },
  {
    version: '2.4',
    type: 'ADT^A01^ADT_A01',
    patient: 'PID|1||P1^^^^MR||OTIENO&VAN&OTIENO^JAMES||19750505|M',
    visit: ['V1^^^^VN', '20260412081500'],
  },
  {
    version: '2.5.1',
    type: 'ADT^A01^ADT_A01',
    patient: 'PID|1||P1^^^^MR||OTIENO^JAMES||19750505|M',
    visit: ['V1^^^^VN', '20260412081500'],
  },
  {
    version: '2.6',
    type: 'ADT^A01^ADT_A01',
    patient: 'PID|1||P1^^^^MR||OTIENO^JAMES||19750505|M',
    visit: ['V1^^^^VN', '20260412081500+0300'],
  },
  {
    version: '2.7.1',
    type: 'ADT^A01^ADT_A01',
    patient: 'PID|1||P1^^^^MR||OTIENO^JAMES||19750505|M^Male^HL70001',
    visit: ['V1^^^^VN', '20260412081500+0300'],
  },
  {
    version: '2.8',
    type: 'ADT^A01^ADT_A01',
    patient: 'PID|1||P1^^^^MR||OTIENO^JAMES||19750505|M^Male^HL70001',
    visit: ['V1^^^^VN', '20260412081500+0300'],
  },
];

describe('an admission', () => {
  test.each(dialects)(
    'in version $version: $type, $patient',
    ({ version, type, patient, visit: [number, admitted] }) => {
      const { bundle, issues } = mapMessage(
        mapper,
        hl7(
          `MSH|^~\\&|HIS|KCH|||202604120830||${type}|1|P|${version}`,
          'EVN|A01|202604120830',
          patient,
          `PV1||I|MED^12^3||||||||||||||||${number}${'|'.repeat(25)}${admitted}`,
        ),
      );
      expect(issues).toEqual([]);
      expect(ofType(bundle, 'Patient')[0]).toMatchObject({
        identifier: [{ system: 'urn:kiungo:patient-number', value: 'P1' }],
        name: [{ family: 'OTIENO', given: ['JAMES'] }],
        birthDate: '1975-05-05',
        gender: 'male',
      });
      expect(ofType(bundle, 'Encounter')[0]).toMatchObject({
        identifier: [{ value: 'V1' }],
        status: 'in-progress',
        class: { code: 'IMP' },
        period: { start: '2026-04-12T08:15:00+03:00' },
      });
    },
  );
});

test('segments of the sender’s own are passed over and told', () => {
  const { issues, unmapped } = mapMessage(
    mapper,
    hl7('MSH|^~\\&|HIS|KCH|||20260412||ADT^A28|1|P|2.5', 'PID|1||P1', 'ZPX|1|secret'),
  );
  expect(issues).toEqual([expect.objectContaining({ code: 'segment-not-mapped', place: 'ZPX[1]' })]);
  expect(unmapped).toContain('ZPX[1]-2.1');
});
