// The power is cut at random moments while several clients write transactions: each one that was acknowledged is whole, each other one
// whole or absent, and the index agrees with the resources; and while what is stored is indexed again. KIUNGO_TEST_KILLS makes it longer; KIUNGO_TEST_REPORT=1 says how far it came.
import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import type { Bundle } from '@medplum/fhirtypes';
import { newDataFolder, startEngine, type RunningEngine } from '../support/engine-process.ts';
import { ledgerClient, takeStock, transactUntilCut, wholeOf } from '../support/ledger-client.ts';

const kills = Number(process.env['KIUNGO_TEST_KILLS'] ?? 3);
const report = (text: string): void => {
  if (process.env['KIUNGO_TEST_REPORT'] === '1') process.stderr.write(`${text}\n`);
};

/** What `kiungo check` says of the data of an engine that does not run. */
function checked(data: string): string {
  const env = { PATH: process.env['PATH'], KIUNGO_DATA: data };
  return spawnSync(process.execPath, ['engine/app/kiungo.ts', 'check'], { env, encoding: 'utf8' }).stdout;
}

const agrees = 'The store agrees with itself.\n';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function total(engine: RunningEngine, search: string): Promise<number | undefined> {
  return ((await (await engine.fetch(`/fhir/R4/${search}`)).json()) as Bundle).total;
}

test(
  `after ${kills} power cuts under transactions each is whole or absent`,
  async () => {
    const data = newDataFolder();
    const clients = ['a', 'b', 'c', 'd'].map(ledgerClient);
    let undecided = 0;
    for (let cut = 0; cut < kills; cut += 1) {
      const engine = await startEngine(data);
      for (const client of clients) {
        const { acknowledged } = client;
        expect(await takeStock(engine, client)).toEqual([]);
        undecided += client.acknowledged - acknowledged;
      }
      const writing = clients.map((client) => transactUntilCut(engine, client));
      await pause(200 + Math.random() * 1_500);
      await engine.kill();
      await Promise.all(writing);
      expect(checked(data)).toBe(agrees);
    }
    const engine = await startEngine(data);
    for (const client of clients) expect(await takeStock(engine, client)).toEqual([]);
    const { observations, patients } = wholeOf(clients);
    expect(await total(engine, 'Observation?_total=accurate&_count=1')).toBe(observations);
    expect(await total(engine, 'Patient?_total=accurate&_count=1')).toBe(patients);
    await engine.stop();
    const transactions = clients.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    report(`${kills} kills, ${transactions} transactions, ${undecided} kept that were not acknowledged`);
    expect(transactions).toBeGreaterThan(kills * clients.length);
  },
  60_000 + kills * 30_000,
);

const ward = 'urn:test:ward';

const patients = (from: number, count: number): Bundle => ({
  resourceType: 'Bundle',
  type: 'transaction',
  entry: Array.from({ length: count }, (_, place) => ({
    resource: {
      resourceType: 'Patient',
      id: `p${from + place}`,
      extension: [{ url: ward, valueString: 'Kaloleni' }],
    },
    request: { method: 'PUT', url: `Patient/p${from + place}` },
  })),
});

const searchParameter = {
  resourceType: 'SearchParameter',
  id: 'ward',
  url: 'http://example.org/fhir/SearchParameter/ward',
  status: 'active',
  code: 'ward',
  base: ['Patient'],
  type: 'string',
  expression: `Patient.extension('${ward}').value.ofType(string)`,
};

async function send(engine: RunningEngine, method: string, path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/fhir+json' };
  const response = await engine.fetch(`/fhir/R4${path}`, { method, headers, body: JSON.stringify(body) });
  expect([method, path, response.status < 300]).toEqual([method, path, true]);
  await response.text();
}

/** How many are found, and whether the answer says that this may not be all. */
async function foundByWard(engine: RunningEngine): Promise<readonly [number | undefined, boolean]> {
  const response = await engine.fetch('/fhir/R4/Patient?ward=kaloleni&_total=accurate&_count=1');
  const { total: found, entry = [] } = (await response.json()) as Bundle;
  const issues = entry.flatMap(({ resource }) =>
    resource?.resourceType === 'OperationOutcome' ? resource.issue : [],
  );
  return [found, issues.some(({ code }) => code === 'incomplete')];
}

test(
  'after power cuts while a new SearchParameter is indexed it finds everything, and says so until then',
  async () => {
    const data = newDataFolder();
    const count = 8_000;
    const first = await startEngine(data);
    for (let from = 0; from < count; from += 1_000) await send(first, 'POST', '', patients(from, 1_000));
    await send(first, 'PUT', '/SearchParameter/ward', searchParameter);
    await pause(Math.random() * 400);
    await first.kill();
    let cuts = 1;
    let least = 0;
    let engine = await startEngine(data);
    for (;;) {
      await pause(200 + Math.random() * 400);
      const [found = 0, saysUnfinished] = await foundByWard(engine);
      if (!saysUnfinished) expect(found).toBe(count);
      expect(found).toBeGreaterThanOrEqual(least);
      least = found;
      if (!saysUnfinished) break;
      if (cuts >= kills) continue;
      await engine.kill();
      engine = await startEngine(data);
      cuts += 1;
    }
    await engine.stop();
    report(`${cuts} kills while ${count} resources were indexed again`);
    expect(checked(data)).toBe(agrees);
  },
  60_000 + kills * 30_000,
);
