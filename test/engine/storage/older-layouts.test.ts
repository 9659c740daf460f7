// Data that an earlier version of the engine wrote: it opens, is found by every kind of value, and the store agrees with itself.
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import type { IndexEntry } from '../../../engine/search/index-entry.ts';
import type { Leaf } from '../../../engine/search/plan.ts';
import { checkStore } from '../../../engine/storage/sqlite/check-store.ts';
import { Connection } from '../../../engine/storage/sqlite/connection.ts';
import { migrate } from '../../../engine/storage/sqlite/migrations.ts';
import { openSqliteStore } from '../../../engine/storage/sqlite/open.ts';
import type { Store } from '../../../engine/storage/store.ts';

const folder = mkdtempSync(join(tmpdir(), 'kiungo-layout-'));
const file = join(folder, 'tenant.db');
const body = '{"resourceType":"Observation","id":"a","meta":{"versionId":"1"}}';
const rid = 2 ** 40 + 1;

/** As the first layout has them. */
const written = `
  INSERT INTO name VALUES (1, 1, 'Observation'), (2, 1, 'Observation.date'), (2, 2, 'Observation.value'), (2, 3, 'Observation.code'),
    (2, 4, 'Observation.number'), (3, 1, 'ucum'), (4, 1, 'g/L');
  INSERT INTO resource VALUES (${rid}, 1, 'a', 1, 1, 1000, 'PUT', '${body}');
  INSERT INTO range_index (parameter, low, rid, high, unit, system) VALUES (1, 10, ${rid}, 20, 0, 0), (1, 15, ${rid}, 40, 0, 0),
    (2, 2.78, ${rid}, 2.79, 1, 1), (4, 5, ${rid}, 9e999, 0, 0);
  INSERT INTO range_width VALUES (1, 25.1), (2, 0.02), (4, 9e999);
  INSERT INTO token_index (parameter, code, rid, system) VALUES (3, '718-7', ${rid}, 1);
  INSERT INTO message (id, channel, peer, received_at, control_id, message_type, format, digest, size, state, attempts, due_at,
    acknowledgement, effects) VALUES ('m', 'hl7', '', 1, '', '', '', '${hash('sha256', 'PID|1||Otieno m')}', 1, 'dead', 0, 0, 'sent', '[]'),
    ('w', 'hl7', '', 2, '', '', '', '${hash('sha256', 'PID|1||Otieno w')}', 1, 'received', 0, 0, 'sent', '[]');
  UPDATE message SET answer = zeroblob(50000) WHERE id = 'm';
  INSERT INTO message_raw (sequence, bytes) SELECT sequence, CAST('PID|1||Otieno ' || id AS BLOB) FROM message;
  INSERT INTO delivery (id, destination, lane, created_at, state, head, ready_at, attempts, leases, due_at, leased_until, content_type,
    cause, payload) VALUES ('large', 'send:a', 'a', 1, 'waiting', 1, 1, 0, 0, 1, 0, 'text/plain', 'm', zeroblob(50000)),
    ('small', 'send:a', 'b', 1, 'waiting', 1, 1, 0, 0, 1, 0, 'text/plain', 'm', CAST('x' AS BLOB));
`;

const entries: readonly IndexEntry[] = [
  { kind: 'date', parameter: 'Observation.date', low: 10, high: 20 },
  { kind: 'date', parameter: 'Observation.date', low: 15, high: 40 },
  { kind: 'quantity', parameter: 'Observation.value', unit: 'g/L', system: 'ucum', low: 2.78, high: 2.79 },
  { kind: 'number', parameter: 'Observation.number', low: 5, high: Infinity },
  { kind: 'token', parameter: 'Observation.code', system: 'ucum', code: '718-7' },
];

let store: Store;
beforeAll(async () => {
  const connection = new Connection(file, { cacheKiB: 1_024, mapBytes: 0, busyTimeoutMs: 100 });
  migrate(connection.database, 1);
  connection.database.exec(written);
  connection.close();
  store = await openSqliteStore({ file, clock: { now: () => 1 }, logger: silentLogger });
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const date = (comparator: 'ge' | 'lt' | 'eb', at: number): Leaf => ({
  kind: 'date',
  parameter: 'Observation.date',
  comparator,
  low: at,
  high: at,
});

/** In the last one different values of the date satisfy the two leaves. */
const found: readonly (readonly [leaves: readonly Leaf[], matches: number])[] = [
  [[date('ge', 30)], 1],
  [[date('ge', 50)], 0],
  [[{ kind: 'quantity', parameter: 'Observation.value', unit: 'g/L', system: 'ucum', comparator: 'gt', low: 2, high: 2 }], 1],
  [[{ kind: 'quantity', parameter: 'Observation.value', unit: undefined, system: undefined, comparator: 'lt', low: 3, high: 3 }], 1],
  [[{ kind: 'number', parameter: 'Observation.number', comparator: 'gt', low: 1e9, high: 1e9 }], 1],
  [[{ kind: 'token', parameter: 'Observation.code', system: 'ucum', code: '718-7' }], 1],
  [[date('eb', 25), date('ge', 30)], 1],
]; // prettier-ignore

test.each(found)('%j', async (leaves, matches) => {
  const where = { op: 'and', of: leaves.map((leaf) => ({ op: 'leaf', leaf }) as const) } as const;
  const plan = {
    type: 'Observation',
    where,
    order: [],
    count: 10,
    after: undefined,
    total: 'accurate',
  } as const;
  const page = await store.resources.search(plan);
  expect([page.matches.length, page.total]).toEqual([matches, matches]);
});

test('messages are counted', async () => {
  expect((await store.messages.census()).messages.dead).toBe(1);
});

test('messages are found by their words, and wait for their index where they are worked on', async () => {
  const { items } = await store.messages.messages({ text: 'otieno', limit: 10, offset: 0 });
  expect(items.map(({ id }) => id)).toEqual(['w', 'm']);
  expect((await store.messages.unindexed(10)).map(({ id }) => id)).toEqual(['m']);
});

test('messages have their answers', async () => {
  expect((await store.messages.message('m'))?.answer).toEqual(new Uint8Array(50_000));
  expect((await store.messages.message('w'))?.answer).toBeUndefined();
});

test('deliveries have their payloads', async () => {
  const { items } = await store.messages.deliveries({ limit: 10, offset: 0 });
  expect(items.map(({ id, size }) => [id, size])).toEqual([
    ['large', 50_000],
    ['small', 1],
  ]);
  expect((await store.messages.delivery('large'))?.payload).toEqual(new Uint8Array(50_000));
  expect((await store.messages.delivery('small'))?.payload).toEqual(new Uint8Array(Buffer.from('x')));
});

test('the store agrees with itself', () => {
  expect([
    ...checkStore(
      file,
      () => entries,
      () => undefined,
    ),
  ]).toEqual([]);
});
