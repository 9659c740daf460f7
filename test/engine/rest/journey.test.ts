// Somebody else's client, as it is: MedplumClient signs in and works; and the server stops without cutting anybody off.
import { MedplumClient } from '@medplum/core';
import type { Bundle, Observation, Patient } from '@medplum/fhirtypes';
import { describe, expect, test } from '@jest/globals';
import { secretOf, startServer } from './running-server.ts';

describe('MedplumClient', () => {
  test('signs in, creates, reads, searches page by page, updates and deletes', async () => {
    const server = await startServer();
    // The client looks at its own clock to see whether the token is still good.
    server.clock.pass(Date.now() - server.clock.now());
    const client = new MedplumClient({
      baseUrl: `${server.url}/`,
      fhirUrlPath: 'fhir/R4/',
      tokenUrl: `${server.url}/oauth2/token`,
      cacheTime: 0,
      fetch,
    });
    await client.startClientLogin('everything', secretOf('everything'));
    const patient = await client.createResource<Patient>({
      resourceType: 'Patient',
      birthDate: '1990-02-03',
    });
    expect(await client.readResource('Patient', patient.id)).toEqual(patient);
    const subject = { reference: `Patient/${patient.id}` };
    for (const value of [1.5, 2.5, 3.5]) {
      await client.createResource<Observation>({
        resourceType: 'Observation',
        status: 'preliminary',
        code: { text: 'WBC' },
        subject,
        valueQuantity: { value },
      });
    }
    const first: Bundle = await client.search(
      'Observation',
      `subject=${subject.reference}&_count=2&_sort=_id`,
    );
    const next = first.link?.find(({ relation }) => relation === 'next')?.url ?? '';
    const second = await client.get<Bundle>(next);
    expect([first.entry?.length, second.entry?.length]).toEqual([2, 1]);
    const updated = await client.updateResource({ ...patient, active: true });
    expect(updated.meta?.versionId).toBe('2');
    await client.deleteResource('Patient', patient.id);
    client.invalidateAll();
    await expect(client.readResource('Patient', patient.id)).rejects.toMatchObject({
      outcome: { issue: [{ code: 'deleted' }] },
    });
    await server.stop();
  });
});

describe('stopping', () => {
  test('what is under way is answered, then nobody is let in', async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const server = await startServer({
      routes: [
        {
          method: 'GET',
          path: '/slow',
          access: 'signed-in',
          handle: async () => {
            await gate;
            return { status: 200, body: 'done' };
          },
        },
      ],
    });
    const slow = server.ask('/slow');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const stopped = server.stop();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await expect(fetch(`${server.url}/health/live`)).rejects.toThrow();
    go();
    const answer = await slow;
    expect([answer.status, answer.headers.get('connection'), await answer.text()]).toEqual([
      200,
      'close',
      'done',
    ]);
    await stopped;
  });

  test('what takes longer than the limit is cut off', async () => {
    const never: Promise<never> = new Promise(() => undefined);
    const route = { method: 'GET', path: '/never', access: 'signed-in', handle: () => never } as const;
    const server = await startServer({ drainMs: 100, routes: [route] });
    const hanging = server.ask('/never').then(
      () => 'answered',
      () => 'cut off',
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.stop();
    expect(await hanging).toBe('cut off');
  });
});
