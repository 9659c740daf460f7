// Scheduled jobs over a real store: each at its time, once, whoever looks for them, whatever was restarted or died meanwhile.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createScheduler, type JobHandler, type Scheduler } from '../../../engine/jobs/scheduler.ts';
import type { Ids } from '../../../engine/kernel/ids.ts';
import { silentLogger, type Logger } from '../../../engine/kernel/logger.ts';
import { openSqliteStore } from '../../../engine/storage/sqlite/open.ts';
import type { Store } from '../../../engine/storage/store.ts';

const clock = { now: () => Date.now() };
let count = 0;
const ids: Ids = {
  next: () => `id-${(count += 1)}`,
  secret: (bytes) => 'x'.repeat(bytes),
};

let folder: string;
let store: Store;
let started: Scheduler[] = [];

const openStore = (): Promise<Store> =>
  openSqliteStore({ file: join(folder, 'tenant.db'), clock, logger: silentLogger });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kiungo-jobs-'));
  store = await openStore();
});

afterEach(async () => {
  await Promise.all(started.map((scheduler) => scheduler.stop()));
  started = [];
  await store.close();
  rmSync(folder, { recursive: true });
});

/** A started scheduler with one job defined. */
async function scheduler(
  name: string,
  handler: JobHandler,
  options: { readonly lockLifetimeMs?: number; readonly logger?: Logger } = {},
): Promise<Scheduler> {
  const { logger = silentLogger, ...jobOptions } = options;
  const made = createScheduler({ jobs: store.jobs, clock, ids, logger, pollMs: 50 });
  made.define(name, handler, { lockLifetimeMs: 300, ...jobOptions });
  await made.start();
  started.push(made);
  return made;
}

async function until(holds: () => boolean, withinMs = 5_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > end) throw new Error('it did not come about in time');
    await pause(5);
  }
}

describe('a repeated job', () => {
  test('runs again and again', async () => {
    let runs = 0;
    const made = await scheduler('purge', async () => void (runs += 1));
    await made.every(60, 'purge');
    await until(() => runs >= 3);
  });

  test('goes on after a restart, and is still one job', async () => {
    let runs = 0;
    const first = await scheduler('purge', async () => void (runs += 1));
    await first.every(60, 'purge');
    await until(() => runs >= 1);
    await first.stop();
    await store.close();
    store = await openStore();
    expect(await store.jobs.jobs({})).toHaveLength(1);
    const before = runs;
    const second = await scheduler('purge', async () => void (runs += 1));
    await second.every(60, 'purge');
    await until(() => runs >= before + 2);
    expect(await store.jobs.jobs({})).toHaveLength(1);
  });

  test('is not put off by asking for it again before its time', async () => {
    const made = await scheduler('purge', async () => undefined);
    await made.every('1 hour', 'purge');
    await pause(200);
    const [job] = await store.jobs.jobs({ name: 'purge' });
    await pause(5);
    await made.every('1 hour', 'purge');
    const [again] = await store.jobs.jobs({ name: 'purge' });
    expect(again?.nextRunAt).toBe(job?.nextRunAt);
    expect(again?.nextRunAt).toBeGreaterThan(Date.now() + 3_000_000);
  });

  test('that throws is logged and runs again', async () => {
    const errors: unknown[] = [];
    const logger = { ...silentLogger, error: (...facts: unknown[]) => void errors.push(facts) };
    let runs = 0;
    const fails = async (): Promise<void> => {
      runs += 1;
      throw new Error('no');
    };
    const made = await scheduler('purge', fails, { logger });
    await made.every(60, 'purge');
    await until(() => runs >= 2);
    expect(errors[0]).toEqual([{ job: 'purge' }, 'a job failed', new Error('no')]);
  });

  test('never runs twice for one time, though two schedulers look for it', async () => {
    let [runs, together, most] = [0, 0, 0];
    const handler = async (): Promise<void> => {
      runs += 1;
      together += 1;
      most = Math.max(most, together);
      await pause(20);
      together -= 1;
    };
    const [first, second] = [await scheduler('purge', handler), await scheduler('purge', handler)];
    const begin = Date.now();
    await Promise.all([first.every(100, 'purge'), second.every(100, 'purge')]);
    await until(() => runs >= 5);
    expect(most).toBe(1);
    expect(runs).toBeLessThanOrEqual(Math.ceil((Date.now() - begin) / 100) + 1);
    expect(await store.jobs.jobs({})).toHaveLength(1);
  });
});

describe('a single job', () => {
  test('runs once with its data, soon after its time, and is then gone', async () => {
    const runs: unknown[] = [];
    const made = await scheduler('remind', async (run) => void runs.push(run));
    await made.schedule(new Date(Date.now() + 100), 'remind', { order: 7 });
    expect(await store.jobs.jobs({})).toHaveLength(1);
    await until(() => runs.length > 0);
    await pause(150);
    expect(runs).toEqual([{ name: 'remind', data: { order: 7 } }]);
    expect(await store.jobs.jobs({})).toEqual([]);
  });

  test('each of many runs exactly once, though two schedulers look for them', async () => {
    const runs: unknown[] = [];
    const handler: JobHandler = async ({ data }) => void runs.push(data);
    const [first, second] = [await scheduler('remind', handler), await scheduler('remind', handler)];
    const numbers = Array.from({ length: 20 }, (_, number) => number);
    await Promise.all(
      numbers.map((number) => (number % 2 ? first : second).schedule(new Date(), 'remind', number)),
    );
    await until(() => runs.length >= numbers.length);
    await pause(200);
    expect([...runs].sort((one, other) => Number(one) - Number(other))).toEqual(numbers);
  });

  test('scheduled while no engine ran is run by the next one', async () => {
    const idle = createScheduler({ jobs: store.jobs, clock, ids, logger: silentLogger });
    await idle.schedule(new Date(), 'remind', 1);
    const runs: unknown[] = [];
    await scheduler('remind', async ({ data }) => void runs.push(data));
    await until(() => runs.length === 1);
  });
});

describe('locks', () => {
  test('the job of an engine that died runs elsewhere when its lock has run out, not before', async () => {
    const idle = createScheduler({ jobs: store.jobs, clock, ids, logger: silentLogger });
    await idle.schedule(new Date(), 'remind');
    const diedAt = Date.now();
    await store.jobs.take('remind', diedAt, diedAt + 1000, 0);
    let ranAt = 0;
    await scheduler('remind', async () => void (ranAt = Date.now()), { lockLifetimeMs: 400 });
    await until(() => ranAt > 0);
    expect(ranAt - diedAt).toBeGreaterThanOrEqual(400);
  });

  test('a run longer than its lock keeps it by signs of life', async () => {
    let runs = 0;
    const long = async (): Promise<void> => {
      runs += 1;
      await pause(900);
    };
    const first = await scheduler('long', long, { lockLifetimeMs: 200 });
    await scheduler('long', long, { lockLifetimeMs: 200 });
    await first.schedule(new Date(), 'long');
    await pause(800);
    expect(runs).toBe(1);
  });

  test('stop waits for what runs, and starts nothing more', async () => {
    let [begun, ended] = [0, 0];
    const made = await scheduler('slow', async () => {
      begun += 1;
      await pause(200);
      ended += 1;
    });
    await made.every(20, 'slow');
    await until(() => begun === 1);
    await made.stop();
    expect([begun, ended]).toEqual([1, 1]);
    await pause(150);
    expect(begun).toBe(1);
  });
});
