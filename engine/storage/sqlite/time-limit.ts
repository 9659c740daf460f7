// A limit to how long reads may take. SQLite cannot be interrupted from outside here, so the statements of searches ask for each row that
// they look at whether they may go on: `in_time()`, about 0.1 µs a row.

export class TimeIsUp extends Error {}

/** The clock is read once in so many rows. */
const rowsBetween = 64;

export class Timer {
  #end = Infinity;
  #rows = 0;

  start(limitMs: number): void {
    this.#end = performance.now() + limitMs;
    this.#rows = 0;
  }

  /** Since the start. */
  get rows(): number {
    return this.#rows;
  }

  check(): 1 {
    if (this.#rows % rowsBetween === 0 && performance.now() > this.#end) throw new TimeIsUp();
    this.#rows += 1;
    return 1;
  }
}
