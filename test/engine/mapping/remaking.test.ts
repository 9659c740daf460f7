// A map that has asked first makes exactly what it makes at once when it is handed the same answers: what it takes over from the run
// that found the questions out, and what it makes again, come to the same.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { hl7Format } from '../../../adapters/hl7/format.ts';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { createMapper } from '../../../engine/mapping/create-mapper.ts';
import { writeJson } from '../../../engine/fhir/exact-json.ts';
import type { FhirResource } from '../../../engine/fhir/resource.ts';
import type { Answers, MapResult } from '../../../engine/mapping/mapper.ts';
import type { WireMessage } from '../../../engine/mapping/wire-message.ts';
import { context, goldenPairs, parse, shippedMapper } from '../../support/maps.ts';
import { sharedFolder } from '../../support/shared.ts';

const mapper = await shippedMapper();
const pairs = goldenPairs();

function samples(): readonly (readonly [name: string, raw: Buffer, answers: Answers])[] {
  const folder = sharedFolder('samples/lab/hl7');
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.hl7')) : [];
  return [
    ...pairs.map(({ name, raw, answers }) => [name, raw, answers] as const),
    ...files.map((file) => [file, readFileSync(resolve(folder, file)), {}] as const),
  ];
}

const textOf = ({ bundle, issues }: MapResult): string => writeJson({ bundle, issues });

/** Other answers that the store could give: what was made before is there, changed or not; each question finds something, or two. */
function answersTo(message: WireMessage, map: string, answers: Answers): readonly Answers[] {
  const stored = storedOf(mapper.map(message, map, {}, context));
  const released = Object.fromEntries(
    Object.entries(stored).map(([name, of]) => [name, of.map((one) => ({ ...one, status: 'final' }))]),
  );
  const asked = mapper.questions(message, map).filter(({ name }) => !name.startsWith('earlier:'));
  const found = asked.flatMap(({ name, type }) => [
    { ...answers, [name]: [known(type, 'one')] },
    { ...stored, [name]: [known(type, 'one'), known(type, 'two')] },
  ]);
  const all = Object.fromEntries(asked.map(({ name, type }) => [name, [known(type, 'one')]]));
  return [answers, stored, released, { ...answers, ...stored }, { ...all, ...answers }, ...found];
}

const known = (resourceType: string, id: string): FhirResource => ({
  resourceType,
  id,
  status: 'active',
  subject: { reference: `Patient/${id}` },
});

function storedOf({ bundle }: MapResult): Answers {
  const stored: Record<string, FhirResource[]> = {};
  for (const { resource } of bundle?.entry ?? []) {
    if (resource === undefined) continue;
    (stored[`earlier:${resource.resourceType}`] ??= []).push(resource as unknown as FhirResource);
  }
  return stored;
}

describe('asked first and answered, a map makes what it makes at once', () => {
  test.each(samples())('%s', (_name, raw, answers) => {
    const { message } = hl7Format.parse(raw);
    const selection = message && mapper.select(message);
    if (message === undefined || selection?.kind !== 'map') return;
    const { name: map } = selection;
    const others = pairs.slice(0, 5).map((pair) => pair.answers);

    for (const given of [...answersTo(message, map, answers), ...others]) {
      const asking = mapper.ask(message, map, context);
      const made = textOf(mapper.map(message, map, given, context));
      expect(textOf(asking.answered(given))).toBe(made);
      // What was taken over is still whole.
      expect(textOf(asking.answered(given))).toBe(made);
    }
  });
});

test('also where a definition looks at what steps have found out, which none of the shipped ones does', async () => {
  const overlays = mkdtempSync(join(tmpdir(), 'kiungo-remaking-'));
  const files = {
    'operator.yaml': ['changes: hl7v2/messages/ORU-R01', 'set: { define: { operator: = $subject } }'],
    // The definition is used twice, so that the second time what it came to is known.
    'method.yaml': [
      'changes: hl7v2/segments/OBX-Observation',
      'set: { elements: { method: { text: = $operator } } }',
    ],
  };
  for (const [file, lines] of Object.entries(files)) {
    writeFileSync(join(overlays, file), ['source: a test', ...lines].join('\n'));
  }
  const changed = await createMapper({ folder: resolve('mappings'), overlays, logger: silentLogger });
  rmSync(overlays, { recursive: true });
  const order = 'OBR|1|B1||FBC^Full blood count|||20260412';
  const results = [1, 2, 3].map((place) => `OBX|${place}|NM|WBC^WBC||${place}.2|10*9/L|||||F`);
  const head = ['MSH|^~\\&|LIS|LAB|||20260412||ORU^R01|1|P|2.5', 'PID|1||P1^^^KCH^MR||Odhiambo^Grace'];
  const message = parse([...head, order, ...results].join('\r'));

  for (const given of [{}, { 'patient#patient1': [known('Patient', 'one')] }]) {
    const made = textOf(changed.map(message, 'ORU-R01', given, context));
    expect(textOf(changed.ask(message, 'ORU-R01', context).answered(given))).toBe(made);
    expect(made).toContain('"method":{"text"');
  }
});
