// Terminology that is stored is read once, and a change of it is seen by whatever is asked next, whichever way it was made.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

const system = 'http://hospital.example/wards';
const target = 'http://hospital.example/floors';

const codeSystem = (codes: readonly string[]) => ({
  resourceType: 'CodeSystem',
  id: 'wards',
  url: system,
  status: 'active',
  content: 'complete',
  concept: codes.map((code) => ({ code, display: `Ward ${code}` })),
});
const valueSet = (codes: readonly string[]) => ({
  resourceType: 'ValueSet',
  id: 'open',
  url: `${system}-open`,
  status: 'active',
  compose: { include: [{ system, concept: codes.map((code) => ({ code })) }] },
});
const wholeSystem = {
  resourceType: 'ValueSet',
  id: 'all',
  url: `${system}-all`,
  status: 'active',
  compose: { include: [{ system }] },
};
const conceptMap = (codes: readonly string[]) => ({
  resourceType: 'ConceptMap',
  id: 'floors',
  url: `${system}-floors`,
  status: 'active',
  group: [
    {
      source: system,
      target,
      element: codes.map((code) => ({ code, target: [{ code, equivalence: 'equal' }] })),
    },
  ],
});
const observation = {
  resourceType: 'Observation',
  id: 'o',
  status: 'final',
  code: { coding: [{ system, code: 'new' }] },
};

interface Row {
  readonly asked: string;
  readonly made: (codes: readonly string[]) => { readonly resourceType: string; readonly id: string };
  readonly sameWhenGone?: boolean;
}
const rows: readonly Row[] = [
  { asked: `CodeSystem/$lookup?system=${system}&code=new`, made: codeSystem },
  { asked: `CodeSystem/$validate-code?url=${system}&code=new`, made: codeSystem },
  { asked: 'CodeSystem/wards/$validate-code?code=new', made: codeSystem },
  { asked: `ValueSet/$validate-code?url=${system}-open&system=${system}&code=new`, made: valueSet },
  { asked: `ValueSet/$validate-code?url=${system}-all&system=${system}&code=new`, made: codeSystem },
  { asked: `ValueSet/$expand?url=${system}-open`, made: valueSet },
  { asked: `ValueSet/$expand?url=${system}-all`, made: codeSystem },
  { asked: 'ValueSet/open/$expand', made: valueSet },
  { asked: `ConceptMap/$translate?url=${system}-floors&system=${system}&code=new`, made: conceptMap },
  { asked: `ConceptMap/$translate?system=${system}&code=new`, made: conceptMap },
  { asked: `ConceptMap/floors/$translate?system=${system}&code=new`, made: conceptMap },
  { asked: `Observation?code:in=${system}-open`, made: valueSet },
  // Whatever has a system whose codes are not known is in a value set of all of it.
  { asked: `Observation?code:in=${system}-all`, made: codeSystem, sameWhenGone: true },
];

let server: RunningServer;
const put = (resource: { readonly resourceType: string; readonly id: string }, headers = {}) =>
  server.ask(`${resource.resourceType}/${resource.id}`, {
    method: 'PUT',
    body: JSON.stringify(resource),
    headers,
  });
/** What was answered, as text: without what differs each time. */
const ask = async (path: string): Promise<string> =>
  (await (await server.ask(path)).text()).replaceAll(
    /"(?:identifier|timestamp|id|lastUpdated)":"[^"]*"/g,
    '',
  );

beforeEach(async () => {
  server = await startServer();
  for (const made of [codeSystem, valueSet, conceptMap]) await put(made(['old']));
  await put(wholeSystem);
  await put(observation);
});
afterEach(() => server.stop());

type Change = (resource: ReturnType<Row['made']>) => Promise<Response>;
const entryOf = (resource: ReturnType<Row['made']>) => ({
  request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  resource,
});
const bundle = (type: string, ...entry: readonly object[]): string =>
  JSON.stringify({ resourceType: 'Bundle', type, entry });
const ways: readonly (readonly [way: string, change: Change])[] = [
  ['an update', (resource) => put(resource)],
  ['an update with its Provenance', (resource) =>
    put(resource, {
      'x-provenance': JSON.stringify({ resourceType: 'Provenance', agent: [{ who: { display: 'x' } }] }),
    })],
  ['a transaction', (resource) =>
    server.ask('', { method: 'POST', body: bundle('transaction', entryOf(resource)) })],
  ['a batch', (resource) => server.ask('', { method: 'POST', body: bundle('batch', entryOf(resource)) })],
  ['a merge patch', (resource) =>
    server.ask(`${resource.resourceType}/${resource.id}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: JSON.stringify(resource),
    })],
]; // prettier-ignore

describe.each(rows)('$asked', ({ asked, made, sameWhenGone = false }) => {
  test.each(ways)('after %s', async (_way, change) => {
    const [old, oldAgain] = [await ask(asked), await ask(asked)];
    expect(oldAgain).toBe(old);
    expect((await change(made(['old', 'new']))).status).toBe(200);
    const changed = await ask(asked);
    expect(changed).not.toBe(old);
    expect(await ask(asked)).toBe(changed);
    await change(made(['old']));
    expect(await ask(asked)).toBe(old);
  });

  test('after a deletion, and after a transaction that came to nothing', async () => {
    const old = await ask(asked);
    const failing = bundle('transaction', entryOf(made(['old', 'new'])), {
      request: { method: 'PUT', url: 'Patient/p' },
      resource: { resourceType: 'Patient', id: 'another' },
    });
    expect((await server.ask('', { method: 'POST', body: failing })).status).toBe(400);
    expect(await ask(asked)).toBe(old);
    const { resourceType, id } = made([]);
    await put(made(['old', 'new']));
    const changed = await ask(asked);
    await server.ask(`${resourceType}/${id}`, { method: 'DELETE' });
    expect((await ask(asked)) === changed).toBe(sameWhenGone);
  });
});

test('who is told of a change sees it, however many ask meanwhile', async () => {
  let asking = true;
  const others = Array.from({ length: 4 }, async () => {
    while (asking) await ask(`CodeSystem/$lookup?system=${system}&code=old`);
  });
  for (let round = 0; round < 25; round += 1) {
    await put(codeSystem(['old', `c${round}`]));
    expect(await ask(`CodeSystem/$lookup?system=${system}&code=c${round}`)).toContain(`Ward c${round}`);
  }
  asking = false;
  await Promise.all(others);
});

test('a large code system is read once', async () => {
  await put(codeSystem(Array.from({ length: 30_000 }, (_, place) => `c${place}`)));
  const times: number[] = [];
  for (let round = 0; round < 12; round += 1) {
    const began = performance.now();
    await ask(`CodeSystem/$lookup?system=${system}&code=c29999`);
    times.push(performance.now() - began);
  }
  const [first = 0, ...later] = times;
  expect(later.toSorted((a, b) => a - b)[5]).toBeLessThan(first / 8);
});
