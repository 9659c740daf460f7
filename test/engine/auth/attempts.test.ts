// What is remembered of those who guess: enough to slow them down, and no more than that.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { createAttempts } from '../../../engine/auth/attempts.ts';
import { steppedClock } from '../fixed-parts.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('names of a megabyte from many addresses are not kept', () => {
  const attempts = createAttempts(steppedClock('2026-03-01T08:00:00Z'));
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let place = 0; place < 60; place += 1) {
    const name = Buffer.alloc(1024 * 1024, String(place)).toString();
    expect(attempts.begin({ name, address: `10.0.0.${place}` })).toBe(0);
  }
  collectGarbage();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(10 * 1024 * 1024);
});

test('a longer name is no way around the waiting', () => {
  const attempts = createAttempts(steppedClock('2026-03-01T08:00:00Z'));
  const who = { name: 'a'.repeat(500), address: '10.0.0.1' };
  for (let tries = 0; tries < 5; tries += 1) expect(attempts.begin(who)).toBe(0);
  expect(attempts.begin({ ...who, name: 'a'.repeat(501) })).toBeGreaterThan(0);
});
