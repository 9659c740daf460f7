// Admission told as stories: messages one after the other through the real processor into a real store, and what is then on record.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type {
  DiagnosticReport,
  Encounter,
  Patient,
  RelatedPerson,
  Resource,
  ServiceRequest,
  Task,
} from '@medplum/fhirtypes';
import { shippedMapper } from '../../support/maps.ts';
import { openWard, type Ward } from '../../support/ward.ts';
import { administrator } from '../messages/house.ts';

const mapper = await shippedMapper();

let ward: Ward;
beforeEach(async () => {
  ward = await openWard(mapper);
});
afterEach(async () => {
  await ward.house.close();
});

const when: Ward['when'] = (type, ...segments) => ward.when(type, ...segments);
const found = <T extends Resource>(type: T['resourceType'], query?: string): Promise<readonly T[]> =>
  ward.found<T>(type, query);
const one = <T extends Resource>(type: T['resourceType'], query?: string): Promise<T> =>
  ward.one<T>(type, query);

const event = (at: string): string => `EVN||${at}|||REG1^Atieno^Mary|${at}`;
const person = ({ number = 'P1', name = 'Odhiambo^Grace', more = '19880214|F' } = {}): string =>
  `PID|1||${number}^^^KCH^MR||${name}||${more}`;
const visit = ({ at = 'MED^12^3', prior = '', number = 'V1', cls = 'I', times = '' } = {}): string =>
  `PV1|1|${cls}|${at}|||${prior}|4471^Otieno^James||||||||||||${number}${'|'.repeat(25)}${times}`;

const places = ({ location = [] }: Encounter): readonly string[] =>
  location.map(({ location: of, status }) => `${of.display ?? ''} ${status ?? ''}`);

describe('a stay', () => {
  test('admitted, moved, discharged: one visit, its status and its places by the events', async () => {
    await when('ADT^A01^ADT_A01', event('20260412081500'), person(), visit());
    expect(await one<Encounter>('Encounter')).toMatchObject({
      status: 'in-progress',
      class: { code: 'IMP' },
    });

    await when(
      'ADT^A02^ADT_A02',
      event('20260413100000'),
      person(),
      visit({ at: 'SURG^1^1', prior: 'MED^12^3' }),
    );
    const moved = await one<Encounter>('Encounter');
    expect(places(moved)).toEqual(['MED 12 3 completed', 'SURG 1 1 active']);
    expect(moved.location?.[0]?.period).toEqual({
      start: '2026-04-12T08:15:00+03:00',
      end: '2026-04-13T10:00:00+03:00',
    });

    await when('ADT^A03^ADT_A03', event('20260415170000'), person(), visit({ at: 'SURG^1^1' }));
    const over = await one<Encounter>('Encounter');
    expect(over.status).toBe('finished');
    expect(over.period).toEqual({ start: '2026-04-12T08:15:00+03:00', end: '2026-04-15T17:00:00+03:00' });
    expect(places(over)).toEqual(['MED 12 3 completed', 'SURG 1 1 completed']);
  });

  test('a move that names no prior place ends the stay at the place where the patient was', async () => {
    await when('ADT^A01', event('20260412081500'), person(), visit());
    await when('ADT^A02', event('20260413100000'), person(), visit({ at: 'SURG^1^1' }));
    expect(places(await one<Encounter>('Encounter'))).toEqual(['MED 12 3 completed', 'SURG 1 1 active']);
  });

  test('a discharge that is cancelled leaves the visit open, with no end', async () => {
    await when('ADT^A01', event('20260412081500'), person(), visit());
    await when('ADT^A03', event('20260415170000'), person(), visit());
    await when('ADT^A13', event('20260415180000'), person(), visit());
    const again = await one<Encounter>('Encounter');
    expect([again.status, again.period?.end, places(again)]).toEqual([
      'in-progress',
      undefined,
      ['MED 12 3 active'],
    ]);
  });

  test('an admission that is cancelled leaves a cancelled visit', async () => {
    await when('ADT^A01', event('20260412081500'), person(), visit());
    await when('ADT^A11', event('20260412090000'), person(), visit());
    expect((await one<Encounter>('Encounter')).status).toBe('cancelled');
  });

  test('a move that comes after the discharge does not open the visit again', async () => {
    await when('ADT^A01', event('20260412081500'), person(), visit());
    await when('ADT^A03', event('20260415170000'), person(), visit());
    await when('ADT^A02', event('20260413100000'), person(), visit());
    expect((await one<Encounter>('Encounter')).status).toBe('finished');
  });

  test('an update says nothing of the status', async () => {
    await when('ADT^A03', event('20260415170000'), person(), visit());
    await when('ADT^A08', event('20260416080000'), person(), visit());
    expect((await one<Encounter>('Encounter')).status).toBe('finished');
  });

  test('the same message again changes nothing', async () => {
    const first = await when('ADT^A01', event('20260412081500'), person(), visit());
    const again = await when('ADT^A01', event('20260412081500'), person(), visit());
    const versions = (effects: readonly string[]): readonly string[] =>
      effects.filter((effect) => /^(Patient|Encounter|Location)\//.test(effect)).toSorted();
    expect([first.state, again.state]).toEqual(['processed', 'processed']);
    for (const effect of versions(again.effects)) expect(versions(first.effects)).toContain(effect);
    expect(await found('Patient')).toHaveLength(1);
    expect(await found('Location')).toHaveLength(3);
    expect(await found('Practitioner')).toHaveLength(1);
  });

  test('a visit of another patient is refused', async () => {
    await when('ADT^A01', event('20260412081500'), person(), visit());
    const wrong = await when('ADT^A08', event('20260412081500'), person({ number: 'P2' }), visit());
    expect([wrong.state, wrong.reason?.code]).toEqual(['dead', 'visit-mismatch']);
  });
});

describe('what is said of a person (HL7 2.5.1, 2.5.3)', () => {
  const full =
    'PID|1||P1^^^KCH^MR||Odhiambo^Grace^Akinyi^^Mrs^^L||19880214|F|||Plot 12^^Kisumu^^^^H||0722000111^PRN^PH|0572000222^WPN^PH||M';

  test('empty leaves what is stored, a value replaces it, "" deletes it', async () => {
    await when('ADT^A28', event('20260412081500'), full);
    await when(
      'ADT^A31',
      event('20260413081500'),
      'PID|1||P1^^^KCH^MR||Otieno^Grace^^^^^L||""||||||0733000999^PRN^PH|""',
    );
    const patient = await one<Patient>('Patient');
    expect(patient.name).toEqual([{ use: 'official', family: 'Otieno', given: ['Grace'] }]);
    expect([patient.birthDate, patient.gender, patient.maritalStatus?.coding?.[0]?.code]).toEqual([
      undefined,
      'female',
      'M',
    ]);
    expect(patient.telecom).toEqual([{ system: 'phone', value: '0733000999', use: 'home' }]);
    expect(patient.address?.[0]?.city).toBe('Kisumu');
  });

  test('a whole coded field is deleted with its text', async () => {
    await when('ADT^A28', event('20260412081500'), full);
    await when('ADT^A31', event('20260413081500'), 'PID|1||P1^^^KCH^MR|||||||||||||""');
    expect((await one<Patient>('Patient')).maritalStatus).toBeUndefined();
  });

  test('what others wrote into the record stays', async () => {
    await when('ADT^A28', event('20260412081500'), full);
    const { id = '', ...patient } = await one<Patient>('Patient');
    const photographed = { ...patient, id, photo: [{ title: 'at the gate' }] };
    await ward.house.repository.as(administrator).update(photographed);
    await when('ADT^A31', event('20260413081500'), person({ name: 'Otieno^Grace' }));
    expect((await one<Patient>('Patient')).photo?.[0]?.title).toBe('at the gate');
  });

  test('a patient whom others registered is found by the number, and not made again', async () => {
    const identifier = [{ system: 'urn:kiungo:authority:KCH', value: 'P1' }];
    await ward.house.repository.as(administrator).create({ resourceType: 'Patient', identifier });
    await when('ADT^A01', event('20260412081500'), person(), visit());
    expect((await one<Patient>('Patient')).name?.[0]?.family).toBe('Odhiambo');
  });

  test('children under one national identity number stay two persons', async () => {
    await when('ADT^A28', event('20260412081500'), 'PID|1||C1^^^KCH^MR~28456123^^^NRB^NI||Odhiambo^Akoth');
    await when('ADT^A28', event('20260412081500'), 'PID|1||C2^^^KCH^MR~28456123^^^NRB^NI||Odhiambo^Opiyo');
    expect(await found('Patient')).toHaveLength(2);
  });

  test.each([
    ['no number', 'PID|1||||Odhiambo^Grace', 'patient-unnumbered'],
    ['a national identity number only', 'PID|1||28456123^^^NRB^NI||Odhiambo^Grace', 'patient-unnumbered'],
  ])('%s is refused', async (_what, pid, code) => {
    const message = await when('ADT^A28', event('20260412081500'), pid);
    expect([message.state, message.reason?.code]).toEqual(['dead', code]);
    expect(await found('Patient')).toEqual([]);
  });

  test('numbers of two patients in one message are refused', async () => {
    await when('ADT^A28', event('20260412081500'), person());
    await when('ADT^A28', event('20260412081500'), person({ number: 'P2' }));
    const both = await when(
      'ADT^A31',
      event('20260412081500'),
      'PID|1||P1^^^KCH^MR~P2^^^KCH^MR||Odhiambo^Grace',
    );
    expect([both.state, both.reason?.code]).toEqual(['dead', 'patient-ambiguous']);
  });

  test('kin who are not named any more are no longer active', async () => {
    const husband = 'NK1|1|Odhiambo^Peter|SPO^Spouse^HL70063';
    const mother = 'NK1|2|Auma^Rose|MTH^Mother^HL70063';
    await when('ADT^A28', event('20260412081500'), person(), husband, mother);
    await when('ADT^A31', event('20260413081500'), person(), 'NK1|1|Auma^Rose|MTH^Mother^HL70063');
    const active = await found<RelatedPerson>('RelatedPerson', 'active=true');
    expect(active.map(({ name }) => name?.[0]?.given?.[0])).toEqual(['Rose']);
    expect(await found('RelatedPerson')).toHaveLength(2);
  });

  test('a message without kin says nothing of them', async () => {
    await when('ADT^A28', event('20260412081500'), person(), 'NK1|1|Odhiambo^Peter|SPO');
    await when('ADT^A31', event('20260413081500'), person());
    expect(await found('RelatedPerson', 'active=true')).toHaveLength(1);
  });
});

describe('an order and its result', () => {
  const order = (control: string, status = ''): readonly string[] => [
    person(),
    'PV1|1|O|OPD||||||||||||||||V7',
    `ORC|${control}|ORD-1|||${status}||||20260412100500`,
    'OBR|1|ORD-1||58410-2^Full blood count^LN',
    'SPM|1|||BLD^Blood^HL70487',
    'SAC|||BC-77',
  ];
  const tasks = async (): Promise<readonly string[]> =>
    (await found<Task>('Task', 'code=fulfill')).map(({ status }) => status);

  test('the result that carries the barcode is of the order, its patient and its visit', async () => {
    await when('OML^O21^OML_O21', ...order('NW'));
    const [request, patient, encounter] = [
      await one<ServiceRequest>('ServiceRequest'),
      await one<Patient>('Patient'),
      await one<Encounter>('Encounter'),
    ];
    await when(
      'ORU^R01^ORU_R01',
      'OBR|1|||58410-2^Full blood count^LN',
      'OBX|1|NM|6690-2^WBC^LN||7.10|10*3/uL|||||F',
      'SPM|1|BC-77',
    );
    const report = await one<DiagnosticReport>('DiagnosticReport');
    expect([report.basedOn?.[0]?.reference, report.subject?.reference, report.encounter?.reference]).toEqual([
      `ServiceRequest/${request.id ?? ''}`,
      `Patient/${patient.id ?? ''}`,
      `Encounter/${encounter.id ?? ''}`,
    ]);
  });

  test.each([
    ['cancelled', ['NW', 'CA'], 'revoked', 'cancelled'],
    ['held and released', ['NW', 'HD', 'RL'], 'active', 'requested'],
    ['cancelled, then sent again late', ['NW', 'CA', 'NW'], 'revoked', 'cancelled'],
    ['changed', ['NW', 'XO'], 'active', 'requested'],
  ])('%s: %p makes it %s, its task %s', async (_what, controls, status, task) => {
    for (const control of controls) await when('OML^O21^OML_O21', ...order(control));
    expect((await one<ServiceRequest>('ServiceRequest')).status).toBe(status);
    expect(await tasks()).toEqual([task]);
  });

  test('what the filler says in ORC-5 holds over ORC-1', async () => {
    await when('OML^O21^OML_O21', ...order('NW'));
    await when('OML^O21^OML_O21', ...order('SC', 'CM'));
    expect((await one<ServiceRequest>('ServiceRequest')).status).toBe('completed');
    expect(await tasks()).toEqual(['completed']);
  });

  test('an order that is not known and says nothing of what is ordered is told', async () => {
    const message = await when('ORM^O01', person(), 'ORC|CA|ORD-9');
    expect(await found('ServiceRequest')).toEqual([]);
    expect(message.state).toBe('processed');
  });
});

describe('a merge', () => {
  const merge = (survivor: string, prior: string): readonly [string, string, string] => [
    event('20260414081500'),
    person({ number: survivor }),
    `MRG|${prior}^^^KCH^MR`,
  ];
  const links = ({ link = [] }: Patient): readonly string[] =>
    link.map(({ type, other }) => `${type} ${other.reference ?? ''}`);
  const numbered = (number: string): Promise<Patient> =>
    one<Patient>('Patient', `identifier=urn:kiungo:authority:KCH|${number}`);

  test('both stay, linked to each other; the prior one is inactive', async () => {
    await when('ADT^A28', event('20260412081500'), person({ number: 'OLD' }));
    await when('ADT^A28', event('20260412081500'), person({ number: 'NEW' }));
    await when('ADT^A40^ADT_A39', ...merge('NEW', 'OLD'));
    const [prior, survivor] = [await numbered('OLD'), await numbered('NEW')];
    expect([prior.active, links(prior)]).toEqual([false, [`replaced-by Patient/${survivor.id ?? ''}`]]);
    expect([survivor.active, links(survivor)]).toEqual([true, [`replaces Patient/${prior.id ?? ''}`]]);
  });

  test('what comes under the prior number goes to the surviving patient', async () => {
    await when('ADT^A28', event('20260412081500'), person({ number: 'OLD' }));
    await when('ADT^A40', ...merge('NEW', 'OLD'));
    const late = await when(
      'ADT^A01',
      event('20260415081500'),
      person({ number: 'OLD', name: 'X^Y' }),
      visit(),
    );
    expect(late.state).toBe('processed');
    const survivor = await numbered('NEW');
    expect((await one<Encounter>('Encounter')).subject?.reference).toBe(`Patient/${survivor.id ?? ''}`);
    expect(survivor.name?.[0]?.family).toBe('Odhiambo');
  });

  test('a patient who is not known yet is made, inactive', async () => {
    await when('ADT^A40', ...merge('NEW', 'OLD'));
    expect((await numbered('OLD')).active).toBe(false);
  });

  test('merged twice, one step leads from the first to the last', async () => {
    for (const number of ['A', 'B', 'C']) await when('ADT^A28', event('20260412081500'), person({ number }));
    await when('ADT^A40', ...merge('B', 'A'));
    await when('ADT^A40', ...merge('C', 'B'));
    const last = await numbered('C');
    expect(links(await numbered('A'))).toEqual([`replaced-by Patient/${last.id ?? ''}`]);
  });

  test('the same merge again changes nothing', async () => {
    await when('ADT^A40', ...merge('NEW', 'OLD'));
    const before = await numbered('NEW');
    await when('ADT^A40', ...merge('NEW', 'OLD'));
    expect((await numbered('NEW')).meta?.versionId).toBe(before.meta?.versionId);
  });
});
