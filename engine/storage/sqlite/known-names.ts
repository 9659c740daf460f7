// Names as numbers for one who only looks: what the store has no number for gets one that no row has.
import { unknownNumber, type Kind, type Names, type Numbers } from './names.ts';

export class KnownNames implements Numbers {
  readonly #names: Names;
  #lastUnknown = unknownNumber;

  constructor(names: Names) {
    this.#names = names;
  }

  intern(kind: Kind, text: string): number {
    return this.#orUnknown(this.#names.find(kind, text));
  }

  internTarget(target: string): number {
    return this.#orUnknown(this.#names.findTarget(target));
  }

  /** Each unknown name has a number of its own, so that two of them are not taken for one. */
  #orUnknown(number: number): number {
    if (number !== unknownNumber) return number;
    this.#lastUnknown -= 1;
    return this.#lastUnknown;
  }
}
