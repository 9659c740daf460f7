// What every JobStore promises, one test a promise.
import { describe, expect, test } from '@jest/globals';
import type { StoredJob } from '../../engine/storage/job-store.ts';
import { withStore, type OpenStore } from './opened-store.ts';

const job = (id: string, change: Partial<StoredJob> = {}): StoredJob => ({
  id,
  name: 'purge',
  type: 'normal',
  priority: 0,
  nextRunAt: 100,
  lockedAt: undefined,
  disabled: false,
  details: '{"n":1}',
  ...change,
});

const now = 1000;
const expired = now - 500;

/** Whether a job is taken at time 1000, when locks from before 500 have run out. */
const takeable: readonly (readonly [rule: string, change: Partial<StoredJob>, taken: boolean])[] = [
  ['due and free', {}, true],
  ['due exactly now', { nextRunAt: now }, true],
  ['not due', { nextRunAt: now + 1 }, false],
  ['never to run again', { nextRunAt: undefined }, false],
  ['disabled', { disabled: true }, false],
  ['of another name', { name: 'other' }, false],
  ['locked', { lockedAt: expired + 1 }, false],
  ['its lock run out', { lockedAt: expired - 1, nextRunAt: undefined }, true],
];

export function jobStoreContract(name: string, open: OpenStore): void {
  describe(`${name}: jobs`, () => {
    test(
      'a saved job is listed, by id, by name, and up to the limit',
      withStore(open, async ({ jobs }) => {
        for (const one of [job('a'), job('b'), job('c', { name: 'other' })]) await jobs.save(one);
        expect(await jobs.jobs({ id: 'a' })).toEqual([job('a')]);
        expect((await jobs.jobs({ name: 'purge' })).map(({ id }) => id)).toEqual(['a', 'b']);
        expect(await jobs.jobs({ limit: 2 })).toHaveLength(2);
        expect(await jobs.jobs({})).toHaveLength(3);
      }),
    );

    test(
      'saving replaces by id but leaves the lock as it is',
      withStore(open, async ({ jobs }) => {
        await jobs.save(job('a'));
        await jobs.lock('a', now, expired);
        const saved = await jobs.save(job('a', { nextRunAt: 200, details: '{}' }));
        expect(saved).toEqual(job('a', { nextRunAt: 200, details: '{}', lockedAt: now }));
        expect(await jobs.jobs({})).toEqual([saved]);
      }),
    );

    test(
      'there is one single job of a name, and it keeps its id',
      withStore(open, async ({ jobs }) => {
        await jobs.save(job('a', { type: 'single' }));
        const saved = await jobs.save(job('b', { type: 'single', nextRunAt: 7 }));
        expect(saved).toEqual(job('a', { type: 'single', nextRunAt: 7 }));
        expect(await jobs.jobs({})).toEqual([saved]);
      }),
    );

    test.each(takeable)('take: %s', (_rule, change, taken) =>
      withStore(open, async ({ jobs }) => {
        await jobs.save(job('a', change));
        const found = await jobs.take('purge', now, now, expired);
        expect(found).toEqual(taken ? job('a', { ...change, lockedAt: now }) : undefined);
      })(),
    );

    test(
      'the highest priority is taken first, then the oldest',
      withStore(open, async ({ jobs }) => {
        const waiting = [
          job('late', { nextRunAt: 20 }),
          job('early', { nextRunAt: 10 }),
          job('urgent', { priority: 5 }),
        ];
        for (const one of waiting) await jobs.save(one);
        const taken: (string | undefined)[] = [];
        while (taken.length <= waiting.length) taken.push((await jobs.take('purge', now, now, expired))?.id);
        expect(taken).toEqual(['urgent', 'early', 'late', undefined]);
      }),
    );

    test(
      'of many callers one gets the job',
      withStore(open, async ({ jobs }) => {
        await jobs.save(job('a'));
        const takes = Array.from({ length: 10 }, () => jobs.take('purge', now, now, expired));
        expect((await Promise.all(takes)).filter((taken) => taken !== undefined)).toHaveLength(1);
        await jobs.unlock(['a']);
        const locks = Array.from({ length: 10 }, () => jobs.lock('a', now, expired));
        expect((await Promise.all(locks)).filter((locked) => locked !== undefined)).toHaveLength(1);
      }),
    );

    test(
      'remove counts what it removed',
      withStore(open, async ({ jobs }) => {
        for (const id of ['a', 'b', 'c']) await jobs.save(job(id));
        expect(await jobs.remove({ id: 'a' })).toBe(1);
        expect(await jobs.remove({ id: 'a' })).toBe(0);
        expect(await jobs.remove({ name: 'purge' })).toBe(2);
      }),
    );
  });
}
