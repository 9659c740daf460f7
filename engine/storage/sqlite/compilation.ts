// What the pieces of one compilation share: names as numbers, and table aliases that no other piece has.
import type { ValueTable } from './few-values.ts';
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

export abstract class Compilation {
  readonly names: Names;
  #aliases = 0;

  constructor(names: Names) {
    this.names = names;
  }

  /**
   * All values of a parameter, in order, where to look for each of them at the resources that this search tests costs less than to gather
   * the rows of the parameter; otherwise undefined. `type`: that is tested, where it may be another one than is searched for.
   */
  abstract valuesToProbe(table: ValueTable, parameter: number, type?: string): readonly string[] | undefined;

  /** A table alias of its own, so that a test inside a source never captures the outer row. */
  alias(): Fragment {
    this.#aliases += 1;
    return word(`t${this.#aliases}`);
  }

  span(type: string): RidSpan {
    return ridSpan(this.names.find('type', type));
  }
}
