// What the others feel of one transaction of 20,000 entries: reads by id, creates, and acknowledgements of MLLP messages, each by one
// client that asks every 20 ms. What counts is the longest wait.
import type { MeasuredEngine } from '../engine.ts';
import { HttpConnection, requestBytes } from '../load/http-connection.ts';
import { MllpConnection } from '../load/mllp-connection.ts';
import type { Figure } from '../report.ts';
import { sampleObservation, sampleOru, samplePatient, sampleTransaction } from '../samples.ts';

const entries = 20_000;
const everyMs = 20;
/** Longest waits. */
const mostForReads = 50;
const mostForWrites = 250;

interface Asking {
  readonly name: string;
  readonly target: number;
  /** Answers whether it went well. */
  readonly once: (number: number) => Promise<boolean>;
}

interface Waits {
  readonly asking: Asking;
  readonly waits: readonly number[];
  readonly errors: number;
}

export async function measureBeside(start: () => Promise<MeasuredEngine>): Promise<Figure[]> {
  const engine = await start();
  const headers = {
    authorization: `Bearer ${await engine.token()}`,
    'content-type': 'application/fhir+json',
    prefer: 'return=minimal',
  };
  const connections = Array.from({ length: 3 }, () => new HttpConnection(engine.port));
  const [large, reading, creating] = connections as [HttpConnection, HttpConnection, HttpConnection];
  const mllp = new MllpConnection(engine.mllpPort);
  const patient = JSON.stringify(samplePatient('p'));
  await large.exchange(requestBytes('PUT', '/fhir/R4/Patient/p', headers, patient));
  const asked = askings(headers, reading, creating, mllp);
  await transact(large, headers, 'warm', 2_000);
  await besides(asked, new Promise((wait) => setTimeout(wait, 2_000)));
  const begin = performance.now();
  let tookMs = 0;
  const transaction = transact(large, headers, 'large', entries).then(() => {
    tookMs = performance.now() - begin;
  });
  const figures = (await besides(asked, transaction)).map((waits) => figureOf(waits, tookMs));
  for (const connection of [...connections, mllp]) connection.close();
  await engine.stop();
  return figures;
}

function askings(
  headers: Readonly<Record<string, string>>,
  reading: HttpConnection,
  creating: HttpConnection,
  mllp: MllpConnection,
): readonly Asking[] {
  const read = requestBytes('GET', '/fhir/R4/Patient/p', headers);
  const create = (number: number): Buffer => {
    const body = JSON.stringify({ ...sampleObservation(`b${number}`, 'Patient/p', number), id: undefined });
    return requestBytes('POST', '/fhir/R4/Observation', headers, body);
  };
  return [
    {
      name: 'read by id',
      target: mostForReads,
      once: async () => (await reading.exchange(read)).status === 200,
    },
    {
      name: 'create',
      target: mostForWrites,
      once: async (number) => (await creating.exchange(create(number))).status === 201,
    },
    {
      name: 'acknowledgement of a message',
      target: mostForWrites,
      once: (number) => mllp.send(sampleOru(`b${number}`, `b${number}-${Math.random()}`)),
    },
  ];
}

async function transact(
  connection: HttpConnection,
  headers: Readonly<Record<string, string>>,
  id: string,
  size: number,
): Promise<void> {
  const body = JSON.stringify(sampleTransaction(id, size - 1));
  const { status } = await connection.exchange(requestBytes('POST', '/fhir/R4', headers, body));
  if (status !== 200) throw new Error(`the transaction of ${size} was answered with ${status}`);
}

/** All of them at the same time, until the end and a little longer. */
async function besides(asked: readonly Asking[], end: Promise<void>): Promise<readonly Waits[]> {
  let isOver = false;
  const ended = end.finally(() => (isOver = true));
  const all = await Promise.all(asked.map((asking) => ask(asking, () => isOver)));
  await ended;
  return all;
}

async function ask(asking: Asking, isOver: () => boolean): Promise<Waits> {
  const waits: number[] = [];
  let errors = 0;
  while (!isOver()) {
    const begin = performance.now();
    if (!(await asking.once(waits.length))) errors += 1;
    waits.push(performance.now() - begin);
    await new Promise((wait) => setTimeout(wait, Math.max(0, begin + everyMs - performance.now())));
  }
  return { asking, waits: waits.toSorted((a, b) => a - b), errors };
}

function figureOf({ asking, waits, errors }: Waits, tookMs: number): Figure {
  const at = (share: number): string => (waits[Math.floor(waits.length * share)] ?? 0).toFixed(1);
  return {
    name: `${asking.name} beside a transaction of ${entries}, longest wait`,
    value: waits.at(-1) ?? 0,
    unit: 'ms',
    target: asking.target,
    better: 'less',
    remarks: `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms of ${waits.length}, ${errors} errors; the transaction took ${(tookMs / 1_000).toFixed(1)} s`,
  };
}
