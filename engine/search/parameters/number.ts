// Number parameters, https://hl7.org/fhir/R4/search.html#number
import { leaf } from '../condition.ts';
import type { CompiledParameter } from '../definitions/compiled.ts';
import { atPrecision, exactly, exactNumber } from '../number-range.ts';
import type { Span } from '../plan.ts';
import { unescaped } from './escapes.ts';
import { readPrefix } from './prefixes.ts';
import { inAnySet, unreadable, type ValueReader } from './reader.ts';

export const readNumber: ValueReader = (parameter, value) => {
  const span = numberSpan(parameter, unescaped(value));
  return inAnySet(parameter, ({ name }) => leaf({ kind: 'number', parameter: name, ...span }));
};

const asWritten = (value: number): number => value;

/**
 * The span that a number with its prefix asks for: eq and ne at its precision, ap within a tenth, the others exactly; in the unit to
 * which `converted` leads.
 */
export function numberSpan(
  parameter: CompiledParameter,
  text: string,
  converted: (value: number) => number = asWritten,
): Span {
  const { comparator, rest } = readPrefix(text);
  const value = exactNumber(rest);
  const range = atPrecision(rest);
  if (value === undefined || range === undefined) {
    throw unreadable(parameter, 'a number such as 100, 5.40 or 1e2, with or without a prefix such as gt');
  }
  if (comparator === 'eq' || comparator === 'ne') {
    return { comparator, low: converted(range.low), high: converted(range.high) };
  }
  if (comparator !== 'ap') return { comparator, ...exactly(converted(value)) };
  const tenth = Math.abs(value) / 10;
  return {
    comparator,
    low: converted(Math.min(range.low, value - tenth)),
    high: converted(Math.max(range.high, value + tenth)),
  };
}
