// A large transaction is worked on for hundreds of milliseconds; in between, the sockets of everybody else want to be looked at.
import { setImmediate as nextTurn } from 'node:timers/promises';

const longestMs = 10;

/** To be awaited after each piece of work: now and then it lets the event loop turn once. */
export function createBreath(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < longestMs) return;
    await nextTurn();
    last = performance.now();
  };
}
