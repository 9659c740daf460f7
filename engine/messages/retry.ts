// When something is tried again, and how often: back-off tables and policies as data.
import { Refusal } from '../kernel/outcomes.ts';
import { failures, type RetryClass } from '../kernel/failures.ts';

export interface RetryPolicy {
  /** Wait before try 2, 3, 4 …, in ms; the last one repeats. */
  readonly delaysMs: readonly [number, ...number[]];
  /** Tries in all; when the last has failed it is given up. */
  readonly tries: number;
  /** What to do when it may or may not have happened: leave it to a person, or do it again where that is known to be harmless. */
  readonly ambiguous: 'give-up' | 'try-again';
}

const second = 1_000;
const minute = 60 * second;

export const retryPolicies = {
  /** A message that meets a passing trouble holds its channel: about ten minutes, then it steps aside. */
  processing: {
    delaysMs: [second, 2 * second, 5 * second, 15 * second, minute, 2 * minute],
    tries: 10,
    ambiguous: 'give-up',
  },
  /** A destination may be without power or network for a night and a day. */
  sending: {
    delaysMs: [2 * second, 5 * second, 15 * second, minute, 5 * minute, 10 * minute],
    tries: 200,
    ambiguous: 'give-up',
  },
  /** A flow's effects commit with its acknowledgement, so that a lost run has done nothing and is tried again. */
  flow: {
    delaysMs: [second, 5 * second, 15 * second, minute, 5 * minute],
    tries: 8,
    ambiguous: 'try-again',
  },
} as const satisfies Record<string, RetryPolicy>;

/** The share of a delay by which it may be longer, so that what failed together does not come back together. */
const jitter = 0.25;

/**
 * ms to wait after the `attempts`-th try has failed; undefined when no try is left. The jitter comes from `seed` (the id of what
 * is tried): the same question has the same answer.
 */
export function delayAfter(policy: RetryPolicy, attempts: number, seed: string): number | undefined {
  if (attempts >= policy.tries) return undefined;
  const step = Math.min(Math.max(attempts, 1), policy.delaysMs.length) - 1;
  const delay = policy.delaysMs[step] ?? policy.delaysMs[0];
  return Math.round(delay * (1 + jitter * share(`${seed}:${attempts}`)));
}

/** A number in [0, 1) spread evenly over texts: FNV-1a, 32 bits. */
function share(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) / 2 ** 32;
}

/** A designed refusal says itself whether another try can help; a defect may have happened half-way. */
export const retryClassOf = (error: unknown): RetryClass =>
  failures[error instanceof Refusal ? error.code : 'defect'].retry;
