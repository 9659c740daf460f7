// A map that has asked first makes exactly what it makes at once when it is handed the same answers: what it takes over from the run
// that found the questions out, and what it makes again, come to the same.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { hl7Format } from '../../../adapters/hl7/format.ts';
import { writeJson } from '../../../engine/fhir/exact-json.ts';
import type { FhirResource } from '../../../engine/fhir/resource.ts';
import type { Answers, MapResult } from '../../../engine/mapping/mapper.ts';
import type { WireMessage } from '../../../engine/mapping/wire-message.ts';
import { context, goldenPairs, shippedMapper } from '../../support/maps.ts';
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
