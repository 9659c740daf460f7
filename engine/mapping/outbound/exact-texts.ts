// A resource with every number as the text of its digits: 6.30 stays 6.30 in a message, whatever an expression does with it.
import { decimalText } from '../../fhir/exact-json.ts';

/** A copy, so that what reads it may write on it. */
export function exactTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(exactTexts);
  const digits = decimalText(value);
  if (digits !== undefined) return digits;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, exactTexts(inner)]));
}
