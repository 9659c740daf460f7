// Maps in the real process: tried over REST without storing anything, and changed while the engine runs.
import { cpSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle } from '@medplum/fhirtypes';
import { newDataFolder, startEngine, until, type RunningEngine } from '../support/engine-process.ts';

const bloodCount = readFileSync('adapters/hl7/simulator/samples/blood-count.hl7');

interface Tried {
  readonly map: string | null;
  readonly bundle: Bundle | null;
  readonly issues: readonly { readonly code: string }[];
  readonly trace: readonly { readonly from?: string; readonly to: string; readonly rule: string }[];
  readonly unmapped: readonly string[];
}

describe('the maps of a hospital', () => {
  let engine: RunningEngine;
  const folder = join(newDataFolder(), 'maps');
  beforeAll(async () => {
    cpSync('mappings', folder, { recursive: true });
    engine = await startEngine(newDataFolder(), { KIUNGO_MAPPINGS: folder, KIUNGO_LOG_LEVEL: 'info' });
  }, 120_000);
  afterAll(async () => {
    await engine.stop();
  }, 60_000);

  const tryMap = async (type: string): Promise<Tried> => {
    const headers = { 'content-type': type };
    const answer = await engine.fetch('/admin/mappings/$try', { method: 'POST', headers, body: bloodCount });
    expect(answer.status).toBe(200);
    return (await answer.json()) as Tried;
  };
  const genderMade = async (): Promise<string | undefined> => {
    const { bundle } = await tryMap('application/hl7-v2');
    const made = bundle?.entry?.map(({ resource }) => resource) ?? [];
    return made.find((resource) => resource?.resourceType === 'Patient')?.gender;
  };
  const table = 'hl7v2/codesystems/0001-administrative-sex.yaml';
  const sexTable = join(folder, table);
  const shippedTable = readFileSync(join('mappings', table), 'utf8');
  /** As most editors save: a new file in the place of the old one. */
  const save = (content: string): void => {
    writeFileSync(`${sexTable}.new`, content);
    renameSync(`${sexTable}.new`, sexTable);
  };

  test.each(['application/hl7-v2', 'text/x-hl7-v2'])(
    '$try of %s says which field made which element by which rule, and which fields made nothing',
    async (type) => {
      const { map, bundle, trace, unmapped, issues } = await tryMap(type);
      expect(map).toBe('ORU-R01-mindray-bc');
      expect(bundle).toMatchObject({ resourceType: 'Bundle', type: 'transaction' });
      const whiteCells = trace.find(({ from }) => from === 'OBX[5]-5.1');
      expect(whiteCells?.to).toMatch(/^Observation\[\d+\]\.valueQuantity\.value$/);
      expect(whiteCells?.rule).toMatch(/^mappings\/hl7v2\/datatypes\/OBX5-quantity\.yaml:\d+$/);
      expect(trace.find(({ from }) => from === 'PID[1]-8.1')).toMatchObject({ to: 'Patient[0].gender' });
      expect(unmapped).toContain('MSH[1]-11.1');
      expect(unmapped).not.toContain('OBX[5]-5.1');
      const lines = trace.map((line) => JSON.stringify(line));
      expect(lines).toEqual([...new Set(lines)]);
      expect(issues.every(({ code }) => code !== '')).toBe(true);
    },
  );

  test('$try stores nothing', async () => {
    for (const path of [
      '/fhir/R4/Observation?_summary=count',
      '/fhir/R4/Patient?_summary=count',
      '/admin/messages',
    ]) {
      expect(await (await engine.fetch(path)).json()).toMatchObject({ total: 0 });
    }
  });

  test('$try needs an administrator', async () => {
    const answer = await fetch(`${engine.base}/admin/mappings/$try`, { method: 'POST', body: bloodCount });
    expect(answer.status).toBe(401);
  });

  test('a changed file takes effect without a restart', async () => {
    expect(await genderMade()).toBe('female');

    save(shippedTable.replace('Female: female', 'Female: unknown'));

    await until(async () => (await genderMade()) === 'unknown', 10_000, engine.output);
  });

  test('a broken one is refused with file and line in the log, and the last good maps stay', async () => {
    save(`${shippedTable}\nnonsense: here\n`);

    await until(() => /the last good maps stay/.test(engine.output()), 10_000, engine.output);

    expect(engine.output()).toMatch(/0001-administrative-sex\.yaml:\d+.*the last good maps stay/);
    expect(await genderMade()).toBe('unknown');
  });

  test('the mended one takes effect again, saved once more in the place of the old', async () => {
    save(shippedTable);

    await until(async () => (await genderMade()) === 'female', 10_000, engine.output);
  });

  test('where changes are not seen, an administrator has the folder read, and is told what is wrong', async () => {
    const reload = (): Promise<Response> => engine.fetch('/admin/mappings/$reload', { method: 'POST' });
    expect((await reload()).status).toBe(200);

    save(`${shippedTable}\nnonsense: here\n`);

    const refused = await reload();
    expect(refused.status).toBe(422);
    expect(await refused.text()).toMatch(/0001-administrative-sex\.yaml:\d+/);
    save(shippedTable);
    expect(await (await reload()).json()).toMatchObject({ total: expect.any(Number) });
  });
});
