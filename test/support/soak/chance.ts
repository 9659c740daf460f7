// Chance that can be had again: the same seed gives the same faults (the machine's own timing stays its own).

export interface Chance {
  /** True so many times of a hundred. */
  percent(of: number): boolean;
  between(low: number, high: number): number;
}

/** mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    percent: (of) => next() * 100 < of,
    between: (low, high) => low + next() * (high - low),
  };
}

export const pause = (ms: number): Promise<void> => new Promise((end) => setTimeout(end, ms));
