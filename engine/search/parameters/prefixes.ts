// Prefixes of ordered values, https://hl7.org/fhir/R4/search.html#prefix
import type { Span } from '../plan.ts';

export type Comparator = Span['comparator'];

const prefixed = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)(?=[-+.\d])/;

/** `ge2010` → ge and `2010`; without a prefix eq. */
export function readPrefix(text: string): { readonly comparator: Comparator; readonly rest: string } {
  const prefix = prefixed.exec(text)?.[1];
  return prefix === undefined
    ? { comparator: 'eq', rest: text }
    : { comparator: prefix as Comparator, rest: text.slice(2) };
}
