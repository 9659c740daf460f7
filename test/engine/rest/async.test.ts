// `Prefer: respond-async` over a real socket: begun, asked for, fetched once, cancelled, bounded, forgotten; and over a restart.
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Actor } from '../../../engine/kernel/actor.ts';
import type { HttpAnswer } from '../../../engine/kernel/http-route.ts';
import { createLater, type Later } from '../../../engine/rest/async/later.ts';
import { countingIds, steppedClock } from '../fixed-parts.ts';
import { startServer, type RunningServer } from './running-server.ts';

let server: RunningServer;
beforeEach(async () => {
  server = await startServer();
  for (const id of ['a', 'b']) {
    const body = JSON.stringify({ resourceType: 'Patient', id, name: [{ family: 'Wanjikũ' }] });
    await server.ask(`Patient/${id}`, { method: 'PUT', body });
  }
});
afterEach(() => server.stop());

const later = { prefer: 'respond-async' };

interface Init {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function begin(path: string, init: Init = {}): Promise<string> {
  const response = await server.ask(path, { ...init, headers: { ...later, ...init.headers } });
  expect([response.status, response.headers.get('preference-applied'), await response.text()]).toEqual([
    202,
    'respond-async',
    '',
  ]);
  const url = response.headers.get('content-location') ?? '';
  expect(url.startsWith(`${server.fhir}/$async/`)).toBe(true);
  return url.slice(server.url.length);
}

async function fetched(url: string, init: RequestInit = {}): Promise<Response> {
  for (;;) {
    const response = await server.ask(url, init);
    if (response.status !== 202) return response;
    expect([response.headers.get('x-progress'), response.headers.get('retry-after')]).toEqual([
      'in progress',
      '1',
    ]);
    await response.text();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

interface Result {
  readonly type: string;
  readonly entry: readonly {
    readonly resource?: { readonly type: string; readonly entry?: readonly object[] };
    readonly response: { readonly status: string; readonly outcome?: object };
  }[];
}

const batch = JSON.stringify({
  resourceType: 'Bundle',
  type: 'batch',
  entry: [
    { request: { method: 'GET', url: 'Patient/a' } },
    { request: { method: 'GET', url: 'Patient/none' } },
  ],
});
const form = { 'content-type': 'application/x-www-form-urlencoded' };

describe('a request that is answered later', () => {
  const rows: readonly (readonly [path: string, init: Init, type: string, entries: number])[] = [
    ['Patient?_sort=_id', {}, 'searchset', 2],
    ['Patient/_search', { method: 'POST', body: '_id=a', headers: form }, 'searchset', 1],
    ['?_type=Patient', {}, 'searchset', 2],
    ['Patient/a/Patient', {}, 'searchset', 1],
    ['Patient/a/$everything', {}, 'searchset', 1],
    ['Observation/$lastn?patient=a&code=x', {}, 'searchset', 0],
    ['', { method: 'POST', body: batch }, 'batch-response', 2],
  ];
  test.each(rows)('%s is answered as it would have been at once', async (path, init, type, entries) => {
    const response = await fetched(await begin(path, init));
    expect(response.headers.get('content-type')).toBe('application/fhir+json; charset=utf-8');
    const { type: kind, entry } = (await response.json()) as Result;
    expect([kind, entry.length, entry[0]?.response.status]).toEqual(['batch-response', 1, '200 OK']);
    expect([entry[0]?.resource?.type, entry[0]?.resource?.entry?.length ?? 0]).toEqual([type, entries]);
  });

  test('that is refused says so in its result', async () => {
    const { entry } = (await (await fetched(await begin('Patient?colour=blue'))).json()) as Result;
    expect(entry).toMatchObject([
      { response: { status: '400 Bad Request', outcome: { resourceType: 'OperationOutcome' } } },
    ]);
  });

  test('that is not allowed is refused at once', async () => {
    const authorization = `Bearer ${await server.tokenOf('reader')}`;
    expect((await server.ask('Patient', { headers: { ...later, authorization } })).status).toBe(403);
  });

  test('is answered at once where that is quick anyway', async () => {
    expect((await server.ask('Patient/a', { headers: later })).status).toBe(200);
  });

  test('comes in the format in which it is fetched', async () => {
    const response = await fetched(await begin('Patient'), { headers: { accept: 'application/fhir+xml' } });
    expect(await response.text()).toContain('<family value="Wanjikũ"');
  });
});

describe('a result', () => {
  test('can be looked at by HEAD, fetched once, and is gone then', async () => {
    const url = await begin('Patient');
    await (await fetched(url, { method: 'HEAD' })).text();
    await (await fetched(url)).json();
    expect((await server.ask(url)).status).toBe(404);
  });

  test('is for the one who asked alone', async () => {
    const url = await begin('Patient');
    const headers = { authorization: `Bearer ${await server.tokenOf('patients')}` };
    for (const method of ['GET', 'DELETE']) {
      expect([method, (await server.ask(url, { method, headers })).status]).toEqual([method, 404]);
    }
    expect((await fetched(url)).status).toBe(200);
  });

  test('is forgotten after an hour', async () => {
    const url = await begin('Patient');
    await (await fetched(url, { method: 'HEAD' })).text();
    server.clock.pass(59 * 60_000);
    // The token has run out by then.
    const headers = { authorization: `Bearer ${await server.tokenOf('everything')}` };
    expect((await server.ask(url, { method: 'HEAD', headers })).status).toBe(200);
    server.clock.pass(60_000);
    expect((await server.ask(url, { headers })).status).toBe(404);
  });

  test('can be deleted, whether it is there yet or not', async () => {
    const url = await begin('Patient');
    expect((await server.ask(url, { method: 'DELETE' })).status).toBe(202);
    expect((await server.ask(url)).status).toBe(404);
    expect((await server.ask(url, { method: 'DELETE' })).status).toBe(404);
  });

  test('lies in a file for its owner alone, and not longer than it is wanted', async () => {
    const folder = server.resultsFolder;
    const url = await begin('Patient');
    await (await fetched(url, { method: 'HEAD' })).text();
    const [file = ''] = readdirSync(folder);
    expect([statSync(folder).mode & 0o777, statSync(`${folder}/${file}`).mode & 0o777]).toEqual([
      0o700, 0o600,
    ]);
    await (await fetched(url)).json();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(readdirSync(folder)).toEqual([]);
  });
});

test('one actor has so many at a time, and others are not held up by that', async () => {
  const urls: string[] = [];
  for (let count = 0; count < 5; count += 1) urls.push(await begin('Patient'));
  const refused = await server.ask('Patient', { headers: later });
  expect([refused.status, await refused.json()]).toMatchObject([429, { issue: [{ code: 'throttled' }] }]);
  const authorization = `Bearer ${await server.tokenOf('patients')}`;
  expect((await server.ask('Patient', { headers: { ...later, authorization } })).status).toBe(202);
  await (await fetched(urls[0] ?? '')).json();
  await begin('Patient');
});

describe('after a restart', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kiungo-later-'));
  const clock = steppedClock('2026-03-01T08:00:00Z');
  const ids = countingIds();
  const interrupted: HttpAnswer = { status: 503, body: 'it was ended' };
  const actor: Actor = { kind: 'client', id: 'lab', scopes: [] };
  const start = (): Later => createLater({ folder, clock, ids, interrupted });
  const failed = (): HttpAnswer => ({ status: 500 });
  const settled = async (later: Later, id: string): Promise<readonly [number, string]> => {
    for (;;) {
      const outcome = later.outcomeOf(id, actor);
      if (outcome === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        continue;
      }
      const pieces: Uint8Array[] = [];
      for await (const piece of outcome.body ?? []) pieces.push(piece);
      return [outcome.status, Buffer.concat(pieces).toString()];
    }
  };
  const begun = (later: Later, work: () => Promise<HttpAnswer>): Promise<string> =>
    later.begin({ actor, work, failed });
  afterEach(() => {
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
  });

  test('a result is there still, with its headers, for its owner alone', async () => {
    const first = start();
    const answer = { status: 200, headers: { etag: 'W/"1"' }, body: '{"resourceType":"Bundle"}' };
    const id = await begun(first, async () => answer);
    while (first.outcomeOf(id, actor) === undefined) await new Promise((wait) => setTimeout(wait, 5));
    first.close();
    const second = start();
    expect(() => second.outcomeOf(id, { ...actor, id: 'other' })).toThrow('there is no such request');
    expect(second.outcomeOf(id, actor)?.headers).toEqual(answer.headers);
    expect(await settled(second, id)).toEqual([200, answer.body]);
    expect(() => second.outcomeOf(id, actor)).toThrow('there is no such request');
    second.close();
  });

  test.each(['closed', 'killed'])(
    'what was under way when the engine was %s has failed, and says so',
    async (how) => {
      const first = start();
      const id = await begun(first, () => new Promise<HttpAnswer>(() => undefined));
      if (how === 'closed') first.close();
      const second = start();
      expect(await settled(second, id)).toEqual([503, 'it was ended']);
      second.close();
      first.close();
    },
  );

  test('a result that was not fetched in time is gone, and so is what belongs to no request', async () => {
    const first = start();
    const id = await begun(first, async () => ({ status: 200, body: 'late' }));
    while (first.outcomeOf(id, actor) === undefined) await new Promise((wait) => setTimeout(wait, 5));
    first.close();
    writeFileSync(join(folder, 'torn.request.new'), '{"id":');
    clock.pass(60 * 60_000);
    const second = start();
    expect(() => second.outcomeOf(id, actor)).toThrow('there is no such request');
    second.close();
    await new Promise((wait) => setTimeout(wait, 50));
    expect(readdirSync(folder)).toEqual([]);
  });
});
