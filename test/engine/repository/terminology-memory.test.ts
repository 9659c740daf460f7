// What is kept of stored terminology: found once, bounded, and gone as soon as something changes.
import { describe, expect, test } from '@jest/globals';
import { TerminologyMemory } from '../../../engine/repository/terminology-memory.ts';

/** Finds what it is told to, and counts how often it was asked. */
function finder(weight = 10) {
  let asked = 0;
  return {
    find: async () => ({ value: (asked += 1), weight }),
    asked: () => asked,
  };
}

describe('a terminology memory', () => {
  test('looks once, also for those who ask at the same time', async () => {
    const memory = new TerminologyMemory();
    const { find } = finder();
    expect(await Promise.all([memory.get('a', find), memory.get('a', find)])).toEqual([1, 1]);
    expect(await memory.get('a', find)).toBe(1);
  });

  test('keeps no failure', async () => {
    const memory = new TerminologyMemory();
    await expect(memory.get('a', () => Promise.reject(new Error('not now')))).rejects.toThrow('not now');
    expect(await memory.get('a', finder().find)).toBe(1);
  });

  test('neither tells nor keeps anything while something changes, and has forgotten what was there', async () => {
    const memory = new TerminologyMemory();
    const { find } = finder();
    await memory.get('a', find);
    const [first, second] = [memory.change(), memory.change()];
    expect([await memory.get('a', find), await memory.get('a', find)]).toEqual([2, 3]);
    first();
    expect(await memory.get('a', find)).toBe(4);
    second();
    expect([await memory.get('a', find), await memory.get('a', find)]).toEqual([5, 5]);
  });

  test('does not keep what it began to look for before a change', async () => {
    const memory = new TerminologyMemory();
    const finding = Promise.withResolvers<{ value: string; weight: number }>();
    const early = memory.get('a', () => finding.promise);
    memory.change()();
    finding.resolve({ value: 'old', weight: 1 });
    expect(await early).toBe('old');
    expect(await memory.get('a', async () => ({ value: 'new', weight: 1 }))).toBe('new');
  });

  test('lets go of what was not asked for the longest when its room is full', async () => {
    const memory = new TerminologyMemory(10_000);
    const [a, b, c] = [finder(4_000), finder(3_000), finder(3_000)];
    await memory.get('a', a.find);
    await memory.get('b', b.find);
    await memory.get('a', a.find);
    await memory.get('c', c.find);
    await memory.get('a', a.find);
    await memory.get('c', c.find);
    await memory.get('b', b.find);
    expect([a.asked(), b.asked(), c.asked()]).toEqual([1, 2, 1]);
  });

  test('does not keep what is larger than its room, nor lose its measure by it', async () => {
    const memory = new TerminologyMemory(10_000);
    const [large, small] = [finder(20_000), finder(10)];
    for (let round = 0; round < 3; round += 1) {
      await memory.get('large', large.find);
      await memory.get('small', small.find);
    }
    expect([large.asked(), small.asked()]).toEqual([3, 3]);
    await memory.get('small', small.find);
    expect(small.asked()).toBe(3);
  });
});
