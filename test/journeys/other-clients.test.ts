// Clients that others wrote, as they are, against the real process: what R4 promises is what they find.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bundle, CapabilityStatement, Observation, Patient } from '@medplum/fhirtypes';
import smart from 'fhirclient';
import { Client } from 'fhir-kit-client';
import { accessToken, startEngine, type RunningEngine } from '../support/engine-process.ts';

const kamau: Patient = {
  resourceType: 'Patient',
  name: [{ family: 'Kamau', given: ['Njeri'] }],
  birthDate: '1990-01-02',
};
const whiteCells = (patient: string, value: number): Observation => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '6690-2' }] },
  subject: { reference: patient },
  valueQuantity: { value },
});

/** These clients have resource types of their own. */
// The caller says which of ours it is.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
const as = <T>(value: unknown): T => value as T;

let engine: RunningEngine;
let token: string;
beforeAll(async () => {
  engine = await startEngine();
  token = await accessToken(engine.base, engine.data);
}, 120_000);
afterAll(async () => {
  await engine.stop();
}, 60_000);

describe('fhir-kit-client', () => {
  const client = (): Client => new Client({ baseUrl: `${engine.base}/fhir/R4`, bearerToken: token });

  test('finds what the server can do, and where tokens are given', async () => {
    const statement = as<CapabilityStatement>(await client().capabilityStatement());
    expect(statement.fhirVersion).toBe('4.0.1');
    const { tokenUrl } = await client().smartAuthMetadata();
    expect(String(tokenUrl)).toBe(`${engine.base}/oauth2/token`);
  });

  test('creates, updates, patches, searches page by page, looks back, and is refused with a reason', async () => {
    const kit = client();
    const created = as<Patient>(await kit.create({ resourceType: 'Patient', body: as(kamau) }));
    const id = created.id ?? '';
    const body = as<never>({ ...created, active: true });
    const updated = as<Patient>(await kit.update({ resourceType: 'Patient', id, body }));
    const jsonPatch = [{ op: 'replace' as const, path: '/active', value: false }];
    const patched = as<Patient>(await kit.patch({ resourceType: 'Patient', id, jsonPatch }));
    expect([updated.meta?.versionId, patched.meta?.versionId]).toEqual(['2', '3']);

    for (const value of [1.5, 2.5, 3.5, 4.5, 5.5]) {
      await kit.create({ resourceType: 'Observation', body: as(whiteCells(`Patient/${id}`, value)) });
    }
    const sizes: (number | undefined)[] = [];
    const searchParams = { subject: `Patient/${id}`, _count: 2 };
    let page = as<Bundle | undefined>(await kit.search({ resourceType: 'Observation', searchParams }));
    while (page !== undefined) {
      sizes.push(page.entry?.length);
      page = as<Bundle | undefined>(await kit.nextPage({ bundle: as(page) }));
    }
    expect(sizes).toEqual([2, 2, 1]);

    const history = as<Bundle>(await kit.history({ resourceType: 'Patient', id }));
    expect(history.entry?.map(({ request }) => request?.method)).toEqual(['PATCH', 'PUT', 'POST']);
    const everything = { name: 'everything', resourceType: 'Patient', id, method: 'GET' } as const;
    expect(as<Bundle>(await kit.operation(everything)).entry).toHaveLength(6);
    await expect(kit.delete({ resourceType: 'Patient', id })).rejects.toMatchObject({
      response: { status: 409 },
    });
    await expect(kit.read({ resourceType: 'Patient', id: 'nobody' })).rejects.toMatchObject({
      response: { status: 404, data: { resourceType: 'OperationOutcome' } },
    });
  });

  test('sends a transaction whose entries refer to each other', async () => {
    const patient = 'urn:uuid:7f7a5e30-1111-4d5b-9a51-000000000001';
    const answer = as<Bundle>(
      await client().transaction({
        body: as({
          resourceType: 'Bundle',
          type: 'transaction',
          entry: [
            { fullUrl: patient, resource: kamau, request: { method: 'POST', url: 'Patient' } },
            { resource: whiteCells(patient, 2.78), request: { method: 'POST', url: 'Observation' } },
          ],
        }),
      }),
    );
    expect(answer.entry?.map(({ response }) => response?.status)).toEqual(['201 Created', '201 Created']);
  });
});

describe('fhirclient (SMART)', () => {
  test('reads, follows pages and references, creates and patches', async () => {
    const open = smart(as({ url: '/', headers: { host: 'ward' }, session: {} }), as({}));
    const client = open.client({
      serverUrl: `${engine.base}/fhir/R4`,
      tokenResponse: { access_token: token },
    });
    const patient = as<Patient>(await client.create(as({ ...kamau })));
    const reference = `Patient/${patient.id ?? ''}`;
    for (const value of [1, 2, 3]) await client.create(as(whiteCells(reference, value)));

    const all = await client.request<Observation[]>(`Observation?subject=${reference}&_count=1`, {
      pageLimit: 0,
      flat: true,
    });
    expect(all).toHaveLength(3);
    const patched = await client.patch<Patient>(reference, [{ op: 'add', path: '/gender', value: 'female' }]);
    expect(patched.gender).toBe('female');
    expect(await client.getFhirVersion()).toBe('4.0.1');
  });
});
