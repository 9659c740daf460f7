// Large bodies are worked on by turns: what is made of one takes some ten times its length, and one thread does it anyway.

/** Bodies up to this wait for nobody, bytes. */
const short = 2 ** 20;

/** At most so many bytes are worked on at a time, or one body. They come in turn in the order in which they were read. */
export class BodyTurns {
  readonly #limit: number;
  readonly #line: { readonly bytes: number; readonly begin: () => void }[] = [];
  #underWay = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Answers how much is to be given back by `end`. */
  async begin(bytes: number): Promise<number> {
    if (bytes <= short) return 0;
    if (this.#line.length > 0 || !this.#fits(bytes)) {
      await new Promise<void>((begin) => void this.#line.push({ bytes, begin }));
    } else this.#underWay += bytes;
    return bytes;
  }

  end(bytes: number): void {
    this.#underWay -= bytes;
    for (let [first] = this.#line; first && this.#fits(first.bytes); [first] = this.#line) {
      this.#line.shift();
      this.#underWay += first.bytes;
      first.begin();
    }
  }

  #fits(bytes: number): boolean {
    return this.#underWay === 0 || this.#underWay + bytes <= this.#limit;
  }
}
