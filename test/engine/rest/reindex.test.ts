// $reindex over a real socket: who may, what it answers, how its progress is read.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
  for (const name of ['Patient/a', 'Patient/b', 'Group/g']) {
    const [resourceType, id] = name.split('/');
    const more = resourceType === 'Group' ? { type: 'person', actual: true } : { gender: 'female' };
    await server.ask(name, { method: 'PUT', body: JSON.stringify({ resourceType, id, ...more }) });
  }
});
afterAll(() => server.stop());

interface Part {
  readonly name: string;
  readonly valueCode?: string;
  readonly valueInteger?: number;
}

/** Type, status, resources, compared. */
async function progress(path: string): Promise<readonly (readonly unknown[])[]> {
  const body = (await (await server.ask(path)).json()) as { parameter: { part: Part[] }[] };
  return body.parameter.map(({ part }) =>
    ['code', 'status', 'resources', 'compared'].map((name) => {
      const found = part.find((one) => one.name === name);
      return found?.valueCode ?? found?.valueInteger;
    }),
  );
}

async function finished(path: string): Promise<readonly (readonly unknown[])[]> {
  for (;;) {
    const found = await progress(path);
    if (found.every(([, status]) => status === 'completed')) return found;
    await new Promise((wait) => setTimeout(wait, 20));
  }
}

describe('$reindex', () => {
  test('of a type is accepted, tells where its progress is, and ends', async () => {
    const response = await server.ask('Patient/$reindex', { method: 'POST' });
    expect([response.status, response.headers.get('content-location')]).toEqual([
      202,
      `${server.fhir}/Patient/$reindex`,
    ]);
    expect(await finished('Patient/$reindex')).toEqual([['Patient', 'completed', 2, 2]]);
    expect(await progress('Group/$reindex')).toEqual([]);
  });

  test('of all takes every type that is stored', async () => {
    expect((await server.ask('$reindex', { method: 'POST' })).status).toBe(202);
    expect(await finished('$reindex')).toEqual([
      ['Group', 'completed', 1, 1],
      ['Patient', 'completed', 2, 2],
    ]);
  });

  test.each([
    ['POST', '$reindex'],
    ['GET', '$reindex'],
    ['POST', 'Patient/$reindex'],
    ['GET', 'Patient/$reindex'],
  ])('%s %s needs the scope admin', async (method, path) => {
    const authorization = `Bearer ${await server.tokenOf('reader')}`;
    expect((await server.ask(path, { method, headers: { authorization } })).status).toBe(403);
  });

  test('of what is no type is not found', async () => {
    expect((await server.ask('Potient/$reindex', { method: 'POST' })).status).toBe(404);
  });
});
