// Rules of the simulators: what they send is what the devices send, and a line with faults loses nothing that was acknowledged.
import { describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { hl7Format } from '../../../adapters/hl7/format.ts';
import { createMllpListener } from '../../../adapters/hl7/listener.ts';
import { loadHl7Names } from '../../../adapters/hl7/names.ts';
import {
  createAnalyser,
  type AnalyserFaults,
  type SentResult,
} from '../../../adapters/hl7/simulator/analyser.ts';
import { loadMessageBuilder, patients, type AnalyserKind } from '../../../adapters/hl7/simulator/messages.ts';
import { createWardSystem } from '../../../adapters/hl7/simulator/ward-system.ts';
import type { WireMessage } from '../../../engine/index.ts';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { countingIds, fixedClock, recordingInbox } from './support/recording-inbox.ts';

/** A repeatable source of chance (mulberry32). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function built(kind: AnalyserKind, seed = 1): Promise<WireMessage> {
  const build = await loadMessageBuilder();
  const run = {
    controlId: 'c1',
    sampleId: 'S1',
    at: fixedClock.now(),
    patient: patients[0]!,
    random: chance(seed),
  };
  const { message, issues } = hl7Format.parse(build(kind, run));
  expect(issues).toEqual([]);
  return message!;
}

describe('the messages', () => {
  test.each<[AnalyserKind, string, string[]]>([
    ['mindray-bc', 'ORU^R01', ['MSH', 'PID', 'PV1', 'OBR', 'OBX']],
    ['mindray-bs', 'ORU^R01', ['MSH', 'PID', 'OBR', 'OBX']],
    ['law', 'OUL^R22', ['MSH', 'SPM', 'SAC', 'OBR', 'ORC', 'OBX']],
  ])('%s sends %s', async (kind, type, names) => {
    const message = await built(kind);
    expect(message.type).toBe(type);
    expect([...new Set(message.segments.map(({ name }) => name))]).toEqual(names);
    expect(message.segments[0]!.text(10)).toBe('c1');
    const sample =
      kind === 'mindray-bc'
        ? message.segments[3]!.text(3)
        : message.segments[2]!.text(kind === 'law' ? 3 : 2);
    expect(sample).toBe('S1');
  });

  test('a count is plausible: flags follow the ranges, fractions add up, some platelets are low', async () => {
    let low = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const message = await built('mindray-bc', seed);
      const results = new Map(
        message.segments.filter(({ name }) => name === 'OBX').map((obx) => [obx.text(3, 1, 2), obx]),
      );
      const value = (name: string): number => Number(results.get(name)?.text(5));
      for (const obx of [...results.values()].filter((result) => result.text(2) === 'NM')) {
        const [from = 0, to = 0] = obx.text(7).split('-').map(Number);
        const expected = value(obx.text(3, 1, 2)) < from ? 'L' : value(obx.text(3, 1, 2)) > to ? 'H' : 'N';
        expect(obx.text(8)).toBe(expected);
      }
      const fractions = ['NEU%', 'LYM%', 'MON%', 'EOS%', 'BAS%'].map(value).reduce((sum, part) => sum + part);
      expect(Math.abs(fractions - 100)).toBeLessThan(0.5);
      if (value('PLT') < 100) low += 1;
    }
    expect(low).toBeGreaterThan(3);
    expect(low).toBeLessThan(25);
  });

  test('the sample of the README is the blood count of a patient', () => {
    const raw = readFileSync('adapters/hl7/simulator/samples/blood-count.hl7');
    const { message, issues } = hl7Format.parse(raw);
    const wbc = message!.segments.find((segment) => segment.text(3) === '6690-2')!;
    expect([wbc.text(5), wbc.text(6), wbc.text(8), wbc.text(8, 2)]).toEqual(['2.78', '10*3/uL', 'L', 'N']);
    expect([message!.type, issues, raw.includes('\n'), raw.at(-1)]).toEqual(['ORU^R01', [], false, 0x0d]);
  });
});

describe('an analyser and the port', () => {
  test.each<[rule: string, faults: AnalyserFaults]>([
    ['without faults', {}],
    ['in pieces', { splitBytes: 7 }],
    ['slowly', { splitBytes: 400, slowMs: 2 }],
    ['with noise and duplicates', { garbage: true, duplicateEvery: 3 }],
    ['with connections that break', { dropAckEvery: 4 }],
  ])('%s', async (_, faults) => {
    const inbox = recordingInbox();
    const common = { clock: fixedClock, logger: silentLogger, host: '127.0.0.1' };
    const listener = createMllpListener({ ...common, inbox, port: 0, channel: 'lab', ids: countingIds() });
    const { port } = await listener.start();
    const sent: SentResult[] = [];
    const analyser = createAnalyser({
      ...common,
      port,
      kind: 'mindray-bc',
      everyMs: 5,
      random: chance(2),
      faults,
      onSent: (result) => sent.push(result),
    });
    await analyser.start();
    for (let tries = 0; sent.length < 12 && tries < 1000; tries += 1) await pause(10);
    await analyser.stop();
    await listener.stop();
    const kept = new Set(inbox.arrivals.map(({ raw }) => hl7Format.identify(raw).controlId));
    expect(sent.filter(({ answer, controlId }) => answer === 'AA' && !kept.has(controlId))).toEqual([]);
    expect(analyser.counts()).toMatchObject({ sent: sent.length, refused: 0 });
    expect(analyser.counts().accepted).toBeGreaterThanOrEqual(faults.dropAckEvery === undefined ? 12 : 6);
    const repeated = sent.length - new Set(sent.map(({ controlId }) => controlId)).size;
    expect(repeated > 0).toBe(faults.duplicateEvery !== undefined);
  });
});

describe('send.ts', () => {
  const sample = 'adapters/hl7/simulator/samples/blood-count.hl7';
  const send = async (port: number): Promise<{ code: number; said: string }> => {
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [
        'adapters/hl7/simulator/send.ts',
        sample,
        '--port',
        String(port),
      ]);
      return { code: 0, said: stdout };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, said: stdout + stderr };
    }
  };
  test.each([
    ['AA', 0, 'MSA|AA|BC5150-0001||||0|'],
    ['AE', 1, 'MSA|AE|BC5150-0001|not accepted|||207|'],
  ] as const)('shows %s and ends with %i', async (answer, code, line) => {
    const system = createWardSystem({
      host: '127.0.0.1',
      port: 0,
      clock: fixedClock,
      ids: countingIds(),
      behaviours: [{ answer: [answer] }],
    });
    const { port } = await system.start();
    const result = await send(port);
    await system.stop();
    expect([result.code, result.said.split('\n')[1]]).toEqual([code, line]);
    expect((await send(port)).code).toBe(1);
  });
});

describe('names', () => {
  test('of segments, fields and codes', async () => {
    const names = await loadHl7Names();
    expect(names.field('PID', 3)).toBe('PID-3 Patient Identifier List');
    expect(names.field('ZZZ', 3)).toBe('ZZZ-3');
    expect(names.field('constructor', 3)).toBe('constructor-3');
    expect(names.segment('OBX')).toMatch(/observation/i);
    expect(names.table('0085', '2.5.1')).toContain('F');
    expect([names.table('0085', '9.9'), names.table('9999', '2.5.1')]).toEqual([[], []]);
  });
});
