// Fills a store with the made-up hospital, as the engine itself would store it, before the engine is started over it.
// node bench/fill.ts <data folder> <resources>: keeps it for `BENCH_HOSPITAL=<data folder> npm run bench search`.
import { join } from 'node:path';
import { writeJson } from '../engine/fhir/exact-json.ts';
import type { FhirResource } from '../engine/fhir/resource.ts';
import { silentLogger } from '../engine/kernel/logger.ts';
import { loadSearchIndex } from '../engine/search/load-index.ts';
import { openSqliteStore } from '../engine/storage/sqlite/open.ts';
import type { ResourceWriter } from '../engine/storage/resource-store.ts';
import { resourcesOf, resourcesOfPatient, sharedResources } from './hospital.ts';

/** Patients in one transaction. */
const chunk = 20;
const start = Date.UTC(2026, 0, 1);

/** How many resources it has written. */
export async function fill(data: string, resources: number): Promise<number> {
  const clock = { now: () => Date.now() };
  const store = await openSqliteStore({ file: storeFile(data), clock, logger: silentLogger });
  const index = loadSearchIndex({ zoneOffsetMinutes: 180 });
  let written = 0;
  const write = async (writer: ResourceWriter, resource: object): Promise<void> => {
    const lastUpdated = start + written;
    const stamped = {
      ...resource,
      meta: { versionId: '1', lastUpdated: new Date(lastUpdated).toISOString() },
    };
    const fhir = stamped as unknown as FhirResource & { id: string };
    const body = writeJson(fhir);
    const version = {
      type: fhir.resourceType,
      id: fhir.id,
      version: 1,
      lastUpdated,
      method: 'PUT',
      body,
    } as const;
    await writer.write(version, index.entries(fhir), []);
    written += 1;
  };
  await store.transact(async (transaction) => {
    for (const resource of sharedResources()) await write(transaction.resources, resource);
  });
  const patients = Math.ceil(resources / resourcesOfPatient);
  for (let first = 0; first < patients; first += chunk) {
    await store.transact(async (transaction) => {
      for (let patient = first; patient < Math.min(first + chunk, patients); patient += 1) {
        for (const resource of resourcesOf(patient)) await write(transaction.resources, resource);
      }
    });
  }
  await store.close();
  return written;
}

export const storeFile = (data: string): string => join(data, 'store', 'hospital.sqlite');

if (import.meta.main) {
  const [data, resources = '100000'] = process.argv.slice(2);
  if (data === undefined) throw new Error('node bench/fill.ts <data folder> <resources>');
  const begin = performance.now();
  const written = await fill(data, Number(resources));
  const seconds = (performance.now() - begin) / 1_000;
  process.stdout.write(
    `${written} resources in ${seconds.toFixed(1)} s: ${(written / seconds).toFixed(0)}/s\n`,
  );
}
