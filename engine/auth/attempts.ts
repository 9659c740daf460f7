// Slows down whoever guesses: after some free failures each further try has to wait, twice as long each time.
import type { Clock } from '../kernel/clock.ts';
import { createBoundedMap } from './bounded-map.ts';

interface Who {
  readonly name: string;
  readonly address: string;
}

/** Longer names are nobody's: those that begin alike count as one, so that what outsiders send is not kept at length. */
const longestName = 200;

export interface Attempts {
  /** Counts a try as failed until it is known to have succeeded. ms to wait before trying; 0: go on. */
  begin(who: Who): number;
  succeeded(who: Who): void;
}

/** Failures that cost nothing, for each way of counting: a guesser changes names, or addresses, or neither. */
const rules = [
  { keyOf: ({ name, address }: Who) => `both ${address} ${name}`, free: 5 },
  { keyOf: ({ address }: Who) => `from ${address}`, free: 30 },
  { keyOf: ({ name }: Who) => `as ${name}`, free: 50 },
] as const;

const forgottenAfterMs = 15 * 60_000;
const longestWaitMs = 5 * 60_000;
const maximumKeys = 20_000;

interface Failures {
  readonly count: number;
  readonly at: number;
}

export function createAttempts(clock: Clock): Attempts {
  const records = createBoundedMap<Failures>(maximumKeys);
  const recent = (key: string): Failures | undefined => {
    const record = records.get(key);
    return record && clock.now() - record.at < forgottenAfterMs ? record : undefined;
  };
  return {
    begin: (asking) => {
      const who = shortened(asking);
      const wait = Math.max(...rules.map((rule) => waitFor(recent(rule.keyOf(who)), rule.free, clock.now())));
      if (wait > 0) return wait;
      for (const { keyOf } of rules) {
        const key = keyOf(who);
        records.set(key, { count: (recent(key)?.count ?? 0) + 1, at: clock.now() });
      }
      return 0;
    },
    succeeded: (asking) => {
      const who = shortened(asking);
      for (const { keyOf } of rules) {
        const key = keyOf(who);
        const record = records.get(key);
        if (record) records.set(key, { ...record, count: Math.max(0, record.count - 1) });
      }
      records.delete(rules[0].keyOf(who));
    },
  };
}

/** Copied: a slice would hold on to the whole text. */
const shortened = ({ name, address }: Who): Who => ({
  name: Buffer.from(name.slice(0, longestName)).toString(),
  address,
});

function waitFor(record: Failures | undefined, free: number, now: number): number {
  if (!record || record.count < free) return 0;
  const pause = Math.min(1000 * 2 ** (record.count - free), longestWaitMs);
  return Math.max(0, record.at + pause - now);
}
