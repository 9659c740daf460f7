// Work that is done when somebody calls, or when a slow poll finds some: for what waits for its time, and what other engines left.

export interface WakeLoop {
  start(): void;
  /** Work has come. Cheap to call often: calls that come while a round is under way cause one more round. */
  wake(): void;
  /** Resolves when the round under way has ended; no other one begins. */
  stop(): Promise<void>;
}

export interface WakeLoopOptions {
  /** Does some of the work that there is; `more` when there may be more at once. Must not throw. */
  readonly round: () => Promise<'more' | 'done'>;
  readonly pollMs: number;
  /** The least time between two rounds, so that frequent calls cost little; none unless told. */
  readonly restMs?: number;
}

export function createWakeLoop({ round, pollMs, restMs = 0 }: WakeLoopOptions): WakeLoop {
  let running = false;
  let called = false;
  let ended: Promise<void> = Promise.resolve();
  let endSleep: (() => void) | undefined;

  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      endSleep = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const wake = (): void => {
    called = true;
    endSleep?.();
  };
  const isRunning = (): boolean => running;
  const isCalled = (): boolean => called;
  const run = async (): Promise<void> => {
    while (isRunning()) {
      called = false;
      const left = await round();
      await turn();
      if (left === 'more' || isCalled()) await rest();
      else if (isRunning()) await sleep(pollMs);
    }
  };
  const rest = async (): Promise<void> => {
    if (restMs > 0 && isRunning()) await new Promise((resolve) => setTimeout(resolve, restMs));
  };
  return {
    start: () => {
      if (running) return;
      running = true;
      ended = run();
    },
    wake,
    stop: () => {
      running = false;
      endSleep?.();
      return ended;
    },
  };
}

/** Lets sockets and timers have their turn. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
