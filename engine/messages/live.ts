// Counts as they change, for whoever watches: one look a second for all watchers together, and none when nobody watches.
import type { Logger } from '../kernel/logger.ts';

export interface Live {
  /** Texts of server-sent events, until the watcher leaves or `stop` is called. Throws Refusal where too many watch. */
  watch(): AsyncIterable<string>;
  stop(): void;
}

export interface LiveOptions {
  /** What is shown, by the name of its event; told when any of it differs from the last look. */
  readonly look: () => Promise<Readonly<Record<string, object>>>;
  readonly logger: Logger;
  readonly refuse: () => Error;
  /** One second unless told. */
  readonly everyMs?: number;
  readonly mostWatchers?: number;
}

/** A comment now and then keeps proxies from closing a quiet connection. */
const keepAliveEvery = 15;
const comment = ':\n\n';

export function createLive({ look, logger, refuse, everyMs = 1_000, mostWatchers = 50 }: LiveOptions): Live {
  const watchers = new Set<Watcher>();
  let last = '';
  let timer: NodeJS.Timeout | undefined;
  let looks = 0;

  const round = async (): Promise<void> => {
    const now = Object.fromEntries(
      Object.entries(await look()).map(([name, value]) => [name, JSON.stringify(value)]),
    );
    const all = Object.entries(now)
      .map(([name, text]) => `event: ${name}\ndata: ${text}\n\n`)
      .join('');
    const quiet = (looks += 1) % keepAliveEvery === 0 ? comment : '';
    for (const watcher of watchers) watcher.push(watcher.isNew || all !== last ? all : quiet);
    last = all;
  };
  const roundInTime = (delayMs: number): void => {
    timer = setTimeout(() => {
      round()
        .catch((cause: unknown) => logger.error({}, 'live counts could not be had; tried again', cause))
        .finally(() => {
          timer = undefined;
          if (watchers.size > 0) roundInTime(everyMs);
        });
    }, delayMs);
  };
  return {
    watch: () => {
      if (watchers.size >= mostWatchers) throw refuse();
      const watcher = new Watcher(() => watchers.delete(watcher));
      watchers.add(watcher);
      if (timer === undefined) roundInTime(0);
      return watcher;
    },
    stop: () => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.end();
    },
  };
}

/** Keeps only the newest for a watcher that reads slowly. */
class Watcher implements AsyncIterable<string> {
  readonly #leave: () => void;
  #waiting: ((value: IteratorResult<string>) => void) | undefined;
  #next = '';
  #ended = false;
  isNew = true;

  constructor(leave: () => void) {
    this.#leave = leave;
  }

  push(text: string): void {
    if (text === '' || (text === comment && this.#next !== '')) return;
    this.isNew = false;
    this.#next = text;
    this.#give();
  }

  end(): void {
    this.#ended = true;
    this.#give();
  }

  [Symbol.asyncIterator](): AsyncIterator<string> {
    return {
      next: () =>
        new Promise((resolve) => {
          this.#waiting = resolve;
          this.#give();
        }),
      return: () => {
        this.#leave();
        this.end();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  #give(): void {
    const resolve = this.#waiting;
    if (resolve === undefined || (this.#next === '' && !this.#ended)) return;
    this.#waiting = undefined;
    const value = this.#next;
    this.#next = '';
    if (value !== '') resolve({ done: false, value });
    else {
      this.#leave();
      resolve({ done: true, value: undefined });
    }
  }
}
