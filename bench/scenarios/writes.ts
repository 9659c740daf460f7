// Durable writes over REST beside bare SQLite rows: single Observations and small transactions by 32 clients, transactions of 500
// resources, and the bundles of Synthea where they lie beside this project.
import { processorSeconds, type MeasuredEngine } from '../engine.ts';
import { bareSqliteRowsPerSecond } from '../limits/bare-sqlite.ts';
import { runLoad, type Load } from '../load/figures.ts';
import { HttpConnection, requestBytes } from '../load/http-connection.ts';
import type { Figure } from '../report.ts';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { sampleObservation, samplePatient, sampleTransaction } from '../samples.ts';

const limitSeconds = 2;
const bundleSize = 500;

export async function measureCreates(start: () => Promise<MeasuredEngine>): Promise<Figure[]> {
  const clients = 32;
  const body = (made: number): string =>
    JSON.stringify({ ...sampleObservation(`o${made}`, 'Patient/p', made), id: undefined });
  const { load, limit, used } = await post(start, clients, '/fhir/R4/Observation', 201, body, clients);
  const latencies = `p50 ${load.p50Ms.toFixed(1)} ms, p99 ${load.p99Ms.toFixed(1)} ms`;
  return [
    {
      name: 'durable create of an Observation, 32 clients',
      value: load.perSecond,
      unit: '/s',
      target: 2000,
      better: 'more',
      limit: { name: 'bare SQLite rows/s', value: limit },
      remarks: `${latencies}, ${told(load, used)}`,
    },
  ];
}

export async function measureTransactions(start: () => Promise<MeasuredEngine>): Promise<Figure[]> {
  const body = (made: number): string => JSON.stringify(sampleTransaction(`t${made}`, bundleSize - 1));
  const { load, limit, used } = await post(start, 4, '/fhir/R4', 200, body, bundleSize);
  return [
    {
      name: `transaction import, bundles of ${bundleSize}`,
      value: load.perSecond * bundleSize,
      unit: 'resources/s',
      target: 4000,
      better: 'more',
      limit: { name: 'bare SQLite rows/s', value: limit },
      remarks: `p50 ${load.p50Ms.toFixed(0)} ms a bundle, ${told(load, used)}`,
    },
  ];
}

export async function measureSmallTransactions(start: () => Promise<MeasuredEngine>): Promise<Figure[]> {
  const clients = 32;
  const body = (made: number): string => JSON.stringify(sampleTransaction(`s${made}`, 1));
  const { load, limit, used, perCommit } = await post(start, clients, '/fhir/R4', 200, body, clients * 2);
  return [
    {
      name: 'durable transaction of a Patient and an Observation, 32 clients',
      value: load.perSecond,
      unit: '/s',
      target: 1800,
      better: 'more',
      limit: { name: 'bare SQLite rows/s', value: limit },
      remarks: `p50 ${load.p50Ms.toFixed(1)} ms, p99 ${load.p99Ms.toFixed(1)} ms, ${told(load, used)}`,
    },
    {
      name: 'the same, in each commit (an fsync)',
      value: perCommit,
      unit: 'transactions',
      target: 5,
      better: 'more',
      remarks: 'as /metrics counts them',
    },
  ];
}

const synthea = join(process.env['SHARED_SAMPLES'] ?? '../shared', 'data', 'synthea');

/** All patients' transactions, again and again for some seconds, by four clients; the base batches before. */
export async function measureSynthea(start: () => Promise<MeasuredEngine>): Promise<Figure[]> {
  if (!existsSync(synthea)) return [];
  const files = readdirSync(synthea).toSorted();
  const texts = files.map((file) => gunzipSync(readFileSync(join(synthea, file))).toString());
  const [base, patients] = [texts.slice(0, 2), texts.slice(2)];
  const sizes = patients.map((text) => (JSON.parse(text) as { entry: unknown[] }).entry.length);
  const engine = await start();
  const headers = {
    authorization: `Bearer ${await engine.token()}`,
    'content-type': 'application/fhir+json',
  };
  const connections = Array.from({ length: 4 }, () => new HttpConnection(engine.port));
  const requests = patients.map((text) => requestBytes('POST', '/fhir/R4', headers, text));
  for (const text of base) {
    await connections[0]?.exchange(requestBytes('POST', '/fhir/R4', headers, text));
  }
  let [sent, resources] = [0, 0];
  const before = processorSeconds(engine.pid);
  const load = await runLoad(connections.length, 10, async (client) => {
    const place = sent++ % requests.length;
    const answer = await connections[client]?.exchange(requests[place] ?? Buffer.alloc(0));
    if (answer?.status !== 200) return false;
    resources += sizes[place] ?? 0;
    return true;
  });
  const used = processorSeconds(engine.pid) - before;
  for (const connection of connections) connection.close();
  await engine.stop();
  return [
    {
      name: 'Synthea patients, bundles of 280-1,450 with conditional references',
      value: (resources / load.requests) * load.perSecond,
      unit: 'resources/s',
      target: 4000,
      better: 'more',
      remarks: `p50 ${load.p50Ms.toFixed(0)} ms a bundle, ${told(load, used)}`,
    },
  ];
}

const told = (load: Load, used: number): string =>
  `${load.errors} errors, engine ${((used / load.requests) * 1e6).toFixed(0)} µs of processor a request, generator ${(load.generatorCpu * 100).toFixed(0)} % of a core`;

async function post(
  start: () => Promise<MeasuredEngine>,
  clients: number,
  path: string,
  expected: number,
  body: (made: number) => string,
  rowsPerCommit: number,
): Promise<{ load: Load; limit: number; used: number; perCommit: number }> {
  const engine = await start();
  const headers = {
    authorization: `Bearer ${await engine.token()}`,
    'content-type': 'application/fhir+json',
    prefer: 'return=minimal',
  };
  const connections = Array.from({ length: clients }, () => new HttpConnection(engine.port));
  const patient = JSON.stringify(samplePatient('p'));
  await connections[0]?.exchange(requestBytes('PUT', '/fhir/R4/Patient/p', headers, patient));
  let made = 0;
  const before = processorSeconds(engine.pid);
  const countsBefore = await commitCounts(engine.port, headers);
  const load = await runLoad(clients, 8, async (client) => {
    const request = requestBytes('POST', path, headers, body(made++));
    return (await connections[client]?.exchange(request))?.status === expected;
  });
  const used = processorSeconds(engine.pid) - before;
  const counts = await commitCounts(engine.port, headers);
  for (const connection of connections) connection.close();
  const limit = bareSqliteRowsPerSecond(rowsPerCommit, limitSeconds, engine.data);
  await engine.stop();
  const commits = counts.commits - countsBefore.commits;
  const perCommit = (counts.transactions - countsBefore.transactions) / Math.max(1, commits);
  return { load, limit, used, perCommit };
}

/** As Prometheus sees them. */
async function commitCounts(
  port: number,
  { authorization }: { readonly authorization: string },
): Promise<{ commits: number; transactions: number }> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization } })).text();
  const read = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  return {
    commits: read('kiungo_store_commits_total'),
    transactions: read('kiungo_store_transactions_total'),
  };
}
