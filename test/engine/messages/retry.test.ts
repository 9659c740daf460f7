// Back-off: the table of the policy, longer by at most a quarter, and an end.
import { describe, expect, test } from '@jest/globals';
import { conflict, notFound } from '../../../engine/kernel/outcomes.ts';
import { delayAfter, retryClassOf, retryPolicies } from '../../../engine/messages/retry.ts';

const policy = { delaysMs: [1_000, 5_000, 60_000], tries: 5, ambiguous: 'give-up' } as const;

describe('back-off', () => {
  test.each([
    [1, 1_000],
    [2, 5_000],
    [3, 60_000],
    [4, 60_000],
  ])('after try %i it waits %i ms and up to a quarter more', (attempts, delay) => {
    for (const seed of ['a', 'b', '0199-1', '0199-2']) {
      expect(delayAfter(policy, attempts, seed)).toBeGreaterThanOrEqual(delay);
      expect(delayAfter(policy, attempts, seed)).toBeLessThanOrEqual(delay * 1.25);
    }
  });

  test('after the last try there is none', () => {
    expect(delayAfter(policy, 5, 'a')).toBeUndefined();
    expect(delayAfter(policy, 6, 'a')).toBeUndefined();
  });

  test('what failed together does not come back together', () => {
    const delays = new Set(
      Array.from({ length: 100 }, (_, index) => delayAfter(policy, 3, `message-${index}`)),
    );
    expect(delays.size).toBeGreaterThan(90);
  });

  test('the shipped policies never wait less for a later try', () => {
    for (const { delaysMs } of Object.values(retryPolicies)) {
      expect([...delaysMs]).toEqual([...delaysMs].sort((one, other) => one - other));
    }
  });

  test('a refusal says itself whether another try helps; a defect may have happened half-way', () => {
    expect(retryClassOf(conflict('busy'))).toBe('transient');
    expect(retryClassOf(notFound('Patient', '1'))).toBe('permanent');
    expect(retryClassOf(new TypeError('x is undefined'))).toBe('ambiguous');
  });
});
