// docs/admin-api.md shows every route below /admin that the sources declare, and no other, with the parameters that each of them takes.
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { HttpRequest, HttpRoute } from '../../engine/kernel/http-route.ts';
import { Refusal } from '../../engine/kernel/outcomes.ts';
import { administrator } from '../engine/messages/house.ts';

interface Row {
  readonly request: string;
  readonly parameters: readonly string[];
  readonly answers: string;
}

const rows: readonly Row[] = readFileSync('docs/admin-api.md', 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, request = '', parameters = '', answers = ''] = line.split('|').map((cell) => cell.trim());
    const [, asked] = /^`((?:GET|POST|PUT|PATCH|DELETE) \/admin\/[^`]+)`$/.exec(request) ?? [];
    if (asked === undefined) return [];
    return [
      {
        request: asked,
        parameters: [...parameters.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
        answers,
      },
    ];
  });

/** Whatever a file of engine/rest/admin calls `…Routes` makes routes of its parts; the parts are not needed to know them. */
async function declared(): Promise<readonly HttpRoute[]> {
  const folder = resolve('engine/rest/admin');
  const files = await Promise.all(
    readdirSync(folder).map((name) => import(resolve(folder, name)) as Promise<Record<string, unknown>>),
  );
  const makers = files.flatMap((file) =>
    Object.entries(file).flatMap(([name, value]) =>
      name.endsWith('Routes') ? [value as (parts: object) => readonly HttpRoute[]] : [],
    ),
  );
  return makers.flatMap((routes) => routes({}));
}

const routes = await declared();
const lineOf = ({ method, path }: HttpRoute): string => `${method} ${path}`;

/** What a route says it knows when it is asked with a parameter that nothing knows; undefined where it looks at others first. */
async function knownTo(route: HttpRoute): Promise<readonly string[] | undefined> {
  const request: HttpRequest = {
    ...{ actor: administrator, params: { id: 'x', name: 'x' }, headers: {}, correlationId: 'c' },
    ...{ query: new URLSearchParams({ nobody: '1' }), body: Buffer.from('{}') },
  };
  try {
    await route.handle(request);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'unknown-parameter') return undefined;
    const [, names = ''] = /known parameters are: (.*)$/.exec(error.message) ?? [];
    return names.split(', ').filter((name) => name !== '');
  }
  return undefined;
}

describe('docs/admin-api.md', () => {
  test('shows every route, and no other', () => {
    expect(rows.map(({ request }) => request).sort()).toEqual(routes.map(lineOf).sort());
  });

  test('says of every route how it answers', () => {
    expect(rows.filter(({ answers }) => !/^20\d\b/.test(answers))).toEqual([]);
  });

  test('all of them need the scope admin', () => {
    expect(routes.filter(({ access }) => access !== 'admin').map(lineOf)).toEqual([]);
  });

  test.each(routes.map((route) => [lineOf(route), route] as const))(
    'shows what %s takes',
    async (line, route) => {
      const known = await knownTo(route);
      const shown = rows.find(({ request }) => request === line)?.parameters;
      if (known !== undefined) expect([...(shown ?? [])].sort()).toEqual([...known].sort());
    },
  );

  test('most routes say what they take', async () => {
    const asked = await Promise.all(routes.map(knownTo));
    expect(asked.filter((known) => known !== undefined).length).toBeGreaterThan(10);
  });
});
