// Appointments, documents, prescriptions, charges and accounts told as stories: what is on record after several messages.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type {
  Account,
  Appointment,
  ChargeItem,
  DocumentReference,
  Immunization,
  MedicationDispense,
  MedicationRequest,
  ServiceRequest,
} from '@medplum/fhirtypes';
import { shippedMapper } from '../../support/maps.ts';
import { openWard, type Ward } from '../../support/ward.ts';

const mapper = await shippedMapper();
let ward: Ward;
beforeEach(async () => {
  ward = await openWard(mapper);
});
afterEach(async () => {
  await ward.house.close();
});

const person = (number = 'P1'): string =>
  `PID|1||${number}^^^KCH^MR||Odhiambo^Grace|||F||||||||||ACC-1^^^KCH`;
/** Joins fields by their numbers: `segment('SCH', { 1: 'A', 25: 'Booked' })`. */
function segment(name: string, fields: Readonly<Record<number, string>>): string {
  const last = Math.max(...Object.keys(fields).map(Number));
  return [name, ...Array.from({ length: last }, (_, place) => fields[place + 1] ?? '')].join('|');
}

describe('an appointment', () => {
  const schedule = (more: Readonly<Record<number, string>> = {}): string =>
    segment('SCH', { 1: 'APT-1^HIS', 9: '30', 10: 'MIN', 11: '^^^20260501093000', ...more });
  const doctor = 'AIP|1||4471^Otieno^James';
  const status = async (): Promise<string | undefined> => (await ward.one<Appointment>('Appointment')).status;

  test('booked, moved, not kept: one appointment', async () => {
    await ward.when('SIU^S12', schedule(), person(), 'RGS|1', doctor);
    await ward.when('SIU^S13', schedule({ 11: '^^^20260502100000' }), person(), 'RGS|1', doctor);
    expect(await ward.one<Appointment>('Appointment')).toMatchObject({
      status: 'booked',
      start: '2026-05-02T10:00:00+03:00',
      end: '2026-05-02T10:30:00+03:00',
    });
    await ward.when('SIU^S26', 'SCH|APT-1^HIS', person());
    expect(await status()).toBe('noshow');
    expect((await ward.one<Appointment>('Appointment')).participant).toHaveLength(2);
  });

  test.each([
    ['S15', 'cancelled'],
    ['S17', 'entered-in-error'],
  ])('%s makes it %s, whatever SCH-25 still says', async (event, expected) => {
    await ward.when('SIU^S12', schedule(), person(), doctor);
    await ward.when(`SIU^${event}`, schedule({ 25: 'Booked' }), person(), doctor);
    expect(await status()).toBe(expected);
  });

  test('without a time it is a proposal (FHIR: only what is proposed or cancelled may have none)', async () => {
    await ward.when('SIU^S12', 'SCH|APT-1^HIS', person(), doctor);
    expect(await status()).toBe('proposed');
  });

  test('without a number it is refused', async () => {
    const message = await ward.when('SIU^S12', schedule({ 1: '' }), person(), doctor);
    expect(message.reason?.code).toBe('appointment-unnumbered');
  });
});

describe('a document', () => {
  const header = (number: string, parent = '', state = 'AU'): string =>
    segment('TXA', {
      2: 'DS^Discharge summary',
      12: `${number}^HIS`,
      13: parent === '' ? '' : `${parent}^HIS`,
      17: state,
    });
  const text = 'OBX|1|TX|1^Summary||All is well';

  test('replaced: the older one is superseded, the newer one says so', async () => {
    await ward.when('MDM^T02', person(), header('D1'), text);
    await ward.when('MDM^T10', person(), header('D2', 'D1'), text);
    const older = await ward.one<DocumentReference>('DocumentReference', 'status=superseded');
    const newer = await ward.one<DocumentReference>('DocumentReference', 'status=current');
    expect(newer.relatesTo).toMatchObject([
      { code: 'replaces', target: { reference: `DocumentReference/${older.id ?? ''}` } },
    ]);
  });

  test('a change of its state leaves its content', async () => {
    await ward.when('MDM^T02', person(), header('D1', '', 'IP'), text);
    await ward.when('MDM^T03', person(), header('D1', '', 'AU'));
    const document = await ward.one<DocumentReference>('DocumentReference');
    expect([document.docStatus, document.content[0]?.attachment.data]).toEqual([
      'final',
      Buffer.from('All is well').toString('base64'),
    ]);
  });

  test('withdrawn, it is entered in error and still there', async () => {
    await ward.when('MDM^T02', person(), header('D1'), text);
    await ward.when('MDM^T11', person(), header('D1'));
    expect((await ward.one<DocumentReference>('DocumentReference')).status).toBe('entered-in-error');
  });

  test('of another patient it is refused', async () => {
    await ward.when('MDM^T02', person(), header('D1'), text);
    const wrong = await ward.when('MDM^T02', person('P2'), header('D1'), text);
    expect([wrong.state, wrong.reason?.code]).toEqual(['dead', 'document-mismatch']);
  });
});

describe('a prescription', () => {
  const order = (control: string, ...more: readonly string[]): readonly string[] => [
    person(),
    `ORC|${control}|RX-1`,
    ...more,
  ];
  const drug = 'RXE||P01BF01^Artemether and lumefantrine^ATC|4||TAB^tablet';

  test.each([
    ['held', ['NW', 'HD'], 'on-hold'],
    ['released', ['NW', 'HD', 'RL'], 'active'],
    ['discontinued', ['NW', 'DC'], 'stopped'],
    ['discontinued, then sent again late', ['NW', 'DC', 'NW'], 'stopped'],
  ])('%s', async (_what, controls, status) => {
    for (const control of controls) await ward.when('RDE^O11', ...order(control, drug));
    expect((await ward.one<MedicationRequest>('MedicationRequest')).status).toBe(status);
  });

  test('what is dispensed names it', async () => {
    await ward.when('RDE^O11', ...order('NW', drug));
    const request = await ward.one<MedicationRequest>('MedicationRequest');
    await ward.when('RDS^O13', ...order('RE', 'RXD|1|P01BF01^AL^ATC|20260412113000|24'));
    expect(
      (await ward.one<MedicationDispense>('MedicationDispense')).authorizingPrescription?.[0]?.reference,
    ).toBe(`MedicationRequest/${request.id ?? ''}`);
  });

  test('two that were dispensed under one order are two', async () => {
    for (const count of ['1', '2']) {
      await ward.when('RDS^O13', ...order('RE', `RXD|${count}|P01BF01^AL^ATC|20260412113000|12`));
    }
    expect(await ward.found('MedicationDispense')).toHaveLength(2);
  });
});

describe('money', () => {
  const charge = (type: string, number = 'T1'): string =>
    segment('FT1', {
      2: number,
      4: '20260412',
      6: type,
      7: 'CONS^Consultation^L',
      10: '1',
      11: '1500.00&KES',
    });

  test('a charge is raised once, and taken back by its credit', async () => {
    await ward.when('DFT^P03', person(), charge('CG'));
    await ward.when('DFT^P03', person(), charge('CG'));
    expect((await ward.one<ChargeItem>('ChargeItem')).status).toBe('billable');
    await ward.when('DFT^P03', person(), charge('CD'));
    expect((await ward.one<ChargeItem>('ChargeItem')).status).toBe('aborted');
  });

  test('an amount keeps its digits', async () => {
    await ward.when('DFT^P03', person(), charge('CG'));
    const { matches } = await ward.house.repository
      .as({ kind: 'user', id: 'x', scopes: ['system/*.cruds'] })
      .search('ChargeItem', '');
    expect(Buffer.from(matches[0]?.body ?? '').toString()).toContain('"value":1500.00');
  });

  test('an account is opened once, and closed', async () => {
    await ward.when('ADT^A04', person(), 'PV1|1|O|OPD||||||||||||||||V1');
    await ward.when('BAR^P01', person());
    await ward.when('BAR^P06', person());
    expect((await ward.one<Account>('Account')).status).toBe('inactive');
  });
});

test('a vaccination that was sent wrongly is withdrawn by its number', async () => {
  const dose = (action: string): readonly string[] => [
    person(),
    'ORC|RE||VF-1^MCH',
    segment('RXA', { 1: '0', 2: '1', 3: '20260412', 5: '133^PCV13^CVX', 6: '999', 20: 'CP', 21: action }),
  ];
  await ward.when('VXU^V04', ...dose('A'));
  await ward.when('VXU^V04', ...dose('D'));
  const given = await ward.one<Immunization>('Immunization');
  expect([given.status, given.doseQuantity]).toEqual(['entered-in-error', undefined]);
});

test('a referral is made once, and cancelled', async () => {
  const referral = (status: string): string => segment('RF1', { 1: status, 6: 'REF-1^KCH' });
  await ward.when('REF^I12', referral('P'), person());
  await ward.when('REF^I14', referral('P'), person());
  expect((await ward.one<ServiceRequest>('ServiceRequest')).status).toBe('revoked');
});
