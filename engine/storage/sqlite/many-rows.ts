// Sources that were counted lately and had many rows, so that common codes are not counted anew for every search. What was much a
// moment ago is hardly little now, and if it is, a search only takes the longer way to the same answer.

const keptMs = 30_000;
const mostKept = 2_000;

interface Counted {
  readonly rows: number;
  readonly until: number;
}

export class ManyRows {
  readonly #counted = new Map<string, Counted>();

  /** Whether so many rows are known to be there. */
  has(key: string, limit: number): boolean {
    const counted = this.#counted.get(key);
    if (counted === undefined || counted.rows < limit) return false;
    if (counted.until > performance.now()) return true;
    this.#counted.delete(key);
    return false;
  }

  note(key: string, rows: number): void {
    if (this.#counted.size >= mostKept) this.#counted.clear();
    this.#counted.set(key, { rows, until: performance.now() + keptMs });
  }
}
