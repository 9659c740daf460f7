// Date parameters: `ge2010`, `2026-11-21T10:00Z`. https://hl7.org/fhir/R4/search.html#date
import { instantRange } from '../../fhir/instants.ts';
import { leaf } from '../condition.ts';
import type { CompiledParameter } from '../definitions/compiled.ts';
import type { Span } from '../plan.ts';
import { unescaped } from './escapes.ts';
import { readPrefix } from './prefixes.ts';
import { inAnySet, unreadable, type ReadingOptions, type ValueReader } from './reader.ts';

export const readDate: ValueReader = (parameter, value, options) => {
  const span = dateSpan(parameter, value, options);
  return inAnySet(parameter, ({ name }) => leaf({ kind: 'date', parameter: name, ...span }));
};

/**
 * The span of time that a value asks for. About (ap) a day is a day earlier or later, about a month a month: the rule needs no
 * clock, so that a search means the same tomorrow.
 */
export function dateSpan(
  parameter: Pick<CompiledParameter, 'code'>,
  value: string,
  options: ReadingOptions,
): Span {
  const { comparator, rest } = readPrefix(unescaped(value));
  // A plus sign that was not percent-encoded arrives as a space.
  const range = instantRange(rest.replace(/ (?=\d\d:\d\d$)/, '+'), options.zoneOffsetMinutes);
  if (range === undefined) {
    throw unreadable(parameter, 'a date such as 2026, 2026-11-21 or 2026-11-21T10:00:00Z');
  }
  const { low, high } = range;
  const slack = comparator === 'ap' ? high - low : 0;
  return { comparator, low: low - slack, high: high + slack };
}
