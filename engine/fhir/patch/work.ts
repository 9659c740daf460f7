// What a patch is once it has been read, and how much it may do: enough for any by a person or program that means well.
import { Refusal } from '../../kernel/outcomes.ts';
import type { FhirResource } from '../resource.ts';
import type { MutableFields } from './json-values.ts';

/** The resource after the change; the one that is given stays as it is. Throws Refusal `unprocessable` where it does not fit. */
export type Patch = (resource: FhirResource) => FhirResource;

/** What a kind of patch does to a copy: changes it, or answers another in its place. */
export type Change = (document: MutableFields, work: Work) => unknown;

export const maximumOperations = 10_000;

/** Values that may be copied and steps that may be taken, over all operations of a patch. */
const maximumSteps = 1_000_000;

export interface Work {
  /** Throws Refusal `unprocessable` when it has been too much. */
  readonly spend: () => void;
}

export function createWork(): Work {
  let left = maximumSteps;
  return {
    spend: () => {
      if (--left < 0) throw new Refusal('unprocessable', 'the patch asks for too much work');
    },
  };
}

/** Runs one operation; a refusal from it says which it was, counted from 0. */
export function inOperation<T>(place: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(
      error.code,
      `operation ${place}: ${error.message}`,
      error.outcome.issue[0]?.expression?.[0],
    );
  }
}
