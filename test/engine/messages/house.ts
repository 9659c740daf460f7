// A house to test in: the real store on a file of its own, the real repository, search and HL7 format; a clock that is set by hand, ids
// that count, and a small map whose behaviour the message itself asks for.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bundle } from '@medplum/fhirtypes';
import { hl7Format } from '../../../adapters/hl7/format.ts';
import type { Actor } from '../../../engine/kernel/actor.ts';
import { silentLogger, type Logger } from '../../../engine/kernel/logger.ts';
import { conflict } from '../../../engine/kernel/outcomes.ts';
import type { Answers, MapResult, Mapper, Question } from '../../../engine/mapping/mapper.ts';
import type { WireMessage, WireSegment } from '../../../engine/mapping/wire-message.ts';
import { createFormats, type Formats } from '../../../engine/messages/formats.ts';
import { createInbox, type InboxOptions, type StoppableInbox } from '../../../engine/messages/inbox.ts';
import {
  createProcessor,
  type Processor,
  type ProcessorOptions,
} from '../../../engine/messages/processor.ts';
import { createRepository } from '../../../engine/repository/create-repository.ts';
import type { Repository } from '../../../engine/repository/repository.ts';
import { loadSearchIndex } from '../../../engine/search/load-index.ts';
import type { SearchIndex } from '../../../engine/search/search-index.ts';
import type { MessageRecord } from '../../../engine/storage/message-store.ts';
import { openSqliteStore } from '../../../engine/storage/sqlite/open.ts';
import type { Store } from '../../../engine/storage/store.ts';

export const administrator: Actor = { kind: 'user', id: 'amina', scopes: ['admin', 'system/*.cruds'] };

const index = loadSearchIndex();

export interface House {
  readonly clock: { now(): number; advance(ms: number): void };
  readonly ids: { next(): string; secret(bytes: number): string };
  readonly store: Store;
  readonly logger: Logger;
  readonly index: SearchIndex;
  readonly repository: Repository;
  readonly formats: Formats;
  /** While true, a message whose OBX-5 is BUSY meets a passing trouble. */
  readonly trouble: { busy: boolean };
  readonly mapper: Mapper;
  inbox(options?: Partial<InboxOptions>): StoppableInbox;
  processor(options?: Partial<ProcessorOptions>): Processor;
  messages(): Promise<readonly MessageRecord[]>;
  /** The states by control id. */
  states(): Promise<Readonly<Record<string, string>>>;
  versions(reference: string): Promise<number>;
  /** As after a power cut: what is durable is there again, nothing else. */
  reopened(): Promise<House>;
  close(): Promise<void>;
}

/** `referentialIntegrity`: off where a case is not about what its resources refer to. */
export async function openHouse(
  folder = mkdtempSync(join(tmpdir(), 'kiungo-')),
  referentialIntegrity = true,
): Promise<House> {
  const clock = handClock();
  const ids = countingIds();
  const store = await openSqliteStore({ file: join(folder, 'kiungo.db'), clock, logger: silentLogger });
  const parts = { store, index, clock, ids, logger: silentLogger };
  const repository = createRepository({
    ...parts,
    base: () => 'http://localhost/fhir/R4',
    referentialIntegrity,
  });
  const formats = createFormats([hl7Format]);
  const trouble = { busy: false };
  const mapper = testMapper(trouble);
  const messages = async (): Promise<readonly MessageRecord[]> =>
    (await store.messages.messages({ limit: 1_000, offset: 0 })).items;
  return {
    ...parts,
    repository,
    formats,
    trouble,
    mapper,
    messages,
    inbox: (options) => createInbox({ ...parts, formats, wake: () => undefined, ...options }),
    processor: (options) =>
      createProcessor({
        ...parts,
        repository,
        messages: store.messages,
        formats,
        mapper,
        pollMs: 5,
        ...options,
      }),
    states: async () => Object.fromEntries((await messages()).map((one) => [one.controlId, one.state])),
    versions: async (reference) => {
      const [type = '', id = ''] = reference.split('/');
      return (await store.resources.read(type, id))?.version ?? 0;
    },
    reopened: async () => {
      await store.close();
      return openHouse(folder, referentialIntegrity);
    },
    close: async () => {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function handClock(): House['clock'] {
  let now = Date.UTC(2026, 10, 21, 12);
  return { now: () => now, advance: (ms) => void (now += ms) };
}

function countingIds(): House['ids'] {
  let count = 0;
  const run = Math.random().toString(36).slice(2, 8);
  return {
    next: () => `id-${run}-${String((count += 1)).padStart(6, '0')}`,
    secret: (bytes) => `s${String((count += 1)).padStart(Math.ceil((bytes * 4) / 3) - 1, '0')}`,
  };
}

/** Waits until a claim holds, or says that it never did. */
export async function until(claim: () => boolean | Promise<boolean>, ms = 5_000): Promise<void> {
  for (let waited = 0; waited < ms; waited += 5) {
    if (await claim()) return;
    await sleep(5);
  }
  throw new Error('what was waited for has not come true');
}

export interface MessageParts {
  readonly type?: string;
  readonly controlId?: string;
  /** MSH-15 and MSH-16. */
  readonly wishes?: readonly [string, string];
  readonly specimen?: string;
  readonly value?: string;
}

/** An ORU^R01 of one result, unless told otherwise. */
export function hl7({
  type = 'ORU^R01',
  controlId = '1',
  wishes = ['', ''],
  specimen = 'S1',
  value = '2.780',
}: MessageParts = {}): Buffer {
  const segments = [
    `MSH|^~\\&|BC-5380|Mindray|LIS|Ward|20261121120000||${type}|${controlId}|P|2.3.1|||${wishes.join('|')}||UNICODE`,
    'PID|1||7393670^^^^MR||Otieno^Achieng',
    `OBR|1||${specimen}|00001^Automated Count^99MRC`,
    `OBX|1|NM|6690-2^WBC^LN||${value}|10*3/uL`,
  ];
  return Buffer.from(`${segments.join('\r')}\r`);
}

export const arrivalOf = (
  raw: Uint8Array,
  channel = 'lab',
): { channel: string; peer: string; mediaType: string; raw: Uint8Array } => ({
  channel,
  peer: '10.0.0.7:49152',
  mediaType: 'application/hl7-v2',
  raw,
});

/** MSA-1 and MSA-2 of each answer: `AA 1`. */
export const msa = (answers: readonly Uint8Array[]): readonly string[] =>
  answers.map((answer) => {
    const [, code, controlId] = /\rMSA\|(\w\w)\|([^|\r]*)/.exec(Buffer.from(answer).toString('latin1')) ?? [];
    return `${code} ${controlId}`;
  });

function testMapper(trouble: { readonly busy: boolean }): Mapper {
  const mapped = (message: WireMessage, answers: Answers): MapResult => {
    const value = segment(message, 'OBX').text(5);
    if (value === 'DEFECT') throw new TypeError('cannot read a property of undefined');
    if (value === 'BUSY' && trouble.busy) throw conflict('somebody else is writing this');
    return resultOf(message, value, answers['patient']?.[0]?.id ?? 'pat-1');
  };
  return {
    maps: ['test-result'],
    select: ({ type }) => {
      if (type === 'ORU^R01') return { kind: 'map', name: 'test-result' };
      if (type !== 'QBP^Q11') return { kind: 'none' };
      return { kind: 'set-aside', disposition: { code: 'query', text: 'a query is answered by a flow' } };
    },
    questions: questionsOf,
    ask: (message) => ({
      questions: questionsOf(message),
      answered: (answers) => mapped(message, answers),
    }),
    map: (message, _map, answers) => mapped(message, answers),
  };
}

const questionsOf = (message: WireMessage): readonly Question[] => [
  { name: 'patient', type: 'Patient', query: `identifier=urn:test|${segment(message, 'PID').text(3)}` },
];

function resultOf(message: WireMessage, value: string, patient: string): MapResult {
  const specimen = segment(message, 'OBR').text(3);
  const errors = { severity: 'error', code: 'bad-value', text: 'no value', place: 'OBX[1]-5' } as const;
  if (value === 'BAD') return { bundle: undefined, issues: [errors], trace: [], unmapped: ['OBX[1]-5'] };
  if (value === 'NOTHING') return { bundle: undefined, issues: [], trace: [], unmapped: [] };
  const subject = value === 'DANGLING' ? 'Patient/nobody' : `Patient/${patient}`;
  const resources = [
    {
      resourceType: 'Patient',
      id: patient,
      identifier: [{ system: 'urn:test', value: segment(message, 'PID').text(3) }],
    },
    {
      resourceType: 'Observation',
      id: `obs-${specimen}`,
      status: 'preliminary',
      code: { coding: [{ system: 'http://loinc.org', code: '6690-2' }] },
      subject: { reference: subject },
      valueString: value === 'EMPTY' ? '' : value,
    },
  ];
  const entry = resources.map((resource) => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }));
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry } as unknown as Bundle;
  const trace = [{ from: 'OBX[1]-5', to: 'Observation.valueString', rule: 'test-result#1' }];
  return { bundle, issues: [], trace, unmapped: ['OBX[1]-6'] };
}

function segment(message: WireMessage, name: string): WireSegment {
  const found = message.segments.find((one) => one.name === name);
  if (found === undefined) throw new Error(`the test message has no ${name}`);
  return found;
}
