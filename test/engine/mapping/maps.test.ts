// The map files: checked when loaded, with file and line; reloaded without a restart; a broken edit changes nothing.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { silentLogger, type Logger } from '../../../engine/kernel/logger.ts';
import { Refusal } from '../../../engine/kernel/outcomes.ts';
import { createMapper } from '../../../engine/mapping/create-mapper.ts';
import { mapMessage, ofType, parse, goldenPairs } from '../../support/maps.ts';

let folder = '';
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'kiungo-maps-')), 'mappings');
  cpSync(resolve('mappings'), folder, { recursive: true });
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const edit = (file: string, from: string | RegExp, to: string): void => {
  const path = join(folder, file);
  const before = readFileSync(path, 'utf8');
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  writeFileSync(path, after);
};
const blood = goldenPairs().find(({ name }) => name === 'mindray-bc-patient')!;

describe('a broken map is told with file and line', () => {
  const faults: readonly (readonly [string, string, string | RegExp, string, RegExp])[] = [
    [
      'no YAML',
      'hl7v2/segments/PID-Patient.yaml',
      'resource: Patient',
      'resource: "Patient',
      /PID-Patient\.yaml:\d+: /,
    ],
    [
      'an unknown key',
      'hl7v2/segments/PID-Patient.yaml',
      'write:',
      'wrote:',
      /PID-Patient\.yaml:4: .*additional/,
    ],
    [
      'an unknown directive',
      'hl7v2/segments/PID-Patient.yaml',
      '$when: $patientNumber\n',
      '$whenever: $patientNumber\n',
      /PID-Patient\.yaml:1\d: /,
    ],
    [
      'an unknown function',
      'hl7v2/segments/PID-Patient.yaml',
      '| date',
      '| data',
      /PID-Patient\.yaml:\d+: there is no function "data"/,
    ],
    [
      'an unknown table',
      'hl7v2/segments/PID-Patient.yaml',
      'table 0001-administrative-sex',
      'table 0002',
      /PID-Patient\.yaml:\d+: there is no mappings\/codes\/0002\.yaml/,
    ],
    [
      'an unknown include',
      'hl7v2/segments/PID-Patient.yaml',
      '$use: XPN-HumanName',
      '$use: XPN',
      /PID-Patient\.yaml:\d+: there is no mappings\/hl7v2\/datatypes\/XPN\.yaml/,
    ],
    [
      'half an expression',
      'hl7v2/segments/PID-Patient.yaml',
      '= PID-8.1 |',
      '= PID-8.1 | | ',
      /PID-Patient\.yaml:\d+: /,
    ],
    [
      'a circle',
      'hl7v2/datatypes/XPN-HumanName.yaml',
      '  family: = .1',
      '  family: { $use: XPN-HumanName }',
      /includes itself/,
    ],
    ['a bad step', 'hl7v2/steps/patient.yaml', 'type: Patient', 'kind: Patient', /patient\.yaml:\d+: /],
    [
      'an unknown resource map',
      'hl7v2/steps/report.yaml',
      'make: Task-match',
      'make: Task-mash',
      /report\.yaml:\d+: there is no mappings\/hl7v2\/segments\/Task-mash\.yaml/,
    ],
  ];
  test.each(faults)('%s', async (_what, file, from, to, said) => {
    edit(file, from, to);
    const refused = await createMapper({ folder, logger: silentLogger }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Refusal);
    expect((refused as Refusal).message).toMatch(said);
  });
});

describe('reloading', () => {
  test('an edit holds from the next message on; a broken one changes nothing', async () => {
    const mapper = await createMapper({ folder, logger: silentLogger });
    edit('hl7v2/codesystems/0001-administrative-sex.yaml', 'Female: female', 'Female: other');
    await mapper.reload();
    expect(ofType(mapMessage(mapper, blood.raw).bundle, 'Patient')[0]?.gender).toBe('other');

    edit('hl7v2/segments/PID-Patient.yaml', 'resource: Patient', 'resource: [');
    await expect(mapper.reload()).rejects.toThrow(/PID-Patient\.yaml/);
    expect(ofType(mapMessage(mapper, blood.raw).bundle, 'Patient')[0]?.gender).toBe('other');
  });

  test('a watched folder is read again by itself, and faults go to the log', async () => {
    const said: string[] = [];
    const logger: Logger = { ...silentLogger, error: (_facts, text) => said.push(text) };
    const mapper = await createMapper({ folder, logger, quietMs: 20 });
    const stop = mapper.watch();
    try {
      edit('hl7v2/codesystems/0001-administrative-sex.yaml', 'Female: female', 'Female: unknown');
      await until(() => ofType(mapMessage(mapper, blood.raw).bundle, 'Patient')[0]?.gender === 'unknown');
      edit('hl7v2/segments/PID-Patient.yaml', 'resource: Patient', 'resource: patient');
      await until(() => said.length > 0);
      expect(said[0]).toMatch(/PID-Patient\.yaml:\d+.*the last good maps stay/);
    } finally {
      stop();
    }
  });
});

test('an unknown map is refused, an unknown message gets none', async () => {
  const mapper = await createMapper({ folder, logger: silentLogger });
  const message = parse('MSH|^~\\&|A|B|C|D|20260101||ADT^A99|1|P|2.5\r');
  expect(mapper.select(message)).toEqual({ kind: 'none' });
  expect(() => mapper.questions(message, 'nonsense')).toThrow(Refusal);
  expect(mapper.maps).toContain('ORU-R01-mindray-bc');
});

test('the facility’s settings stand in the identifiers', async () => {
  const mapper = await createMapper({
    folder,
    logger: silentLogger,
    facility: { patientSystem: 'https://hospital.example/mrn', timeZone: 'Europe/Berlin' },
  });
  const { bundle } = mapMessage(mapper, blood.raw);
  expect(ofType(bundle, 'Patient')[0]?.identifier?.[0]?.system).toBe('https://hospital.example/mrn');
  expect(ofType(bundle, 'DiagnosticReport')[0]?.effectiveDateTime).toBe('2026-03-02T10:12:14+01:00');
});

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !holds(); tries++) await sleep(25);
  expect(holds()).toBe(true);
}
