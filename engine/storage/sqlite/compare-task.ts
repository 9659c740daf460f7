// What goes between the upkeep of the index and the thread that compares: plain values, copied.
import type { IndexRecipe } from '../index-upkeep.ts';
import type { ConnectionOptions } from './connection.ts';
import type { IndexRow } from './entry-rows.ts';

export interface CompareStart {
  readonly file: string;
  readonly connection: ConnectionOptions;
  readonly recipe: IndexRecipe;
}

/** The rids to be compared, both inclusive. */
export interface CompareTask {
  readonly low: number;
  readonly high: number;
}

/** A resource whose index differs. */
export interface Differing {
  readonly rid: number;
  /** Rows that it should not have. */
  readonly stale: readonly IndexRow[];
  /** Its words are others. */
  readonly words: boolean;
}

export interface CompareAnswer {
  readonly resources: readonly Differing[];
  /** false: there are more, to be found by comparing once more. */
  readonly isAll: boolean;
}
