// The synthetic hospital of Synthea, as a client loads it over REST with referential integrity on: two batches of organisations and
// practitioners, then twenty patients as transactions that refer to them by searches. What can be counted is what was in the files.
import { readdirSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startEngine, type RunningEngine } from '../support/engine-process.ts';
import { noteForPatient, syntheaCounts, type SyntheaResource } from '../support/synthea-counts.ts';
import { describeWithSamples, sharedFile, sharedFolder } from '../support/shared.ts';

interface Resource {
  readonly resourceType: string;
  readonly id?: string;
  readonly [element: string]: unknown;
}
interface Bundle {
  readonly entry: readonly {
    readonly fullUrl?: string;
    readonly resource: Resource;
    readonly response?: { readonly status: string; readonly location: string };
  }[];
}

const textOf = (file: string): string => gunzipSync(sharedFile(`data/synthea/${file}`)).toString();

describeWithSamples('the Synthea bundles', () => {
  let engine: RunningEngine;
  const sent: Bundle[] = [];
  const answered: Bundle[] = [];

  beforeAll(async () => {
    engine = await startEngine();
    for (const file of readdirSync(sharedFolder('data/synthea')).toSorted()) {
      const body = textOf(file);
      const headers = { 'content-type': 'application/fhir+json' };
      const response = await engine.fetch('/fhir/R4', { method: 'POST', headers, body });
      if (response.status !== 200) throw new Error(`${file}: ${await response.text()}`);
      sent.push(JSON.parse(body) as Bundle);
      answered.push((await response.json()) as Bundle);
    }
  }, 180_000);
  afterAll(async () => {
    await engine.stop();
  }, 60_000);

  const resources = (): readonly Resource[] =>
    sent.flatMap(({ entry }) => entry.map(({ resource }) => resource));
  const totalOf = async (query: string): Promise<number> => {
    const page = query.includes('?') ? `${query}&_summary=count` : `${query}?_summary=count`;
    return ((await (await engine.fetch(`/fhir/R4/${page}`)).json()) as { total: number }).total;
  };

  test('every entry was created', () => {
    const statuses = answered.flatMap(({ entry }) => entry.map(({ response }) => response?.status));
    expect(statuses).toHaveLength(11_243);
    expect(new Set(statuses)).toEqual(new Set(['201 Created']));
  });

  test('there are as many resources of each type as in the files', async () => {
    const counts = Map.groupBy(resources(), ({ resourceType }) => resourceType);
    const expected = Object.fromEntries([...counts].map(([type, all]) => [type, all.length]));
    const found = await Promise.all(
      Object.keys(expected).map(async (type) => [type, await totalOf(type)] as const),
    );
    expect(Object.fromEntries(found)).toEqual(expected);
  });

  test('each patient has as many observations, encounters and claims as in its file', async () => {
    for (const [place, { entry }] of sent.entries()) {
      const patient = entry.findIndex(({ resource }) => resource.resourceType === 'Patient');
      if (patient < 0) continue;
      const [type, id] = (answered[place]?.entry[patient]?.response?.location ?? '').split('/');
      const count = (wanted: string): number =>
        entry.filter(({ resource }) => resource.resourceType === wanted).length;
      for (const wanted of ['Observation', 'Encounter', 'Claim']) {
        expect([place, wanted, await totalOf(`${wanted}?patient=${type}/${id}`)]).toEqual([
          place,
          wanted,
          count(wanted),
        ]);
      }
    }
  });

  test('conditional references went to the practitioner with that number', async () => {
    const reference = (resource: Resource): string | undefined =>
      (resource['participant'] as [{ individual?: { reference?: string } }] | undefined)?.[0].individual
        ?.reference;
    const encounters = resources().filter(({ resourceType }) => resourceType === 'Encounter');
    const byNumber = Map.groupBy(encounters.flatMap((one) => reference(one) ?? []), (text) => text.split('|')[1]); // prettier-ignore
    expect(byNumber.size).toBeGreaterThan(10);
    for (const [number, all] of [...byNumber].slice(0, 10)) {
      const query = `Encounter?practitioner.identifier=http://hl7.org/fhir/sid/us-npi|${number}`;
      expect([number, await totalOf(query)]).toEqual([number, all.length]);
    }
  });

  test.each(syntheaCounts())('%s finds as many as are in the files', async (query, holds) => {
    const expected = sent.flatMap(({ entry }) => {
      const subject = entry.find(({ resource }) => resource.resourceType === 'Patient')?.resource;
      const all = entry.map(({ resource }) => resource as unknown as SyntheaResource);
      const patient = subject as SyntheaResource | undefined;
      for (const one of all) noteForPatient(one, patient);
      return all.filter((one) => one.resourceType === query.split('?')[0] && holds(one, patient));
    });
    expect(await totalOf(query)).toBe(expected.length);
  });

  test('decimals are as they were written', async () => {
    const files = readdirSync(sharedFolder('data/synthea')).map(textOf);
    const written = files.flatMap((text) => text.match(/"doseQuantity": \{\s*"value": 1\.0\b/g) ?? []);
    const page = await engine.fetch('/fhir/R4/MedicationRequest?_count=1000');
    const read = (await page.text()).match(/"doseQuantity":\{"value":1\.0\b/g);
    expect(read?.length).toBe(written.length);
  });

  test('a patient goes only with all that refers to it', async () => {
    const last = answered.at(-1)?.entry.find(({ response }) => response?.location.startsWith('Patient/'));
    const name = (last?.response?.location ?? '').replace(/\/_history.*/, '');
    const refused = await engine.fetch(`/fhir/R4/${name}`, { method: 'DELETE' });
    expect(refused.status).toBe(409);
    expect(await refused.text()).toContain('is referred to by');
    expect((await engine.fetch(`/fhir/R4/${name}`)).status).toBe(200);
  });
});
