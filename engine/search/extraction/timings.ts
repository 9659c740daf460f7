// Periods and timings as spans of instants.
import { instantRange, type InstantRange } from '../../fhir/instants.ts';
import type { Collector } from './collector.ts';
import type { EntryNames } from './entry-names.ts';

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

/** From the start to the end of its last moment; open where one is missing. */
export function period(value: unknown, names: EntryNames, into: Collector): void {
  const span = spanOfPeriod(value, into);
  if (span !== undefined) into.add({ kind: 'date', parameter: names.plain, low: span.low, high: span.high });
}

/** Only the outer limits count: the events and the bounds, not what is scheduled between them. */
export function timing(value: unknown, names: EntryNames, into: Collector): void {
  const { event, repeat } = fieldsOf(value);
  const spans = (Array.isArray(event) ? event : [])
    .map((one: unknown) => spanOf(one, into))
    .concat(spanOfPeriod(fieldsOf(repeat).boundsPeriod, into))
    .filter((span) => span !== undefined);
  if (spans.length === 0) return;
  const low = spans.reduce((least, span) => Math.min(least, span.low), Infinity);
  const high = spans.reduce((most, span) => Math.max(most, span.high), -Infinity);
  into.add({ kind: 'date', parameter: names.plain, low, high });
}

function spanOfPeriod(value: unknown, into: Collector): InstantRange | undefined {
  const { start, end } = fieldsOf(value);
  const from = spanOf(start, into);
  const to = spanOf(end, into);
  if (from === undefined && to === undefined) return undefined;
  return { low: from?.low ?? -Infinity, high: to?.high ?? Infinity };
}

const spanOf = (value: unknown, into: Collector): InstantRange | undefined =>
  typeof value === 'string' ? instantRange(value, into.options.zoneOffsetMinutes) : undefined;
