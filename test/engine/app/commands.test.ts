// The commands in a process of their own, as a person gives them, over data that an engine has left.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { loadSearchIndex } from '../../../engine/search/load-index.ts';
import { openSqliteStore } from '../../../engine/storage/sqlite/open.ts';

const data = mkdtempSync(join(tmpdir(), 'kiungo-commands-'));

async function put(id: string, entries: boolean): Promise<void> {
  mkdirSync(join(data, 'store'), { recursive: true });
  const file = join(data, 'store', 'hospital.sqlite');
  const store = await openSqliteStore({ file, clock: { now: () => 1 }, logger: silentLogger });
  const resource = { resourceType: 'Patient', id, meta: { versionId: '1' }, gender: 'female' } as const;
  const next = { type: 'Patient', id, version: 1, lastUpdated: 1, method: 'PUT', body: JSON.stringify(resource) } as const;
  await store.transact(({ resources }) =>
    resources.write(next, entries ? loadSearchIndex().entries(resource) : [], []),
  );
  await store.close();
} // prettier-ignore

function kiungo(...words: readonly (string | NodeJS.ProcessEnv)[]): { readonly code: number | null; readonly output: string; readonly errors: string } {
  const ended = spawnSync(process.execPath, ['engine/app/kiungo.ts', ...words.filter((word) => typeof word === 'string')], {
    env: Object.assign({ PATH: process.env['PATH'], KIUNGO_DATA: data }, ...words.filter((word) => typeof word === 'object')) as NodeJS.ProcessEnv,
    encoding: 'utf8',
  });
  return { code: ended.status, output: ended.stdout, errors: ended.stderr };
} // prettier-ignore

beforeAll(() => put('a', true));
afterAll(() => rmSync(data, { recursive: true }));

describe('kiungo', () => {
  test('without a command lists the commands', () => {
    const { code, output } = kiungo();
    expect(code).toBe(2);
    expect(output).toContain("explain '[<type>]?<query>'");
  });

  test('explain shows plan, SQL, rows and time', () => {
    const { code, output } = kiungo('explain', 'Patient?gender=female');
    expect(code).toBe(0);
    expect(output).toContain('Patient.gender is the code female');
    expect(output).toContain('FROM token_index');
    expect(output).toMatch(/SEARCH t\d+ USING PRIMARY KEY \(parameter=\? AND code=\?/);
    expect(output).toMatch(/\n1 matches; \d+ candidates looked at; [\d.]+ ms in SQLite\n$/);
  });

  test('explain looks value sets up, and searches over several types', () => {
    const bySet = kiungo('explain', 'Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender');
    expect([bySet.code, bySet.output]).toEqual([0, expect.stringContaining('Patient.gender')]);
    expect(bySet.output).toMatch(/\n1 matches;/);
    const overTypes = kiungo('explain', '?_type=Patient,Observation&_id=a');
    expect(overTypes.output).toMatch(/^Patient resources for which\n.*^Observation resources for which\n/ms);
    expect(overTypes.output).toMatch(/\n1 matches;/);
  });

  test.each([
    [['explain', 'Patient?gender:in=http://nowhere.example/vs'], /nowhere|value set|ValueSet/],
    [['explain', 'Patient?unheard=of'], /no search parameter unheard/],
    [['explain', 'nonsense'], /a search is expected/],
  ])('%j is refused with a sentence', (words, sentence) => {
    const { code, errors } = kiungo(...words);
    expect([code, errors]).toEqual([2, expect.stringMatching(sentence)]);
  });

  test('compact tells what it has given back, and is refused while an engine holds the store', async () => {
    const { code, output } = kiungo('compact');
    expect([code, output]).toEqual([0, expect.stringMatching(/^[\d.]+ MB before, [\d.]+ MB now\n$/)]);
    const file = join(data, 'store', 'hospital.sqlite');
    const store = await openSqliteStore({ file, clock: { now: () => 1 }, logger: silentLogger });
    const refused = kiungo('compact');
    await store.close();
    expect([refused.code, refused.errors]).toEqual([2, expect.stringContaining('in use by another engine')]);
    expect(kiungo('explain', 'Patient?gender=female').output).toContain('1 matches');
  });

  test('says where no store is', () => {
    const { code, errors } = kiungo('check', { KIUNGO_DATA: join(data, 'nowhere') });
    expect([code, errors]).toEqual([2, expect.stringContaining('there is no store at')]);
  });

  test('check finds nothing, and after a write without its index rows says so with exit code 1', async () => {
    expect(kiungo('check')).toEqual({ code: 0, output: 'The store agrees with itself.\n', errors: '' });
    await put('b', false);
    const { code, output } = kiungo('check');
    expect(code).toBe(1);
    expect(output).toMatch(/^Patient\/b lacks a row of Patient\.gender in token_index$/m);
  });
});
