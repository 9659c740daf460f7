// Looking again and again at what nobody announces: one round after the other, until it is stopped.

export interface Rounds {
  /** The first round begins after `delayMs`. After a `stop`, once that has resolved. */
  start(delayMs: number): void;
  /** Resolves when the round under way has ended; no other one begins. */
  stop(): Promise<void>;
}

export interface RoundsOptions {
  /** A long one may ask whether it is to come to an end. */
  readonly round: (isStopping: () => boolean) => Promise<void>;
  /** Called when a round has failed. The next one comes all the same. Must not throw. */
  readonly failed: (cause: unknown) => void;
  /** From the end of a round to the next; asked for after each. */
  readonly pauseMs: () => number;
}

export function createRounds({ round, failed, pauseMs }: RoundsOptions): Rounds {
  let isStopped = true;
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> = Promise.resolve();
  const isStopping = (): boolean => isStopped;

  const begin = (delayMs: number): void => {
    timer = setTimeout(() => {
      underWay = round(isStopping)
        .catch(failed)
        .then(() => {
          if (!isStopped) begin(pauseMs());
        });
    }, delayMs).unref();
  };
  return {
    start: (delayMs) => {
      isStopped = false;
      begin(delayMs);
    },
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await underWay;
    },
  };
}
