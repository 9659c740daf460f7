// `checkStore` finds each way in which a store can disagree with itself, and nothing where it agrees.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import type { IndexEntry } from '../../../engine/search/index-entry.ts';
import { checkStore } from '../../../engine/storage/sqlite/check-store.ts';
import { Connection } from '../../../engine/storage/sqlite/connection.ts';
import { openSqliteStore } from '../../../engine/storage/sqlite/open.ts';

const entries: readonly IndexEntry[] = [
  { kind: 'token', parameter: 'Patient.identifier', system: 'urn:a', code: 'x'.repeat(100) },
  { kind: 'reference', parameter: 'Patient.organization', target: 'Organization/o' },
  { kind: 'reference', parameter: 'Patient.link', target: 'http://elsewhere/Patient/1' },
  { kind: 'uri', parameter: 'Patient._profile', value: 'http://a.org/p' },
  { kind: 'string', parameter: 'Patient.family', value: 'Wanjikũ', folded: 'wanjiku' },
  { kind: 'string', parameter: 'Patient.family', value: 'Otieno', folded: 'otieno' },
  { kind: 'date', parameter: 'Patient.birthdate', low: 100, high: 200 },
  { kind: 'date', parameter: 'Patient.death', low: 100, high: Infinity },
  { kind: 'quantity', parameter: 'Patient.weight', system: 'ucum', unit: 'kg', low: 2.78, high: 2.79 },
  { kind: 'position', parameter: 'Patient.near', latitude: -1.29, longitude: 36.82 },
  { kind: 'composite', parameter: 'Patient.part', parts: [{ kind: 'token', parameter: 'Patient.part', system: '', code: 'a' }, { kind: 'number', parameter: 'Patient.part', low: 1, high: 2 }] },
  { kind: 'text', parameter: 'Patient._content', folded: 'wanjiku otieno otieno' },
  { kind: 'text', parameter: 'Patient._text', folded: 'otieno' },
]; // prettier-ignore

const bodyOf = (id: string, version: number): string =>
  JSON.stringify({ resourceType: 'Patient', id, meta: { versionId: String(version) } });

/** Three versions of a, one of b, c deleted. */
async function fill(file: string): Promise<void> {
  const store = await openSqliteStore({ file, clock: { now: () => 1 }, logger: silentLogger });
  const write = (id: string, version: number, gone = false): Promise<void> =>
    store.transact(({ resources }) =>
      resources.write(
        { type: 'Patient', id, version, lastUpdated: version, method: gone ? 'DELETE' : 'PUT', body: gone ? undefined : bodyOf(id, version) },
        gone ? [] : entries,
        version === 1 ? [] : entries,
      ),
    ); // prettier-ignore
  for (const version of [1, 2, 3]) await write('a', version);
  await write('b', 1);
  await write('c', 1);
  await write('c', 2, true);
  await store.transact(async ({ resources, contents }) => {
    const body = '{"resourceType":"Binary","id":"d","meta":{"versionId":"1"}}';
    const content = await contents.put(new Uint8Array(600_000));
    await resources.write(
      { type: 'Binary', id: 'd', version: 1, lastUpdated: 1, method: 'PUT', body, content },
      [],
      [],
    );
  });
  await store.close();
}

async function problemsAfter(damage: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kiungo-check-'));
  const file = join(folder, 'tenant.db');
  await fill(file);
  const connection = new Connection(file, { cacheKiB: 1_024, mapBytes: 0, busyTimeoutMs: 100 });
  connection.database.exec(damage);
  connection.close();
  const problems = [
    ...checkStore(
      file,
      (body) => (body.includes('Binary') ? [] : entries),
      () => undefined,
    ),
  ];
  rmSync(folder, { recursive: true });
  return problems;
}

const b = "(SELECT rid FROM resource WHERE id = 'b')";
const tables = [
  'token_index',
  'reference_index',
  'uri_index',
  'string_index',
  'range_index',
  'composite_index',
];

/** As many words as before, of which one is another. */
const oneWordChanged = `DELETE FROM text_index WHERE rowid = ${b}; INSERT INTO text_index (rowid, words)
  SELECT ${b}, c.number || ': ' || c.number || ':wanjiku ' || c.number || ':another ' || t.number || ': ' || t.number || ':otieno'
  FROM name AS c, name AS t WHERE c.text = 'Patient._content' AND t.text = 'Patient._text'`;

/** One damage, and the beginning of what is said about it. */
const damages: readonly (readonly [damage: string, problem: RegExp])[] = [
  ...tables.map((table) => [`DELETE FROM ${table} WHERE rid = ${b}`, new RegExp(`^Patient/b lacks a row of Patient\\..* in ${table}$`)] as const),
  [`UPDATE token_index SET code = 'y' WHERE rid = ${b}`, /^Patient\/b has a row too many of Patient.identifier in token_index$/],
  [`UPDATE range_index SET high = high + 1 WHERE rid = ${b} AND high = 200`, /^Patient\/b has a row too many of Patient.birthdate in range_index$/],
  [`INSERT INTO uri_index SELECT parameter, value, 77 FROM uri_index LIMIT 1`, /^number 77 is not there, but in uri_index$/],
  [`INSERT INTO string_index SELECT parameter, folded, (SELECT rid FROM resource WHERE id = 'c'), value FROM string_index LIMIT 1`, /^Patient\/c has a row too many of Patient.family in string_index$/],
  [`DELETE FROM text_index WHERE rowid = ${b}`, /^Patient\/b has other words in text_index$/],
  [oneWordChanged, /^Patient\/b has other words in text_index$/],
  [`INSERT INTO text_index (rowid, words) VALUES (99, 'x')`, /^number 99 is not there, but in text_index$/],
  [`UPDATE parameter_fact SET repeats = 0`, /^Patient\/a goes beyond what parameter_fact says of Patient.family$/],
  [`UPDATE parameter_fact SET widest = 1`, /^Patient\/a goes beyond what parameter_fact says of Patient.birthdate$/],
  [`DELETE FROM history WHERE version = 2`, /^Patient\/a has a gap in its history$/],
  [`INSERT INTO history SELECT 1234, version, updated, method, body FROM history LIMIT 1`, /^number 1234 has a history and no current version$/],
  [`UPDATE resource SET live = 0 WHERE id = 'b'`, /^Patient\/b is marked as there without a body/],
  [`UPDATE resource SET version = 7 WHERE id = 'b'`, /^Patient\/b has another type, id or version in its body$/],
  [`DELETE FROM content_piece WHERE number = (SELECT max(number) FROM content_piece)`, /^Binary\/d has a content that is not what was kept$/],
  [`UPDATE content_piece SET bytes = CAST('x' || substr(bytes, 2) AS BLOB)`, /^Binary\/d has a content that is not what was kept$/],
  [`DELETE FROM content`, /^Binary\/d has a content that is not what was kept$/],
  [`UPDATE content_use SET version = 2`, /^number .* has a content for a version that is not there$/],
  [`INSERT INTO message (id, channel, peer, received_at, control_id, message_type, format, digest, size, state, attempts, due_at, acknowledgement, effects) VALUES ('m', '', '', 1, '', '', '', '', 1, 'received', 0, 0, 'sent', ''); DELETE FROM census`, /^message\/.*, received is counted wrongly$/],
]; // prettier-ignore

describe('checkStore', () => {
  test('says nothing where all agrees', async () => {
    expect(await problemsAfter('')).toEqual([]);
  });

  test('takes older versions that were removed for good as removed', async () => {
    expect(await problemsAfter('DELETE FROM history WHERE version = 1')).toEqual([]);
  });

  test.each(damages)('%s', async (damage, problem) => {
    const problems = await problemsAfter(damage);
    expect(problems).toContainEqual(expect.stringMatching(problem));
  });
});
