// The time in which a transaction may be used.

export class Scope {
  #ended = false;

  end(): void {
    this.#ended = true;
  }

  /** Throws after the end: a write that came late would belong to another transaction. */
  check(): void {
    if (this.#ended) throw new Error('a transaction was used after its work had ended');
  }
}

/** For reads of what is committed: never ends. */
export const always: Scope = new Scope();
