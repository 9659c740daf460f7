// Whose result it is, and what happens when it comes again: orders, patients, controls, replays, corrections.
import { describe, expect, test } from '@jest/globals';
import { parseResource, writeJson } from '../../../engine/fhir/exact-json.ts';
import type { FhirResource } from '../../../engine/fhir/resource.ts';
import type { Answers, MapResult } from '../../../engine/mapping/mapper.ts';
import { context, hl7, mapMessage, ofType, parse, resourcesOf, shippedMapper } from '../../support/maps.ts';

const mapper = await shippedMapper();

interface Count {
  readonly patient?: string;
  readonly barcode?: string;
  readonly value?: string;
  readonly status?: string;
}

const bloodCount = ({ patient = '', barcode = 'S1', value = '7.10', status = 'F' }: Count): string =>
  hl7(
    'MSH|^~\\&|BC-5380|Mindray|||20260402111500||ORU^R01|1|P|2.3.1||||||UNICODE',
    `PID|1||${patient}^^^^MR||Otieno^Achieng`,
    `OBR|1||${barcode}|00001^Automated Count^99MRC|||20260402111214`,
    `OBX|1|NM|6690-2^WBC^LN||${value}|10*9/L|4.00-10.00|N|||${status}`,
  );

const order = (id: string, patient: string, status = 'active'): FhirResource => ({
  id,
  status,
  resourceType: 'ServiceRequest',
  subject: { reference: `Patient/${patient}` },
});
const person = (id: string): FhirResource => ({ id, resourceType: 'Patient' });
const codes = ({ issues }: MapResult): readonly string[] => issues.map(({ code }) => code);

/** Answers as the store gives them once this result is in it, changed by `then`. */
function stored(result: MapResult, then: (resource: FhirResource) => object = () => ({})): Answers {
  const answers: Record<string, FhirResource[]> = {};
  for (const { resource } of result.bundle?.entry ?? []) {
    const kept = parseResource(writeJson(resource));
    (answers[`earlier:${kept.resourceType}`] ??= []).push({ ...kept, ...then(kept) });
  }
  return answers;
}

describe('whose result it is', () => {
  test('an order that is found tells patient and order; no patient is made', () => {
    const result = mapMessage(mapper, bloodCount({}), { 'orderByNumber#order1': [order('o1', 'p1')] });
    const [report] = ofType(result.bundle, 'DiagnosticReport');
    expect([report?.subject?.reference, report?.basedOn?.[0]?.reference]).toEqual([
      'Patient/p1',
      'ServiceRequest/o1',
    ]);
    expect(ofType(result.bundle, 'Patient')).toEqual([]);
    expect(codes(result)).toEqual([]);
  });

  test('the order may be found by its specimen', () => {
    const result = mapMessage(mapper, bloodCount({}), { 'orderBySample#order1': [order('o1', 'p1')] });
    expect(ofType(result.bundle, 'Observation')[0]?.subject?.reference).toBe('Patient/p1');
  });

  test('a revoked order is none', () => {
    const result = mapMessage(mapper, bloodCount({}), {
      'orderByNumber#order1': [order('o1', 'p1', 'revoked')],
    });
    expect(ofType(result.bundle, 'Observation')[0]?.subject).toBeUndefined();
    expect(codes(result)).toEqual(['unmatched']);
  });

  test('another patient than the order’s is refused', () => {
    const answers = { 'orderByNumber#order1': [order('o1', 'p1')], 'patient#patient1': [person('p2')] };
    const result = mapMessage(mapper, bloodCount({ patient: '99' }), answers);
    expect([result.bundle, codes(result)]).toEqual([undefined, ['patient-mismatch']]);
  });

  test('orders of two patients under one barcode are refused', () => {
    const result = mapMessage(mapper, bloodCount({}), {
      'orderByNumber#order1': [order('o1', 'p1'), order('o2', 'p2')],
    });
    expect([result.bundle, codes(result)]).toEqual([undefined, ['order-ambiguous']]);
  });

  test('two patients with one number are refused', () => {
    const result = mapMessage(mapper, bloodCount({ patient: '99' }), {
      'patient#patient1': [person('p1'), person('p2')],
    });
    expect([result.bundle, codes(result)]).toEqual([undefined, ['patient-ambiguous']]);
  });

  test('a known patient is referred to, an unknown one is created unless there is one', () => {
    const known = mapMessage(mapper, bloodCount({ patient: '99' }), { 'patient#patient1': [person('p1')] });
    expect(ofType(known.bundle, 'Patient')).toEqual([]);
    expect(ofType(known.bundle, 'Observation')[0]?.subject?.reference).toBe('Patient/p1');

    const unknown = mapMessage(mapper, bloodCount({ patient: '99' }));
    const entry = unknown.bundle?.entry?.find(({ resource }) => resource?.resourceType === 'Patient');
    expect(entry?.request).toEqual({
      method: 'POST',
      url: 'Patient',
      ifNoneExist: 'identifier=urn:kiungo:patient-number|99',
    });
    expect(ofType(unknown.bundle, 'Observation')[0]?.subject?.reference).toBe(entry?.fullUrl);
  });

  test('neither order nor number: stored without a patient, tagged, and a person is asked', () => {
    const result = mapMessage(mapper, bloodCount({}));
    expect(ofType(result.bundle, 'Observation')[0]?.meta?.tag).toContainEqual({
      system: 'urn:kiungo:tag',
      code: 'unmatched',
    });
    expect(ofType(result.bundle, 'Task').map(({ code }) => code?.coding?.[0]?.code)).toEqual([
      'verify-result',
      'match-result',
    ]);
  });

  test('results of one specimen never reach another’s report', () => {
    const specimen = (number: number): string[] => [
      `SPM|${number}|||||||||||P`,
      `SAC|||B${number}`,
      'OBR|1|""||T^Test^99ROC',
      `OBX|1|NM|T^Test^99ROC||${number}|g/L||${number === 1 ? 'LL' : 'N'}|||F|||||||c1^R~s1^R|2026040209000${number}`,
    ];
    const raw = hl7(
      'MSH|^~\\&|X800DM||Host||20260402110000+0300||OUL^R22^OUL_R22|1|P|2.5.1',
      ...specimen(1),
      ...specimen(2),
    );
    const reports = ofType(mapMessage(mapper, raw).bundle, 'DiagnosticReport');
    expect(reports.map(({ result }) => result?.length)).toEqual([1, 1]);
    expect(reports.map(({ meta }) => meta?.tag?.some(({ code }) => code === 'critical'))).toEqual([
      true,
      false,
    ]);
    expect(new Set(reports.flatMap(({ specimen: of }) => of?.map(({ reference }) => reference))).size).toBe(
      2,
    );
  });

  test('a second patient in a message has a group of his own', () => {
    const patient = (number: string): string[] => [
      `PID|1||${number}`,
      `OBR|1|O-${number}||P^Panel^L`,
      `OBX|1|NM|T^Test^L||1||||||F`,
    ];
    const raw = hl7(
      'MSH|^~\\&|LAB|H|||20260402||ORU^R01^ORU_R01|1|P|2.5.1',
      ...patient('1'),
      ...patient('2'),
    );
    const { bundle } = mapMessage(mapper, raw);
    const [one, two] = ofType(bundle, 'Patient').map(({ id = '' }) => `urn:uuid:${id}`);
    expect(ofType(bundle, 'Observation').map(({ subject }) => subject?.reference)).toEqual([one, two]);
  });

  test('specimens all in front of the orders leave no doubt about who refuses', () => {
    const raw = hl7(
      'MSH|^~\\&|X||H||20260402||OUL^R22^OUL_R22|1|P|2.5.1',
      'SPM|1|A',
      'SPM|2|B',
      'OBR|1|1||T',
      'OBX|1|NM|T||1||||||F',
    );
    const result = mapMessage(mapper, raw);
    expect([result.bundle, codes(result)]).toEqual([undefined, expect.arrayContaining(['group-incomplete'])]);
  });
});

describe('quality control', () => {
  const law = (spm: string, ...rest: readonly string[]): string =>
    hl7(
      'MSH|^~\\&|LAB||Host||20260402110000+0300||OUL^R22^OUL_R22|1|P|2.5.1',
      'PID|1||99',
      spm,
      ...rest,
      'OBR|1|""||T^Test^99X',
      'OBX|1|NM|T^Test^99X||1|g/L|||||F',
    );
  test.each([
    ['SPM-11 is Q', law('SPM|1|C&CONTROL|||||||||Q^^HL70369'), true],
    ['SPM-4 is QC3', law('SPM|1|C||QC3'), true],
    ['a patient’s sample', law('SPM|1|A||SER|||||||P^^HL70369'), false],
    [
      'INV CO behind a result names the control lots in use',
      law('SPM|1|A|||||||||P').replace(/\r$/, '\rINV|X|OK|CO\r'),
      false,
    ],
    ['MSH-11 is Q (Mindray BC)', bloodCount({ patient: '99' }).replace('|P|2.3.1', '|Q|2.3.1'), true],
  ])('%s', (_rule, raw, control) => {
    const { bundle } = mapMessage(mapper, raw);
    expect(ofType(bundle, 'Observation')[0]?.meta?.tag?.some(({ code }) => code === 'qc') ?? false).toBe(
      control,
    );
    expect(ofType(bundle, 'DiagnosticReport')).toHaveLength(control ? 0 : 1);
    expect(ofType(bundle, 'Patient')).toHaveLength(control ? 0 : 1);
  });
});

describe('when it comes again', () => {
  const first = mapMessage(mapper, bloodCount({}));
  const again = (raw: string, answers: Answers): MapResult =>
    mapMessage(mapper, raw, answers, { ...context, messageId: 'second' });

  test('the questions ask for exactly what will be written', () => {
    const asked = mapper.questions(parse(bloodCount({})), 'ORU-R01-mindray-bc');
    const ids = asked
      .filter(({ name }) => name.startsWith('earlier:'))
      .flatMap(({ query }) => /_id=([^&]*)/.exec(query)?.[1]?.split(',') ?? []);
    const written = resourcesOf(first.bundle).filter(
      ({ resourceType }) => !['Device', 'Provenance'].includes(resourceType),
    );
    expect(ids.toSorted()).toEqual(written.map(({ id = '' }) => id).toSorted());
  });

  test.each<[string, Answers]>([
    ['nothing of it is known', {}],
    ['nothing is found', { 'patient#patient1': [] }],
    ['all of it is known', stored(first)],
  ])('where %s, the way over the questions makes what the map makes', (_what, answers) => {
    const [message, map] = [parse(bloodCount({})), 'ORU-R01-mindray-bc'];
    const asked = mapper.ask(message, map, context).answered(answers);
    const made = mapper.map(message, map, answers, context);
    expect(JSON.parse(JSON.stringify(asked))).toEqual(JSON.parse(JSON.stringify(made)));
  });

  test('the same result writes nothing but that it came', () => {
    const result = again(bloodCount({}), stored(first));
    expect(resourcesOf(result.bundle).map(({ resourceType }) => resourceType)).toEqual([
      'Device',
      'Provenance',
    ]);
  });

  test('what a person released and completed stays', () => {
    const released = stored(first, ({ resourceType }) => ({
      status: resourceType === 'Task' ? 'completed' : 'final',
    }));
    const result = again(bloodCount({}), released);
    expect(resourcesOf(result.bundle).map(({ resourceType }) => resourceType)).toEqual([
      'Device',
      'Provenance',
    ]);
  });

  test('another value that is not marked as a correction waits for a person', () => {
    const result = again(bloodCount({ value: '9.99' }), stored(first));
    expect([result.bundle, codes(result)]).toEqual([undefined, expect.arrayContaining(['result-changed'])]);
  });

  test('a correction before release stays preliminary', () => {
    const result = again(bloodCount({ value: '9.99', status: 'C' }), stored(first));
    expect(ofType(result.bundle, 'Observation')[0]).toMatchObject({
      status: 'preliminary',
      valueQuantity: { value: 9.99 },
    });
    expect(ofType(result.bundle, 'DiagnosticReport')[0]?.status).toBe('partial');
    expect(ofType(result.bundle, 'Task')).toEqual([]);
  });

  test('a correction after release makes result and report corrected, and a new task', () => {
    const released = stored(first, ({ resourceType }) => ({
      status: resourceType === 'Task' ? 'completed' : 'final',
    }));
    const result = again(bloodCount({ value: '9.99', status: 'C' }), released);
    expect(ofType(result.bundle, 'Observation')[0]?.status).toBe('corrected');
    expect(ofType(result.bundle, 'DiagnosticReport')[0]?.status).toBe('corrected');
    const earlierTasks = (released['earlier:Task'] ?? []).map(({ id }) => id);
    expect(ofType(result.bundle, 'Task').filter(({ id }) => earlierTasks.includes(id))).toEqual([]);
    expect(ofType(result.bundle, 'Task').length).toBeGreaterThan(0);
  });

  test('a withdrawn result is entered in error', () => {
    const released = stored(first, () => ({ status: 'final' }));
    const result = again(bloodCount({ value: '', status: 'W' }), released);
    expect(ofType(result.bundle, 'Observation')[0]?.status).toBe('entered-in-error');
  });

  test('two measurements under one key in one message are two results', () => {
    const raw = bloodCount({}).replace(/\r$/, '\rOBX|2|NM|6690-2^WBC^LN||7.30|10*9/L|4.00-10.00|N|||F\r');
    const observations = ofType(mapMessage(mapper, raw).bundle, 'Observation');
    expect(new Set(observations.map(({ id }) => id)).size).toBe(2);
  });
});
