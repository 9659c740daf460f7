// Time and ids that a test knows beforehand.
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../engine/kernel/clock.ts';
import type { Ids } from '../../engine/kernel/ids.ts';

export interface SteppedClock extends Clock {
  pass(ms: number): void;
}

/** Stands still until it is told to go on. */
export function steppedClock(start: string): SteppedClock {
  let now = Date.parse(start);
  return { now: () => now, pass: (ms) => void (now += ms) };
}

/** id-1, id-2, … */
export function countingIds(): Ids {
  let count = 0;
  return {
    next: () => `id-${++count}`,
    secret: (bytes) => randomBytes(bytes).toString('base64url'),
  };
}
