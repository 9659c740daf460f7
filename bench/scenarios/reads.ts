// Read by id, signed in, beside bare Express that answers a ready-made body of the same size.
import { startLimit, type MeasuredEngine } from '../engine.ts';
import { runLoad, type Load } from '../load/figures.ts';
import { HttpConnection, requestBytes } from '../load/http-connection.ts';
import type { Figure } from '../report.ts';
import { samplePatient } from '../samples.ts';

const clients = 16;
const seconds = 5;
const patients = 1000;
const rounds = 3;

export async function measureReads(start: () => Promise<MeasuredEngine>): Promise<Figure[]> {
  const engine = await start();
  const authorization = `Bearer ${await engine.token()}`;
  await seed(engine.port, authorization);
  const limit = await startLimit('bench/limits/bare-express.ts');
  const measured: { ours: Load; bare: Load; share: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const bare = await load(limit.port, {});
    const ours = await load(engine.port, { authorization });
    measured.push({ ours, bare, share: (ours.perSecond / bare.perSecond) * 100 });
  }
  limit.stop();
  await engine.stop();
  return measured
    .sort((a, b) => a.share - b.share)
    .slice(1, 2)
    .map(figureOf);
}

const figureOf = ({ ours, bare, share }: { ours: Load; bare: Load; share: number }): Figure => ({
  name: 'read by id, signed in, 16 clients',
  value: share,
  unit: '% of bare Express',
  target: 60,
  better: 'more',
  limit: { name: 'bare Express/s', value: bare.perSecond },
  remarks: `${ours.perSecond.toFixed(0)}/s, p50 ${ours.p50Ms.toFixed(2)} ms, p99 ${ours.p99Ms.toFixed(2)} ms, ${ours.errors} errors, generator ${(ours.generatorCpu * 100).toFixed(0)} % of a core`,
});

async function seed(port: number, authorization: string): Promise<void> {
  const connection = new HttpConnection(port);
  for (let place = 0; place < patients; place += 1) {
    const body = JSON.stringify(samplePatient(`p${place}`));
    const headers = { authorization, 'content-type': 'application/fhir+json' };
    await connection.exchange(requestBytes('PUT', `/fhir/R4/Patient/p${place}`, headers, body));
  }
  connection.close();
}

async function load(port: number, headers: Readonly<Record<string, string>>): Promise<Load> {
  const requests = Array.from({ length: patients }, (_, place) =>
    requestBytes('GET', `/fhir/R4/Patient/p${place}`, headers),
  );
  const connections = Array.from({ length: clients }, () => new HttpConnection(port));
  let turn = 0;
  const result = await runLoad(clients, seconds, async (client) => {
    turn = (turn + 7) % patients;
    const request = requests[turn];
    const connection = connections[client];
    if (request === undefined || connection === undefined) return false;
    return (await connection.exchange(request)).status === 200;
  });
  for (const connection of connections) connection.close();
  return result;
}
