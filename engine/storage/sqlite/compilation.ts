// What the pieces of one compilation share: names as numbers, and table aliases that no other piece has.
import { word, type Fragment } from './fragment.ts';
import { ridSpan, type Names, type RidSpan } from './names.ts';

/** Rows whose `rid` are matches. */
export interface Source {
  readonly rid: Fragment;
  readonly from: Fragment;
  readonly where: Fragment;
  /** The index gives the rids in ascending order. */
  readonly ordered: boolean;
  /** No rid comes twice. */
  readonly once: boolean;
}

export class Compilation {
  readonly names: Names;
  #aliases = 0;

  constructor(names: Names) {
    this.names = names;
  }

  /** A table alias of its own, so that a test inside a source never captures the outer row. */
  alias(): Fragment {
    this.#aliases += 1;
    return word(`t${this.#aliases}`);
  }

  span(type: string): RidSpan {
    return ridSpan(this.names.find('type', type));
  }
}
