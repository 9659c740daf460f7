// Rounds come one after the other, whatever becomes of each, until they are stopped.
import { expect, test } from '@jest/globals';
import { setTimeout as wait } from 'node:timers/promises';
import { createRounds } from '../../../engine/kernel/rounds.ts';

test('one after the other, after the pause that is asked for each time, though a round fails', async () => {
  const done: string[] = [];
  const pauses = [1, 2, 60_000];
  const rounds = createRounds({
    round: async () => {
      done.push('begin');
      await wait(2);
      done.push('end');
      if (done.length === 2) throw new Error('away');
    },
    failed: (cause) => void done.push((cause as Error).message),
    pauseMs: () => pauses.shift() ?? 60_000,
  });

  rounds.start(0);
  while (pauses.length > 0) await wait(1);
  await rounds.stop();

  expect(done).toEqual(['begin', 'end', 'away', 'begin', 'end', 'begin', 'end']);
});

test('stopping tells the round under way, waits for it, and no other one begins', async () => {
  const done: string[] = [];
  const rounds = createRounds({
    round: async (isStopping) => {
      done.push('begin');
      while (!isStopping()) await wait(1);
      await wait(5);
      done.push('end');
    },
    failed: () => undefined,
    pauseMs: () => 0,
  });

  rounds.start(0);
  while (done.length === 0) await wait(1);
  await rounds.stop();
  expect(done).toEqual(['begin', 'end']);

  await wait(10);
  expect(done).toEqual(['begin', 'end']);
});

test('stopped before the first round, none begins', async () => {
  let count = 0;
  const rounds = createRounds({
    round: async () => void (count += 1),
    failed: () => undefined,
    pauseMs: () => 0,
  });

  rounds.start(5);
  await rounds.stop();

  await wait(15);
  expect(count).toBe(0);
});
