// Numbers as ranges: what a stored number is indexed under, and what an asked number means.
// https://hl7.org/fhir/R4/search.html#number

/** [low, high) */
export interface NumberRange {
  readonly low: number;
  readonly high: number;
}

/** The end of a half-open range that holds `value` and nothing that a person would tell from it. */
export const justAbove = (value: number): number =>
  value + Math.max(Math.abs(value) * Number.EPSILON, Number.MIN_VALUE);

/** A stored number, and the number that gt, lt, ge, le, sa and eb compare with: that number and no other. */
export const exactly = (value: number): NumberRange => ({ low: value, high: justAbove(value) });

const written = /^([+-]?)(\d{1,40})(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * What an asked number means for eq and ne: all that would be written so at its precision. `100` is [99.5, 100.5), `5.40` is
 * [5.395, 5.405), `1e2` is [95, 105). undefined when the text is no decimal.
 */
export function atPrecision(text: string): NumberRange | undefined {
  const [found, sign, whole, fraction = '', exponent] = written.exec(text) ?? [];
  if (found === undefined || whole === undefined) return undefined;
  // In exponent form a digit more counts, as the specification's example 1e2 has it.
  const shift = Number(exponent ?? 0) - fraction.length - (exponent === undefined ? 1 : 2);
  const tens = exponent === undefined ? 10n : 100n;
  const middle = BigInt(`${whole}${fraction}`) * tens * (sign === '-' ? -1n : 1n);
  return { low: Number(`${middle - 5n}e${shift}`), high: Number(`${middle + 5n}e${shift}`) };
}

/** The exact value of a decimal text; undefined when it is none (or beyond what a double holds). */
export function exactNumber(text: string): number | undefined {
  const value = written.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : undefined;
}
