// Sources that were counted lately and had many rows, so that common codes are not counted anew for every search. What was much a
// moment ago is hardly little now, and if it is, a search only takes the longer way to the same answer.

const keptMs = 30_000;
const mostKept = 2_000;
/** Fewer are counted anew as quickly as looked up. */
const leastKept = 400;

interface Counted {
  readonly rows: number;
  /** Up to how many they were counted: fewer rows are all that there were. */
  readonly limit: number;
  readonly until: number;
}

export class ManyRows {
  readonly #counted = new Map<string, Counted>();

  /** How many rows there were, up to the limit; undefined where nobody counted that far. */
  rows(key: string, limit: number): number | undefined {
    const counted = this.#counted.get(key);
    if (counted === undefined) return undefined;
    if (counted.until <= performance.now()) {
      this.#counted.delete(key);
      return undefined;
    }
    const isEnough = counted.rows < counted.limit || counted.limit >= limit;
    return isEnough ? Math.min(counted.rows, limit) : undefined;
  }

  note(key: string, rows: number, limit: number): void {
    if (rows < leastKept) return;
    if (this.#counted.size >= mostKept) this.#counted.clear();
    this.#counted.set(key, { rows, limit, until: performance.now() + keptMs });
  }
}
