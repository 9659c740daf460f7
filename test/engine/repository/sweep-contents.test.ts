// What nobody waits for after the start: it goes on beside the engine, and ends with it.
import { expect, test } from '@jest/globals';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createSweeping } from '../../../engine/repository/sweep-contents.ts';
import { silentLogger } from '../../../engine/kernel/logger.ts';

test('the start goes on while it is swept; the stop ends the sweep and waits for it', async () => {
  const heard: string[] = [];
  const sweep = async (isStopped: () => boolean = () => false): Promise<number> => {
    while (!isStopped()) await nextTurn();
    heard.push('swept');
    return 0;
  };
  const sweeping = createSweeping({ sweep }, silentLogger);
  sweeping.start();
  heard.push('started');
  await nextTurn();
  await sweeping.stop();
  heard.push('stopped');
  expect(heard).toEqual(['started', 'swept', 'stopped']);
});

test('a sweep that fails is no failure of the engine', async () => {
  const sweeping = createSweeping(
    { sweep: () => Promise.reject(new Error('the disk is gone')) },
    silentLogger,
  );
  sweeping.start();
  await expect(sweeping.stop()).resolves.toBeUndefined();
});
