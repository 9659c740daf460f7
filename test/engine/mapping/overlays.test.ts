// A facility's own files beside the shipped maps: what they change, what they add, and how their faults are told.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Patient } from '@medplum/fhirtypes';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { createMapper, type ReloadableMapper } from '../../../engine/mapping/create-mapper.ts';
import { hl7, mapMessage, ofType, parse } from '../../support/maps.ts';

let overlays = '';
beforeEach(() => {
  overlays = mkdtempSync(join(tmpdir(), 'kiungo-overlays-'));
});
afterEach(() => {
  rmSync(overlays, { recursive: true });
});

function given(file: string, ...lines: readonly string[]): void {
  mkdirSync(dirname(join(overlays, file)), { recursive: true });
  writeFileSync(join(overlays, file), `${lines.join('\n')}\n`);
}

const load = (): Promise<ReloadableMapper> =>
  createMapper({ folder: resolve('mappings'), overlays, logger: silentLogger });

const registered = hl7(
  'MSH|^~\\&|HIS|KCH|||20260412||ADT^A28|1|P|2.5',
  'PID|1||P1^^^KCH^MR||Odhiambo^Grace||19880214|F||LUO|||0722000111',
);

async function patientBy(mapper: ReloadableMapper | Promise<ReloadableMapper>): Promise<Patient | undefined> {
  return ofType(mapMessage(await mapper, registered).bundle, 'Patient')[0];
}

describe('what an overlay changes', () => {
  test('a row of a table', async () => {
    given(
      'authorities.yaml',
      'changes: codes/assigning-authorities',
      'source: letter of 2026-04-01',
      'set: { rows: { KCH: "https://kch.example/mrn" } }',
    );
    expect((await patientBy(load()))?.identifier?.[0]?.system).toBe('https://kch.example/mrn');
  });

  test('an element is put in, another is put in the place of one, a third is taken out', async () => {
    given(
      'patient.yaml',
      'changes: hl7v2/segments/PID-PatientRecord',
      'source: letter of 2026-04-01',
      'remove: [elements/telecom]',
      'set:',
      '  elements:',
      '    gender: unknown',
      '    photo: [{ title: = PID-10.1 }]',
    );
    const patient = await patientBy(load());
    expect([patient?.gender, patient?.photo, patient?.telecom]).toEqual([
      'unknown',
      [{ title: 'LUO' }],
      undefined,
    ]);
    expect(patient?.name?.[0]?.family).toBe('Odhiambo');
  });

  test('members are put behind those of a list', async () => {
    given(
      'patient.yaml',
      'changes: hl7v2/segments/PID-PatientRecord',
      'source: letter of 2026-04-01',
      "append: { elements: { identifier: [{ system: 'urn:tribe', value: = PID-10.1 }] } }",
    );
    const systems = (await patientBy(load()))?.identifier?.map(({ system }) => system);
    expect(systems).toEqual(['urn:kiungo:authority:KCH', 'urn:tribe']);
  });

  test('the trace names the file and line of the facility', async () => {
    given(
      'patient.yaml',
      'changes: hl7v2/segments/PID-PatientRecord',
      'source: letter of 2026-04-01',
      'set:',
      '  elements:',
      '    language: = PID-15.1 ?? PID-10.1',
    );
    const { trace } = mapMessage(await load(), registered);
    expect(trace.find(({ to }) => to === 'Patient[0].language')?.rule).toBe('overlays/patient.yaml:5');
  });

  test('a definition of a map, and with it the system of numbers that name no authority', async () => {
    given(
      'adt.yaml',
      'changes: hl7v2/messages/ADT',
      'source: letter of 2026-04-01',
      "set: { define: { patientSystem: = 'https://kch.example/unnamed' } }",
    );
    const unnamed = registered.replace('P1^^^KCH^MR', 'P1');
    const [patient] = ofType(mapMessage(await load(), unnamed).bundle, 'Patient');
    expect(patient?.identifier?.[0]?.system).toBe('https://kch.example/unnamed');
  });
});

describe('what it adds', () => {
  test('a map of its own, that extends a shipped one', async () => {
    given(
      'hl7v2/messages/ADT-old-system.yaml',
      'map: ADT-old-system',
      'extends: ADT',
      'source: its interface manual',
      'rank: 20',
      "takes: MSH-9.1 = 'ADT' and MSH-3.1 = 'OLD'",
    );
    const message = parse(registered.replace('|HIS|', '|OLD|'));
    expect((await load()).select(message)).toEqual({ kind: 'map', name: 'ADT-old-system' });
  });
});

describe('faults are told with file and line', () => {
  const faults: readonly (readonly [string, string, readonly string[], RegExp])[] = [
    [
      'a shipped file that is not there',
      'a.yaml',
      ['changes: hl7v2/segments/PID', 'source: x'],
      /overlays\/a\.yaml:1: there is no mappings\/hl7v2\/segments\/PID\.yaml/,
    ],
    [
      'a part that is not there',
      'a.yaml',
      ['changes: hl7v2/segments/PID-PatientRecord', 'source: x', 'remove: [elements/color]'],
      /overlays\/a\.yaml:3: there is no elements\/color in mappings\/hl7v2\/segments\/PID-PatientRecord\.yaml/,
    ],
    [
      'an expression',
      'a.yaml',
      [
        'changes: hl7v2/segments/PID-PatientRecord',
        'source: x',
        'set:',
        '  elements:',
        '    gender: = PID-8.1 | sex',
      ],
      /overlays\/a\.yaml:5: there is no function "sex"/,
    ],
    [
      'an unknown key',
      'a.yaml',
      ['changes: hl7v2/segments/PID-PatientRecord', 'source: x', 'put: {}'],
      /overlays\/a\.yaml:3: .*additional/,
    ],
    [
      'what makes the map break its schema',
      'a.yaml',
      ['changes: hl7v2/segments/PID-PatientRecord', 'source: x', 'set: { write: sometimes }'],
      /overlays\/a\.yaml:3: /,
    ],
    [
      'no list to append to',
      'a.yaml',
      ['changes: hl7v2/segments/PID-PatientRecord', 'source: x', 'append: { elements: { gender: [x] } }'],
      /overlays\/a\.yaml:3: gender is no list/,
    ],
    [
      'the name of a shipped file without saying what changes',
      'codes/units.yaml',
      ['source: x', 'rows: {}'],
      /overlays\/codes\/units\.yaml:1: mappings\/codes\/units\.yaml is there already/,
    ],
  ];
  test.each(faults)('%s', async (_what, file, lines, said) => {
    given(file, ...lines);
    await expect(load()).rejects.toThrow(said);
  });
});

test('a changed overlay holds without a restart', async () => {
  const mapper = await createMapper({
    folder: resolve('mappings'),
    overlays,
    logger: silentLogger,
    quietMs: 20,
  });
  const stop = mapper.watch();
  try {
    given(
      'patient.yaml',
      'changes: hl7v2/segments/PID-PatientRecord',
      'source: letter of 2026-04-01',
      'set: { elements: { gender: other } }',
    );
    for (let tries = 0; tries < 200 && (await patientBy(mapper))?.gender !== 'other'; tries++) {
      await sleep(25);
    }
    expect((await patientBy(mapper))?.gender).toBe('other');
  } finally {
    stop();
  }
});
