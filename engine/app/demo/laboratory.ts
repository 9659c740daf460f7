// The demo's laboratory: three simulated analysers that send over MLLP what the hospital has ordered, and a line for each result.
import type { CodeableConcept, DiagnosticReport } from '@medplum/fhirtypes';
import {
  createAnalyser,
  type Analyser,
  type Sample,
  type SentResult,
} from '../../../adapters/hl7/simulator/analyser.ts';
import type { AnalyserKind, SimulatedPatient } from '../../../adapters/hl7/simulator/messages.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { FhirClient } from './fhir-client.ts';
import { orderBundle } from './order.ts';
import type { Screen } from './screen.ts';

export interface LaboratoryOptions {
  readonly host: string;
  readonly port: number;
  readonly client: FhirClient;
  readonly patients: readonly SimulatedPatient[];
  readonly clock: Clock;
  readonly screen: Screen;
  readonly logger: Logger;
}

export interface Laboratory {
  start(): Promise<void>;
  /** Waits for what is under way. */
  stop(): Promise<void>;
}

interface Bench {
  readonly kind: AnalyserKind;
  readonly name: string;
  readonly result: string;
  readonly everyMs: number;
  readonly test: CodeableConcept;
  readonly specimen: CodeableConcept;
}

const loinc = (code: string, display: string): CodeableConcept => ({
  coding: [{ system: 'http://loinc.org', code, display }],
});
/** HL7 table 0487. */
const specimenType = (code: string, display: string): CodeableConcept => ({
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0487', code, display }],
});

const benches: readonly Bench[] = [
  {
    kind: 'mindray-bc',
    name: 'BC-5380',
    result: 'a blood count',
    everyMs: 6000,
    test: loinc('58410-2', 'CBC panel - Blood by Automated count'),
    specimen: specimenType('BLD', 'Whole blood'),
  },
  {
    kind: 'mindray-bs',
    name: 'BS-200E',
    result: 'a chemistry result',
    everyMs: 10_000,
    test: loinc('24323-8', 'Comprehensive metabolic 2000 panel - Serum or Plasma'),
    specimen: specimenType('SER', 'Serum'),
  },
  {
    kind: 'law',
    name: 'LAW analyser',
    result: 'a viral load',
    everyMs: 14_000,
    test: loinc(
      '20447-9',
      'HIV 1 RNA [#/volume] (viral load) in Serum or Plasma by NAA with probe detection',
    ),
    specimen: specimenType('PLAS', 'Plasma'),
  },
];

const reportLimitMs = 20_000;
const askEveryMs = 250;

export function createLaboratory(options: LaboratoryOptions): Laboratory {
  const stopping = new AbortController();
  const told = new Set<Promise<void>>();
  const analysers = benches.map((bench, position) => {
    const tell = (sent: SentResult): void => {
      const line = tellResult(bench, sent, options, stopping.signal).finally(() => told.delete(line));
      told.add(line);
    };
    return analyserOf(bench, position, options, tell);
  });
  return {
    async start() {
      for (const analyser of analysers) await analyser.start();
    },
    async stop() {
      stopping.abort();
      await Promise.all(analysers.map((analyser) => analyser.stop()));
      await Promise.all(told);
    },
  };
}

function analyserOf(
  bench: Bench,
  position: number,
  options: LaboratoryOptions,
  onSent: (sent: SentResult) => void,
): Analyser {
  const { host, port, clock, logger, patients } = options;
  let turn = position;
  return createAnalyser({
    ...{ host, port, clock, logger, onSent },
    kind: bench.kind,
    everyMs: bench.everyMs,
    random: Math.random,
    nextSample: () => {
      turn += 1;
      return orderSample(bench, position, patients[turn % patients.length], options);
    },
  });
}

/** A doctor orders the test; the sample then stands in the analyser. */
async function orderSample(
  { test, specimen, name }: Bench,
  position: number,
  patient: SimulatedPatient | undefined,
  { client, clock, screen }: LaboratoryOptions,
): Promise<Sample | undefined> {
  if (patient === undefined) return undefined;
  const at = new Date(clock.now()).toISOString();
  // A second and an analyser make one barcode: yyMMddHHmmss and the place of the analyser.
  const sampleId = `${at.replaceAll(/\D/g, '').slice(2, 14)}${position + 1}`;
  try {
    await client.transact(orderBundle({ patientNumber: patient.id, barcode: sampleId, test, specimen, at }));
    return { sampleId, patient };
  } catch (error) {
    screen.say(`an order for ${name} could not be made: ${messageOf(error)}`);
    return undefined;
  }
}

async function tellResult(
  { name, result }: Bench,
  { sampleId, answer }: SentResult,
  { client, clock, screen }: LaboratoryOptions,
  stopping: AbortSignal,
): Promise<void> {
  const sent = `${name} sent ${result} for barcode ${sampleId} → ${answer}`;
  const query = `DiagnosticReport?specimen.identifier=urn:kiungo:barcode|${sampleId}`;
  const until = clock.now() + reportLimitMs;
  while (!stopping.aborted && clock.now() < until) {
    const [report] = await client.search<DiagnosticReport>(query).catch(() => []);
    if (report !== undefined) {
      screen.say(`${sent} → ${shortly(report)}`);
      return;
    }
    await new Promise((done) => setTimeout(done, askEveryMs));
  }
  screen.say(`${sent} → no report yet: see /admin/messages`);
}

function shortly({ id = '', status, subject, result = [], meta }: DiagnosticReport): string {
  const critical = meta?.tag?.some(({ code }) => code === 'critical') ? ', CRITICAL' : '';
  const results = result.length === 1 ? '1 result' : `${result.length} results`;
  return `${status} report DiagnosticReport/${id} of ${subject?.reference ?? 'nobody'}, ${results}${critical}`;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'no reason given');
