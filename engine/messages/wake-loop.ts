// Work that is done when somebody calls, or when a slow poll finds some: for what waits for its time, and what other engines left.

export interface WakeLoop {
  start(): void;
  /** Work has come. Cheap to call often: calls that come while a round is under way cause one more round. */
  wake(): void;
  /** The same without the rest between two rounds: for calls that are as many as there is work. */
  hurry(): void;
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
  let hurried = false;
  let ended: Promise<void> = Promise.resolve();
  /** A call ends the sleep between polls; only one that hurries ends the rest between rounds. */
  const sleep = new Pause();
  const rest = new Pause();

  const wake = (): void => {
    called = true;
    sleep.end();
  };
  const isRunning = (): boolean => running;
  const isCalled = (): boolean => called;
  const isHurried = (): boolean => hurried;
  const run = async (): Promise<void> => {
    while (isRunning()) {
      called = false;
      hurried = false;
      const left = await round();
      await turn();
      if (!isRunning() || isHurried()) continue;
      if (left !== 'more' && !isCalled()) await sleep.begin(pollMs);
      else if (restMs > 0) await rest.begin(restMs);
    }
  };
  return {
    start: () => {
      if (running) return;
      running = true;
      ended = run();
    },
    wake,
    hurry: () => {
      hurried = true;
      wake();
      rest.end();
    },
    stop: () => {
      running = false;
      sleep.end();
      rest.end();
      return ended;
    },
  };
}

/** A time that passes, or is cut short. */
class Pause {
  #end: (() => void) | undefined;

  begin(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  end(): void {
    this.#end?.();
  }
}

/** Lets sockets and timers have their turn. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
