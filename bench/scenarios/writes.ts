// Durable writes over REST beside bare SQLite rows: single Observations by 32 clients, and transactions of 500 resources.
import type { MeasuredEngine } from '../engine.ts';
import { bareSqliteRowsPerSecond } from '../limits/bare-sqlite.ts';
import { runLoad, type Load } from '../load/figures.ts';
import { HttpConnection, requestBytes } from '../load/http-connection.ts';
import type { Figure } from '../report.ts';
import { sampleObservation, sampleTransaction } from '../samples.ts';

const limitSeconds = 2;
const bundleSize = 500;

export async function measureCreates(start: () => Promise<MeasuredEngine>): Promise<Figure[]> {
  const clients = 32;
  const body = (made: number): string =>
    JSON.stringify({ ...sampleObservation(`o${made}`, 'Patient/p', made), id: undefined });
  const { load, limit } = await post(start, clients, '/fhir/R4/Observation', 201, body, clients);
  const latencies = `p50 ${load.p50Ms.toFixed(1)} ms, p99 ${load.p99Ms.toFixed(1)} ms`;
  return [
    {
      name: 'durable create of an Observation, 32 clients',
      value: load.perSecond,
      unit: '/s',
      target: 2000,
      better: 'more',
      limit: { name: 'bare SQLite rows/s', value: limit },
      remarks: `${latencies}, ${told(load)}`,
    },
  ];
}

export async function measureTransactions(start: () => Promise<MeasuredEngine>): Promise<Figure[]> {
  const body = (made: number): string => JSON.stringify(sampleTransaction(`t${made}`, bundleSize - 1));
  const { load, limit } = await post(start, 4, '/fhir/R4', 200, body, bundleSize);
  return [
    {
      name: `transaction import, bundles of ${bundleSize}`,
      value: load.perSecond * bundleSize,
      unit: 'resources/s',
      target: 2500,
      better: 'more',
      limit: { name: 'bare SQLite rows/s', value: limit },
      remarks: `p50 ${load.p50Ms.toFixed(0)} ms a bundle, ${told(load)}`,
    },
  ];
}

const told = (load: Load): string =>
  `${load.errors} errors, generator ${(load.generatorCpu * 100).toFixed(0)} % of a core`;

async function post(
  start: () => Promise<MeasuredEngine>,
  clients: number,
  path: string,
  expected: number,
  body: (made: number) => string,
  rowsPerCommit: number,
): Promise<{ load: Load; limit: number }> {
  const engine = await start();
  const headers = {
    authorization: `Bearer ${await engine.token()}`,
    'content-type': 'application/fhir+json',
    prefer: 'return=minimal',
  };
  const connections = Array.from({ length: clients }, () => new HttpConnection(engine.port));
  let made = 0;
  const load = await runLoad(clients, 8, async (client) => {
    const request = requestBytes('POST', path, headers, body(made++));
    return (await connections[client]?.exchange(request))?.status === expected;
  });
  for (const connection of connections) connection.close();
  const limit = bareSqliteRowsPerSecond(rowsPerCommit, limitSeconds, engine.data);
  await engine.stop();
  return { load, limit };
}
