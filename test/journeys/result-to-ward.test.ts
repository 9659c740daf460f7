// A blood count's whole way, in the real process: from the socket to the file that tells the ward.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, Communication, DiagnosticReport, Observation } from '@medplum/fhirtypes';
import { startEngine, until, type RunningEngine } from '../support/engine-process.ts';
import { codeOf, MllpClient } from '../support/mllp-client.ts';

const bloodCount = readFileSync('adapters/hl7/simulator/samples/blood-count.hl7');

describe('a blood count', () => {
  let engine: RunningEngine;
  let analyser: MllpClient;
  beforeAll(async () => {
    engine = await startEngine();
    analyser = new MllpClient(engine.mllpPort);
  }, 120_000);
  afterAll(async () => {
    analyser.close();
    await engine.stop();
  }, 60_000);

  const search = async <T>(query: string): Promise<T[]> => {
    const bundle = (await (await engine.fetch(`/fhir/R4/${query}`)).json()) as Bundle;
    return (bundle.entry ?? []).map(({ resource }) => resource as T);
  };

  test('nothing is open without a token', async () => {
    expect((await fetch(`${engine.base}/fhir/R4/Observation`)).status).toBe(401);
    expect((await fetch(`${engine.base}/fhir/R4/metadata`)).status).toBe(200);
  });

  test('the credentials lie in a file that only the owner can read, and not in the log', () => {
    const file = join(engine.data, 'administrator.json');
    const { clientSecret, password } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(engine.output()).not.toContain(clientSecret);
    expect(engine.output()).not.toContain(password);
  });

  test('is accepted, and its white cells are found by search as they were sent', async () => {
    expect(codeOf(await analyser.send(bloodCount))).toBe('AA');

    await until(
      async () => (await search('Observation?code=http://loinc.org|6690-2')).length > 0,
      20_000,
      engine.output,
    );

    const answer = await (await engine.fetch('/fhir/R4/Observation?code=http://loinc.org|6690-2')).text();
    expect(answer).toMatch(/"value": ?2\.78\b/);
    const [whiteCells] = await search<Observation>('Observation?code=http://loinc.org|6690-2');
    expect(whiteCells).toMatchObject({ status: 'preliminary', valueQuantity: { code: '10*3/uL' } });
    expect(JSON.stringify(whiteCells?.interpretation)).toContain('"L"');
  });

  test('sent again, it is answered as before and nothing is doubled', async () => {
    const before = (await search('Observation')).length;

    expect(codeOf(await analyser.send(bloodCount))).toBe('AA');

    const { total } = (await (await engine.fetch('/admin/messages?state=processed')).json()) as {
      total: number;
    };
    expect(total).toBe(1);
    expect(await search('Observation')).toHaveLength(before);
  });

  test('its critical platelets reach the ward: a Communication is written, and the outbox hands it out', async () => {
    const reports = await search<DiagnosticReport>('DiagnosticReport?_tag=urn:kiungo:tag|critical');
    expect(reports).toHaveLength(1);

    await until(async () => (await search('Communication')).length > 0, 60_000, engine.output);

    const [told] = await search<Communication>('Communication');
    expect(JSON.stringify(told?.payload)).toContain('33');
    const ward = join(engine.data, 'outbox', 'ward');
    await until(() => existsSync(ward) && readdirSync(ward).length === 1, 20_000, engine.output);
  }, 90_000);

  test('the log carries no patient data', () => {
    expect(engine.output()).not.toMatch(/2\.78|Platelet|PID\|/);
  });

  test('a signal stops the engine cleanly', async () => {
    expect(await engine.stop()).toBe(0);
  }, 60_000);
});
