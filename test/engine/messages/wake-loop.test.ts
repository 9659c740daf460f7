// The loop that works when called: no call is lost, and stopping waits for the round under way.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createWakeLoop } from '../../../engine/messages/wake-loop.ts';

describe('wake loop', () => {
  test('a call during a round causes one more round, without waiting for the poll', async () => {
    let rounds = 0;
    const loop = createWakeLoop({
      pollMs: 60_000,
      round: async () => {
        rounds += 1;
        if (rounds === 1) [1, 2, 3].forEach(() => loop.wake());
        return 'done';
      },
    });
    loop.start();
    await sleep(30);
    expect(rounds).toBe(2);
    loop.wake();
    await sleep(30);
    expect(rounds).toBe(3);
    await loop.stop();
  });

  test('it looks by itself at every poll, and goes on at once while there is more', async () => {
    const left = ['more', 'more', 'done', 'done'] as const;
    let rounds = 0;
    const loop = createWakeLoop({ pollMs: 40, round: async () => left[rounds++] ?? 'done' });
    loop.start();
    await sleep(20);
    expect(rounds).toBe(3);
    await sleep(60);
    expect(rounds).toBeGreaterThanOrEqual(4);
    await loop.stop();
  });

  test('between two rounds it rests, however often it is called; a call that hurries ends the rest', async () => {
    let rounds = 0;
    const counted = createWakeLoop({
      pollMs: 60_000,
      restMs: 10_000,
      round: async () => {
        rounds += 1;
        counted.wake();
        return 'done';
      },
    });
    counted.start();
    await sleep(30);
    counted.wake();
    await sleep(30);
    expect(rounds).toBe(1);
    counted.hurry();
    await sleep(30);
    expect(rounds).toBe(2);
    await counted.stop();
  });

  test('stop waits for the round under way and begins no other', async () => {
    let begun = 0;
    let ended = 0;
    const loop = createWakeLoop({
      pollMs: 1,
      round: async () => {
        begun += 1;
        await sleep(30);
        ended += 1;
        return 'more';
      },
    });
    loop.start();
    await sleep(5);
    await loop.stop();
    expect([begun, ended]).toEqual([1, 1]);
    await sleep(50);
    expect(begun).toBe(1);
  });
});
