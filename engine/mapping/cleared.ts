// What a map makes where the message asks to have something deleted (HL7's null, `""`). HL7 2.5.1, 2.5.3.
import { isRawNumber } from '../fhir/exact-json.ts';

/** Stands in a made resource for what is to be deleted from the stored one; never gets out of the mapper. */
export const cleared = Symbol('cleared');

/** Whether there is nothing in a value but what is deleted. */
export function isCleared(value: unknown): boolean {
  if (value === cleared) return true;
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return false;
  const members = Object.values(value);
  return members.length > 0 && members.every(isCleared);
}

/** The value without what is deleted; undefined when nothing is left. */
export function withoutCleared(value: unknown): unknown {
  if (value === cleared) return undefined;
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return value;
  return Array.isArray(value) ? listWithout(value) : objectWithout(value);
}

function listWithout(list: readonly unknown[]): unknown {
  const kept = list.map(withoutCleared).filter((member) => member !== undefined);
  return kept.length === 0 ? undefined : kept;
}

function objectWithout(value: object): unknown {
  const kept = Object.entries(value).flatMap(([name, member]) => {
    const left = withoutCleared(member);
    return left === undefined ? [] : [[name, left] as const];
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
