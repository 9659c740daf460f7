// The port to the upkeep of the index: bringing what is stored under a resource's values to what the definitions say now, in the
// background, slice by slice. Where it stands is in the store, so that it goes on after a restart.
import type { IndexEntry } from '../search/index-entry.ts';

/** What another thread needs to know in order to index as the engine does. */
export interface IndexRecipe {
  /** The public FHIR base: absolute references under it are indexed as relative ones. */
  readonly base: string;
  readonly zoneOffsetMinutes: number;
  /** The SearchParameter resources in use besides those of R4, as JSON. */
  readonly added: readonly string[];
}

export interface ReindexTask {
  readonly type: string;
  readonly requestedAt: number;
  /** undefined: not yet. */
  readonly finishedAt: number | undefined;
  /** About how many resources there are, how many have been looked at, and of how many the index was mended. */
  readonly total: number;
  readonly seen: number;
  readonly mended: number;
}

export interface MendParts {
  readonly recipe: IndexRecipe;
  /** The same on this thread: the entries of a resource, from its JSON text. */
  readonly entriesOf: (body: string) => readonly IndexEntry[];
  /** Waited for between any two transactions: for others to have their turn, and to throw when it is time to stop. */
  readonly breathe: (tookMs: number) => Promise<void>;
}

export interface IndexUpkeep {
  tasks(): Promise<readonly ReindexTask[]>;
  /** Begins, anew where it was begun, for these types; undefined: for all of which there are resources. Resolves when durable. */
  request(types: readonly string[] | undefined, at: number): Promise<void>;
  /**
   * Compares the next slice of the oldest unfinished task with what should be there, and mends it. Answers the task as it then is;
   * undefined when all are finished. What is written meanwhile stays right.
   */
  mendNext(parts: MendParts, at: number): Promise<ReindexTask | undefined>;
}
