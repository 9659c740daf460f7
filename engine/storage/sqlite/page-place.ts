// The place between two pages: the sort values and the rid of the last match that was handed out. The page after it is found by
// comparing, so it stays right while resources come and go, and the store remembers nothing.
import { badRequest, type Refusal } from '../../kernel/outcomes.ts';

/** null: the resource has no value to sort by; such come last. */
export type SortValue = string | number | null;

export interface Place {
  readonly keys: readonly SortValue[];
  readonly rid: number;
}

const longest = 16_384;

export function writePlace(place: Place): string {
  const parts = [...place.keys, place.rid].map((value) =>
    typeof value === 'number' ? `n${value}` : value === null ? value : `s${value}`,
  );
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** Throws Refusal `bad-request` for anything that `writePlace` would not have written for one of these numbers of keys. */
export function readPlace(text: string, keys: readonly number[]): Place {
  const parts = text.length > longest ? undefined : partsOf(text);
  const values = parts?.map(valueOf);
  const rid = values?.pop();
  if (values === undefined || !keys.includes(values.length) || typeof rid !== 'number') throw wrongPlace();
  if (values.includes(undefined)) throw wrongPlace();
  return { keys: values as SortValue[], rid };
}

export const wrongPlace = (): Refusal =>
  badRequest('the page link is not one of this search: begin at the first page', 'after');

function partsOf(text: string): readonly unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function valueOf(part: unknown): SortValue | undefined {
  if (part === null) return null;
  if (typeof part !== 'string') return undefined;
  if (part.startsWith('s')) return part.slice(1);
  const number = Number(part.slice(1));
  return part.startsWith('n') && !Number.isNaN(number) ? number : undefined;
}
