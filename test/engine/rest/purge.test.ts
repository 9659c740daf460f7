// Patient/[id]/$purge: a record taken away for good, whole or not at all.
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

const running: RunningServer[] = [];
let server: RunningServer;
beforeEach(async () => {
  server = await startServer({ referentialIntegrity: true });
  running.push(server);
  await put('Organization/ward', {});
  await put('Patient/p', { managingOrganization: { reference: 'Organization/ward' } });
  await put('Patient/p', { active: true });
  await put('Patient/other', {});
  await put('Encounter/e', { subject: { reference: 'Patient/p' } });
  await put('Observation/o', {
    subject: { reference: 'Patient/p' },
    encounter: { reference: 'Encounter/e' },
  });
  await put('Observation/theirs', { subject: { reference: 'Patient/other' } });
  await put('AuditEvent/a', { agent: [{ who: { reference: 'Patient/p' } }] });
});
afterAll(() => Promise.all(running.map((one) => one.stop())));

const put = (name: string, more: object): Promise<Response> => {
  const [resourceType, id] = name.split('/');
  return server.ask(name, { method: 'PUT', body: JSON.stringify({ resourceType, id, ...more }) });
};
const purge = (name: string, headers: Record<string, string> = {}): Promise<Response> =>
  server.ask(`${name}/$purge`, { method: 'POST', headers });
const statusOf = async (path: string): Promise<number> => (await server.ask(path)).status;
const statuses = (...paths: readonly string[]): Promise<readonly number[]> =>
  Promise.all(paths.map(statusOf));

test('the patient and all that is of this patient alone are as if they had never been', async () => {
  const response = await purge('Patient/p');

  expect([response.status, await response.json()]).toMatchObject([
    200,
    { resourceType: 'OperationOutcome', issue: [{ severity: 'information' }] },
  ]);
  expect(
    await statuses('Patient/p', 'Patient/p/_history', 'Patient/p/_history/1', 'Encounter/e', 'Observation/o'),
  ).toEqual([404, 404, 404, 404, 404]);
  expect(await statuses('Organization/ward', 'Patient/other', 'Observation/theirs', 'AuditEvent/a')).toEqual([
    200, 200, 200, 200,
  ]);
  expect(await (await server.ask('Observation?subject=Patient/p&_summary=count')).json()).toMatchObject({
    total: 0,
  });
  expect(server.warnings).toContainEqual(expect.objectContaining({ id: 'p', type: 'Patient' }));
  expect(await (await server.ask('Observation/_history')).text()).not.toContain('"Observation/o"');
});

test('what belongs to another patient too stays, and while it refers to this one nothing goes', async () => {
  const both = ['p', 'other'].map((id) => ({ actor: { reference: `Patient/${id}` } }));
  await put('Appointment/both', { participant: both });

  const response = await purge('Patient/p');

  expect([response.status, (await response.text()).includes('Appointment/both')]).toEqual([409, true]);
  expect(await statuses('Patient/p', 'Encounter/e', 'Observation/o', 'Appointment/both')).toEqual([
    200, 200, 200, 200,
  ]);
  await put('Appointment/both', { participant: both.slice(1) });
  expect((await purge('Patient/p')).status).toBe(200);
});

describe('refused', () => {
  test.each([
    ['a patient that is not there', 'Patient/nobody', 404, 'everything'],
    ['another type', 'Observation/o', 404, 'everything'],
    ['who is no administrator', 'Patient/p', 403, 'patients'],
  ])('%s', async (_what, name, status, client) => {
    const authorization = `Bearer ${await server.tokenOf(client)}`;
    expect((await purge(name, { authorization })).status).toBe(status);
    expect(await statuses('Patient/p', 'Observation/o')).toEqual([200, 200]);
  });
});

test('it can be waited for', async () => {
  const response = await purge('Patient/p', { prefer: 'respond-async' });
  expect(response.status).toBe(202);
  const where = new URL(response.headers.get('content-location') ?? '').pathname;
  for (let asked = 0; asked < 100 && (await statusOf(where)) === 202; asked += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await statusOf('Patient/p')).toBe(404);
});
