// Times that come back: which one came last and which comes next, across the changes of clocks; and what is no time.
import { describe, expect, test } from '@jest/globals';
import { readSchedule, type Times } from '../../../engine/jobs/schedule.ts';

const at = (text: string): number => Date.parse(text);
const iso = (time: number | undefined): string | undefined =>
  time === undefined ? undefined : new Date(time).toISOString();

describe('the latest and the next', () => {
  test.each<[string, Times, string, string, string, string]>([
    // rule, times, zone, now, latest, next
    [
      'just before',
      { cron: '0 2 * * *' },
      'Africa/Nairobi',
      '2026-11-21T22:59:59.999Z',
      '2026-11-20T23:00',
      '2026-11-21T23:00',
    ],
    [
      'at the very moment',
      { cron: '0 2 * * *' },
      'Africa/Nairobi',
      '2026-11-21T23:00:00Z',
      '2026-11-21T23:00',
      '2026-11-22T23:00',
    ],
    [
      'seconds first where there are six',
      { cron: '*/10 * * * * *' },
      'UTC',
      '2026-11-21T23:00:05Z',
      '2026-11-21T23:00',
      '2026-11-21T23:00:10',
    ],
    [
      'a time that spring skips',
      { cron: '30 2 * * *' },
      'Europe/Berlin',
      '2026-03-29T12:00:00Z',
      '2026-03-29T01:00',
      '2026-03-30T00:30',
    ],
    [
      'a time that autumn has twice, once',
      { cron: '30 2 * * *' },
      'Europe/Berlin',
      '2026-10-25T01:45:00Z',
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ],
    [
      'an interval, whenever it was begun',
      { everySeconds: 90 },
      'Africa/Nairobi',
      '1970-01-01T00:02:00Z',
      '1970-01-01T00:01:30',
      '1970-01-01T00:03',
    ],
  ])('%s', (_rule, times, zone, now, latest, next) => {
    const schedule = readSchedule(times, zone);
    expect(iso(schedule.latest(at(now)))).toBe(iso(at(`${latest}Z`)));
    expect(iso(schedule.next(at(now)))).toBe(iso(at(`${next}Z`)));
  });

  test('what comes next is what came last when it has come, over a year with its changes of clocks', () => {
    const schedule = readSchedule({ cron: '17 */3 * * *' }, 'Europe/Berlin');
    let now = at('2026-01-01T00:00:00Z');
    for (let step = 0; step < 3_000; step += 1) {
      const next = schedule.next(now)!;
      expect(next).toBeGreaterThan(now);
      expect(iso(schedule.latest(next))).toBe(iso(next));
      now = next;
    }
    expect(now).toBeGreaterThan(at('2026-12-01T00:00:00Z'));
  });
});

test.each([
  ['61 * * * *', /minute/],
  ['every day', /no cron expression/],
  ['0 0 30 2 *', /never comes/],
])('%s is refused', (cron, problem) => {
  expect(() => readSchedule({ cron }, 'UTC')).toThrow(problem);
});
