// An event as the flows process holds it: with the moment at which its lease runs out, on this process's own clock.
import type { FlowEvent } from '../../engine/index.ts';

/** As it comes over the channel: the two processes share no clock, so what is handed over is how long the lease still runs. */
export type LeasedEventOnTheWire = FlowEvent & { readonly remainingMs: number };

export type LeasedEvent = FlowEvent & {
  /** By performance.now(). */
  readonly deadline: number;
};

/** `at`: performance.now() before it was asked for. */
export const takeLease = ({ remainingMs, ...event }: LeasedEventOnTheWire, at: number): LeasedEvent => ({
  ...event,
  deadline: at + remainingMs,
});

/** How long a flow may take from now on, so that the engine has `commitMs` (at most a fifth of the rest) left to commit. */
export function timeFor({ deadline }: LeasedEvent, commitMs: number): number {
  const rest = deadline - performance.now();
  return rest - Math.min(commitMs, rest / 5);
}
