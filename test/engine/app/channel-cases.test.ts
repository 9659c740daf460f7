// Cases of channels: those that hold pass, and one that does not says what is otherwise.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { runCaseFiles } from '../../../engine/app/channel-cases.ts';
import { countingIds, steppedClock } from '../fixed-parts.ts';

const parts = {
  clock: steppedClock('2026-11-21T12:00:00Z'),
  ids: countingIds(),
  mappings: resolve('mappings'),
  timeZone: 'Africa/Nairobi',
};

async function run(path: string): Promise<{ readonly failed: number; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const failed = await runCaseFiles([path], parts, (line) => lines.push(line));
  return { failed, lines };
}

test('the cases of a channel hold', async () => {
  const { failed, lines } = await run('test/cases/channels');
  expect([failed, lines.filter((line) => !line.startsWith('ok'))]).toEqual([0, []]);
  expect(lines).toHaveLength(4);
});

async function runText(text: string): ReturnType<typeof run> {
  const folder = mkdtempSync(join(tmpdir(), 'kiungo-cases-'));
  try {
    writeFileSync(join(folder, 'one.yaml'), text);
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const wrong = (then: string): string => `
case: a result
channel: { name: lab, source: { kind: http }, destinations: [{ name: lis, to: { kind: file, folder: x } }] }
when: |
  MSH|^~\\&|BC-5380|Mindray|||20260112083000||ORU^R01|C1|P|2.3.1||||||UNICODE
  PID|1||7393670^^^^MR||Otieno^Achieng||19870412000000|Female
  OBR|1||2611210001|00001^Automated Count^99MRC|||20260112083000|||||||||||||||||HM||||||||Technician
  OBX|1|NM|718-7^HGB^LN||12.10|g/dL|11.0-16.0|N|||F
then: ${then}
`;

test.each([
  ['{ acknowledgement: CA }', 'acknowledgement: expected CA, found AA'],
  ['{ state: dead }', 'state: expected dead, found processed'],
  ['{ deliveries: [] }', 'deliveries: expected , found lis'],
  ['{ deliveries: [{ destination: lis, contains: [ZZZ] }] }', 'delivery to lis lacks: ZZZ'],
  ['{ resources: [{ resourceType: Encounter }] }', 'no Encounter as expected: the message made none'],
  [
    "{ resources: [{ resourceType: Observation, valueQuantity: { value: '12.1' } }] }",
    'no Observation as expected: in the first of 1, valueQuantity.value is 12.10, not "12.1"',
  ],
])('%s fails and says so', async (then, problem) => {
  const { failed, lines } = await runText(wrong(then));
  expect([failed, lines[0], lines[1]?.trim()]).toEqual([1, 'FAIL a result', problem]);
});

test('what is no case is refused with its place', async () => {
  await expect(runText(wrong('{ colour: red }'))).rejects.toThrow('the case/then');
});
