// The soak, for some seconds: faults one after the other under senders and receivers, and at the end all holds. The long one: npm run soak.
import { expect, test } from '@jest/globals';
import { soak } from '../support/soak/soak.ts';

test('kills, cut lines, refusals and absent receivers lose nothing, double nothing, and keep each lane in order', async () => {
  const told: string[] = [];
  const { counts, problems } = await soak({
    ...{ seconds: 8, seed: 5, senders: 4, pauseMs: 50, faultEverySeconds: 1, finishSeconds: 120 },
    tell: (line) => told.push(line),
  });
  expect([problems, told.filter((line) => line.startsWith('the engine ended'))]).toEqual([[], []]);
  expect(counts['kills']).toBeGreaterThan(0);
  expect(counts['messages accepted']).toBeGreaterThan(10);
}, 240_000);
