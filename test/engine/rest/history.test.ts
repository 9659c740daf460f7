// History of a resource, of a type and of the system over a real socket: https://hl7.org/fhir/R4/http.html#history
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

interface HistoryBundle {
  readonly type: string;
  readonly total?: number;
  readonly link: readonly { readonly relation: string; readonly url: string }[];
  readonly entry?: readonly {
    readonly fullUrl: string;
    readonly resource?: { readonly id: string; readonly meta: { readonly versionId: string } };
    readonly request: { readonly method: string; readonly url: string };
    readonly response: { readonly status: string; readonly etag: string; readonly lastModified: string };
  }[];
}

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
  const put = (type: string, id: string, more: object = {}): Promise<Response> =>
    server.ask(`${type}/${id}`, { method: 'PUT', body: JSON.stringify({ resourceType: type, id, ...more }) });
  await put('Patient', 'a');
  server.clock.pass(60_000);
  await put('Observation', 'o', { status: 'final' });
  server.clock.pass(60_000);
  await server.ask('Patient/a', { method: 'DELETE' });
  server.clock.pass(60_000);
  await put('Patient', 'b');
});
afterAll(() => server.stop());

/** Every entry of every page, as `Patient/a 2`. */
async function walk(path: string, init: RequestInit = {}, on = server): Promise<readonly string[]> {
  const found: string[] = [];
  let url: string | undefined = `/fhir/R4/${path}`;
  while (url !== undefined) {
    const bundle = (await (await on.ask(url, init)).json()) as HistoryBundle;
    expect(bundle.type).toBe('history');
    for (const { fullUrl, response } of bundle.entry ?? []) {
      found.push(`${fullUrl.slice(on.fhir.length + 1)} ${/\d+/.exec(response.etag)?.[0] ?? ''}`);
    }
    url = bundle.link.find(({ relation }) => relation === 'next')?.url.slice(on.url.length);
  }
  return found;
}

const rows: readonly (readonly [rule: string, path: string, found: readonly string[]])[] = [
  ['of a type', 'Patient/_history', ['Patient/b 1', 'Patient/a 2', 'Patient/a 1']],
  ['of the system', '_history', ['Patient/b 1', 'Patient/a 2', 'Observation/o 1', 'Patient/a 1']],
  ['page by page', '_history?_count=1', ['Patient/b 1', 'Patient/a 2', 'Observation/o 1', 'Patient/a 1']],
  ['since an instant', '_history?_since=2026-03-01T08:02:00Z', ['Patient/b 1', 'Patient/a 2']],
  [
    'since an instant with a time zone that is not encoded',
    '_history?_since=2026-03-01T11:02:00+03:00',
    ['Patient/b 1', 'Patient/a 2'],
  ],
  ['at a time', '_history?_at=2026-03-01T08:01:30Z', ['Observation/o 1', 'Patient/a 1']],
  ['at a time, of one resource', 'Patient/a/_history?_at=2026-03-01T08:01:30Z', ['Patient/a 1']],
  ['of a day to come', '_history?_since=2030-01-01', []],
  [
    'newest first, as it is anyway',
    'Patient/_history?_sort=-_lastUpdated&_count=1',
    ['Patient/b 1', 'Patient/a 2', 'Patient/a 1'],
  ],
];

describe('history', () => {
  test.each(rows)('%s', async (_rule, path, found) => {
    expect(await walk(path)).toEqual(found);
  });

  describe('of what Lists name', () => {
    let listing: RunningServer;
    beforeAll(async () => {
      listing = await startServer({ referentialIntegrity: false });
      const put = (type: string, id: string, more: object = {}): Promise<Response> =>
        listing.ask(`${type}/${id}`, {
          method: 'PUT',
          body: JSON.stringify({ resourceType: type, id, ...more }),
        });
      const listOf = (...references: readonly string[]): object => ({
        entry: references.map((reference) => ({ item: { reference } })),
      });
      const system = 'http://terminology.hl7.org/CodeSystem/list-example-use-codes';
      const keeping = (code: string): object => ({ status: 'current', code: { coding: [{ system, code }] } });
      await put('Patient', 'a');
      await put('Patient', 'a', { active: true });
      await put('Patient', 'b');
      await put('Condition', 'c');
      await put('AllergyIntolerance', 'nuts', { category: ['food'] });
      await put('AllergyIntolerance', 'drug', { category: ['medication'] });
      await put('List', 'all', listOf('Patient/a', 'Condition/c', 'Patient/a/_history/1', 'Patient/never'));
      await put('List', 'first', listOf('Patient/a/_history/1', 'Patient/b/_history/x', '#x'));
      await put('List', 'problems', { ...keeping('problems'), ...listOf('Condition/c') });
      await put('List', 'gone', listOf('Patient/b'));
      await put('List', 'allergies', {
        ...keeping('allergies'),
        ...listOf('AllergyIntolerance/nuts', `${listing.fhir}/AllergyIntolerance/drug`),
      });
      await listing.ask('List/gone', { method: 'DELETE' });
      await listing.ask('Condition/c', { method: 'DELETE' });
    });
    afterAll(() => listing.stop());

    const lists: readonly (readonly [rule: string, path: string, found: readonly string[]])[] = [
      ['all their versions, deletions too', '_history?_list=all', ['Condition/c 2', 'Condition/c 1', 'Patient/a 2', 'Patient/a 1']],
      ['of a type', 'Patient/_history?_list=List/all', ['Patient/a 2', 'Patient/a 1']],
      ['of a resource', 'Patient/a/_history?_list=all', ['Patient/a 2', 'Patient/a 1']],
      ['of a resource that they do not name', 'Patient/b/_history?_list=all', []],
      ['page by page', '_history?_list=all&_count=1', ['Condition/c 2', 'Condition/c 1', 'Patient/a 2', 'Patient/a 1']],
      ['one version where that is named', '_history?_list=first', ['Patient/a 1']],
      ['of several', 'Condition/_history?_list=first,$current-problems', ['Condition/c 2', 'Condition/c 1']],
      ['by what they keep', 'AllergyIntolerance/_history?_list=$current-allergies', ['AllergyIntolerance/drug 1', 'AllergyIntolerance/nuts 1']],
      ['allergies to drugs', '_history?_list=$current-drug-allergies', ['AllergyIntolerance/drug 1']],
      ['a List that is deleted', '_history?_list=gone', []],
      ['a List that never was', '_history?_list=nothing', []],
    ]; // prettier-ignore

    test.each(lists)('%s', async (_rule, path, found) => {
      expect((await walk(path, {}, listing)).toSorted()).toEqual(found.toSorted());
    });

    test('is refused of lists that are not known, and to those who may not search Lists', async () => {
      expect((await listing.ask('_history?_list=$current-nothing')).status).toBe(400);
      const authorization = `Bearer ${await listing.tokenOf('reader')}`;
      expect((await listing.ask('_history?_list=all', { headers: { authorization } })).status).toBe(403);
    });
  });

  test.each(['_count=0', '_summary=count'])('with %s is counted only', async (query) => {
    const bundle = (await (await server.ask(`Patient/_history?${query}`)).json()) as HistoryBundle;
    expect([bundle.total, bundle.entry, bundle.link.length]).toEqual([3, undefined, 1]);
  });

  test('an entry says what was asked and what became of it', async () => {
    const bundle = (await (await server.ask('Patient/_history')).json()) as HistoryBundle;
    expect(bundle.total).toBe(3);
    expect(bundle.entry?.[1]).toEqual({
      fullUrl: `${server.fhir}/Patient/a`,
      request: { method: 'DELETE', url: 'Patient/a' },
      response: { status: '204 No Content', etag: 'W/"2"', lastModified: '2026-03-01T08:02:00.000Z' },
    });
    expect(bundle.entry?.[2]).toMatchObject({
      resource: { id: 'a', meta: { versionId: '1' } },
      request: { method: 'PUT', url: 'Patient/a' },
      response: { status: '201 Created' },
    });
  });

  test('of the system shows only the types that the scopes let be read', async () => {
    const authorization = `Bearer ${await server.tokenOf('reader')}`;
    expect(await walk('_history', { headers: { authorization } })).toEqual(['Observation/o 1']);
  });

  test('of another type is forbidden, of what is no type not found, of nothing not found', async () => {
    const authorization = `Bearer ${await server.tokenOf('reader')}`;
    expect((await server.ask('Patient/_history', { headers: { authorization } })).status).toBe(403);
    expect((await server.ask('Thing/_history')).status).toBe(404);
    expect((await server.ask('Patient/nobody/_history')).status).toBe(404);
  });
});
