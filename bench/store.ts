// How fast the SQLite store is by itself: durable creates, transactions per fsync, reads, and search pages over many Observations.
// node bench/store.ts [observations, default 100000]
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../engine/kernel/logger.ts';
import type { IndexEntry } from '../engine/search/index-entry.ts';
import type { Condition, Plan, SortKey } from '../engine/search/plan.ts';
import { openSqliteStore } from '../engine/storage/sqlite/open.ts';
import type { Store } from '../engine/storage/store.ts';

const observations = Number(process.argv[2] ?? 100_000);
const clock = { now: () => Date.now() };
const folder = mkdtempSync(join(tmpdir(), 'kiungo-bench-'));
const file = join(folder, 'tenant.db');

const day = 86_400_000;
const start = Date.UTC(2026, 0, 1);
const padding = 'x'.repeat(1_000);
const idOf = (number: number): string => `0198c0de-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;

/** Twelve entries, as a laboratory result has. 1,000 patients, 50 codes. */
function entriesOf(number: number): readonly IndexEntry[] {
  const at = start + ((number * 7_919) % 365) * day + number;
  const code = `${6_000 + (number % 50)}-2`;
  const subject = `Patient/${idOf((number * 31) % 1_000)}`;
  const value = (number % 400) / 10;
  const report = Math.floor(number / 20);
  return [
    { kind: 'token', parameter: 'Observation.code', system: 'http://loinc.org', code },
    { kind: 'token', parameter: 'Observation.code', system: 'http://hospital/lab', code: `L${number % 50}` },
    { kind: 'token', parameter: 'Observation.category', system: 'http://category', code: 'laboratory' },
    { kind: 'token', parameter: 'Observation.status', system: 'http://status', code: 'preliminary' },
    { kind: 'token', parameter: 'Observation.identifier', system: 'http://lab', code: `S-${number}` },
    { kind: 'reference', parameter: 'Observation.subject', target: subject },
    { kind: 'reference', parameter: 'Observation.specimen', target: `Specimen/${idOf(report)}` },
    { kind: 'reference', parameter: 'Observation.device', target: 'Device/analyser-1' },
    { kind: 'reference', parameter: 'Observation.based-on', target: `ServiceRequest/${idOf(report)}` },
    { kind: 'date', parameter: 'Observation.date', low: at, high: at + 1_000 },
    { kind: 'quantity', parameter: 'Observation.value-quantity', system: 'ucum', unit: 'g/L', low: value, high: value + 0.1 },
    { kind: 'token', parameter: 'Observation.interpretation', system: 'http://interpretation', code: number % 9 ? 'N' : 'H' },
  ]; // prettier-ignore
}

async function create(store: Store, number: number): Promise<void> {
  const id = idOf(number);
  const body = JSON.stringify({ resourceType: 'Observation', id, padding });
  const version = {
    type: 'Observation',
    id,
    version: 1,
    lastUpdated: start + number,
    method: 'POST',
    body,
  } as const;
  await store.transact(({ resources }) => resources.write(version, entriesOf(number), []));
}

/** Creates by so many callers, each waiting for its own before the next. */
async function creates(
  store: Store,
  from: number,
  count: number,
  callers: number,
): Promise<readonly number[]> {
  let next = from;
  const times: number[] = [];
  const caller = async (): Promise<void> => {
    while (next < from + count) {
      const begin = performance.now();
      await create(store, (next += 1) - 1);
      times.push(performance.now() - begin);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return times.sort((one, other) => one - other);
}

const leaf = (code: string): Condition => ({
  op: 'leaf',
  leaf: { kind: 'token', parameter: 'Observation.code', system: 'http://loinc.org', code },
});
const subject: Condition = {
  op: 'leaf',
  leaf: { kind: 'reference', parameter: 'Observation.subject', target: `Patient/${idOf(31)}` },
};
const byDate: readonly SortKey[] = [
  { by: { kind: 'date', parameter: 'Observation.date' }, descending: true },
];
const span = (comparator: 'ge' | 'lt' | 'gt', at: number): Condition => ({
  op: 'leaf',
  leaf: { kind: 'date', parameter: 'Observation.date', comparator, low: at, high: at + day },
});

const searches: readonly (readonly [name: string, change: Partial<Plan>])[] = [
  ['code (2 %)', { where: leaf('6007-2') }],
  ['code (2 %), newest first', { where: leaf('6007-2'), order: byDate }],
  ['category (all), newest first', { where: { op: 'leaf', leaf: { kind: 'token', parameter: 'Observation.category', system: undefined, code: 'laboratory' } }, order: byDate }],
  ['subject, newest first', { where: subject, order: byDate }],
  ['subject and code, newest first', { where: { op: 'and', of: [subject, leaf('6001-2')] }, order: byDate }],
  ['code and date ge, newest first', { where: { op: 'and', of: [leaf('6007-2'), span('ge', start + 180 * day)] }, order: byDate }],
  ['date ge (last day)', { where: span('ge', start + 364 * day) }],
  ['date lt (first day)', { where: span('lt', start + day) }],
  ['one of 10 codes, newest first', { where: { op: 'or', of: Array.from({ length: 10 }, (_, n) => leaf(`${6_000 + n}-2`)) }, order: byDate }],
  ['identifier', { where: { op: 'leaf', leaf: { kind: 'token', parameter: 'Observation.identifier', system: 'http://lab', code: 'S-777' } } }],
  ['not code', { where: { op: 'not', of: leaf('6007-2') } }],
  ['value gt 39.5, newest first', { where: { op: 'leaf', leaf: { kind: 'quantity', parameter: 'Observation.value-quantity', system: 'ucum', unit: 'g/L', comparator: 'gt', low: 39.4, high: 39.6 } }, order: byDate }],
  ['all, last changed first', { order: [{ by: { kind: 'lastUpdated' }, descending: true }] }],
  ['all, newest first, page 3', { order: byDate }],
  ['code (2 %), total', { where: leaf('6007-2'), total: 'accurate' }],
  ['all, total', { total: 'accurate' }],
]; // prettier-ignore

async function timeSearch(store: Store, change: Partial<Plan>): Promise<string> {
  const plan: Plan = {
    type: 'Observation',
    where: { op: 'every' },
    order: [],
    count: 20,
    after: undefined,
    total: 'none',
    ...change,
  };
  let found = 0;
  const times: number[] = [];
  for (let round = 0; round < 60; round += 1) {
    const begin = performance.now();
    found = (await store.resources.search(plan)).matches.length;
    times.push(performance.now() - begin);
  }
  times.sort((one, other) => one - other);
  return `p50 ${at(times, 0.5)} ms, p95 ${at(times, 0.95)} ms, ${found} matches`;
}

const at = (sorted: readonly number[], share: number): string =>
  (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2);
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

let store = await openSqliteStore({ file, clock, logger: silentLogger });
let made = 0;
for (const [callers, count] of [
  [1, 3_000],
  [8, 8_000],
  [32, 20_000],
  [128, observations - 31_000],
] as const) {
  // prettier-ignore
  const begin = performance.now();
  const processor = process.cpuUsage();
  const times = await creates(store, made, count, callers);
  const seconds = (performance.now() - begin) / 1_000;
  const used = process.cpuUsage(processor);
  made += count;
  say(
    `creates, ${callers} callers: ${(count / seconds).toFixed(0)}/s, p50 ${at(times, 0.5)} ms, p99 ${at(times, 0.99)} ms, longest ${at(times, 1 - 1e-9)} ms, ` +
      `${((used.user + used.system) / count).toFixed(0)} µs of processor each`,
  );
}
say(`file: ${(statSync(file).size / made / 1_024).toFixed(2)} KiB a resource (body 1.1 KiB)`);
await store.close();
store = await openSqliteStore({ file, clock, logger: silentLogger });

const begin = performance.now();
for (let round = 0; round < 50_000; round += 1) {
  await store.resources.read('Observation', idOf((round * 7_919) % made));
}
say(`reads by id, one caller: ${(50_000 / ((performance.now() - begin) / 1_000)).toFixed(0)}/s`);
for (const [name, change] of searches) say(`search ${name}: ${await timeSearch(store, change)}`);
await store.close();
rmSync(folder, { recursive: true });
