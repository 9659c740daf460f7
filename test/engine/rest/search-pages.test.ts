// The links of a searchset: on and back through the pages and to the first, whatever the order; and what a search over several types
// leaves out.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
  for (let day = 1; day <= 7; day += 1) {
    const patient = {
      resourceType: 'Patient',
      id: `p${day}`,
      birthDate: day > 5 ? undefined : `2000-01-0${day}`,
    };
    await server.ask(`Patient/p${day}`, { method: 'PUT', body: JSON.stringify(patient) });
  }
  const organization = { resourceType: 'Organization', id: 'o1', name: 'Thika' };
  await server.ask('Organization/o1', { method: 'PUT', body: JSON.stringify(organization) });
});
afterAll(() => server.stop());

interface Page {
  readonly link: readonly { readonly relation: string; readonly url: string }[];
  readonly entry?: readonly {
    readonly resource: { readonly id: string };
    readonly search: { readonly mode: string };
  }[];
}

const ask = async (query: string): Promise<Page> => (await (await server.ask(query)).json()) as Page;
const follow = async (page: Page, relation: string): Promise<Page> => {
  const url = page.link.find((link) => link.relation === relation)?.url ?? '';
  return ask(url.slice(server.fhir.length + 1));
};
const relations = (page: Page): readonly string[] => page.link.map(({ relation }) => relation);
const ids = (page: Page): readonly string[] =>
  (page.entry ?? []).filter(({ search }) => search.mode === 'match').map(({ resource }) => resource.id);

describe('pages', () => {
  test.each([
    ['_sort=birthdate', ['p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7']],
    ['_sort=-birthdate', ['p5', 'p4', 'p3', 'p2', 'p1', 'p6', 'p7']],
  ])('%s: forwards, backwards, and to the first', async (sort, all) => {
    const first = await ask(`Patient?${sort}&_count=3`);
    expect([relations(first), ids(first)]).toEqual([['self', 'next'], all.slice(0, 3)]);
    const second = await follow(first, 'next');
    expect(relations(second)).toEqual(['self', 'first', 'previous', 'next']);
    expect(ids(second)).toHaveLength(3);
    const third = await follow(second, 'next');
    expect([...ids(first), ...ids(second), ...ids(third)].sort()).toEqual([...all].sort());
    expect(ids(await follow(third, 'previous'))).toEqual(ids(second));
    expect(ids(await follow(second, 'previous'))).toEqual(ids(first));
    expect(ids(await follow(third, 'first'))).toEqual(ids(first));
  });

  test('self says what was asked, without the page', async () => {
    const second = await follow(await ask('Patient?_sort=birthdate&_count=3&_elements=id'), 'next');
    expect(second.link[0]?.url).toBe(`${server.fhir}/Patient?_sort=birthdate&_count=3&_elements=id`);
  });
});

test.each([
  ['Patient/_search?birthdate=lt1800', 0],
  ['Organization/_search', 1],
  ['_search?_type=Organization', 1],
])('GET %s is a search too', async (path, found) => {
  expect(ids(await ask(path))).toHaveLength(found);
});

describe('several types', () => {
  test('are found together, newest first', async () => {
    const page = await ask('?_type=Patient,Organization&_count=3');
    expect(ids(page)[0]).toBe('o1');
    expect(relations(page)).toEqual(['self', 'next']);
  });

  test('what one of them does not know is left out for all, and said', async () => {
    const response = await server.ask('?_type=Patient,Organization&gender=male', {
      headers: { prefer: 'handling=lenient' },
    });
    const page = (await response.json()) as Page;
    expect(ids(page)).toHaveLength(8);
    expect(JSON.stringify(page)).toContain('were left out: gender');
  });

  test('what one of them does not know is refused', async () => {
    expect((await server.ask('?_type=Patient,Organization&gender=male')).status).toBe(400);
  });
});
