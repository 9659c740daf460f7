// A limit to how long reads may take. SQLite cannot be interrupted from outside here, so the statements of searches ask for each row that
// they look at whether they may go on: `in_time()`, about 0.1 µs a row.

export class TimeIsUp extends Error {}
/** So many rows were looked at as were to be tried. */
export class RowsAreUp extends Error {}

/** The clock is read once in so many rows. */
const rowsBetween = 64;

export class Timer {
  #end = Infinity;
  #rows = 0;
  #lastRow = Infinity;

  start(limitMs: number): void {
    this.#end = performance.now() + limitMs;
    this.#rows = 0;
  }

  /** Throws RowsAreUp in `reads` when they look at more rows than these. */
  tryRows<T>(rows: number, reads: () => T): T {
    this.#lastRow = this.#rows + rows;
    try {
      return reads();
    } finally {
      this.#lastRow = Infinity;
    }
  }

  /** Since the start. */
  get rows(): number {
    return this.#rows;
  }

  check(): 1 {
    if (this.#rows >= this.#lastRow) throw new RowsAreUp();
    if (this.#rows % rowsBetween === 0 && performance.now() > this.#end) throw new TimeIsUp();
    this.#rows += 1;
    return 1;
  }
}
