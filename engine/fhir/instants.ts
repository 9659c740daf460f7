// FHIR's times: what span of instants a date, dateTime or instant means at the precision with which it is written.
// https://hl7.org/fhir/R4/datatypes.html#dateTime

/** [low, high) in ms since 1970-01-01T00:00:00Z. */
export interface InstantRange {
  readonly low: number;
  readonly high: number;
}

const written =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;

const minuteMs = 60_000;
const dayMs = 86_400_000;

/**
 * The instants that a date, dateTime or instant may mean: `2026` is a year long, `2026-11-21T10:00Z` a minute. Where no time zone is
 * written the offset given here counts. undefined when the text is no FHIR time (or no such day exists).
 */
export function instantRange(text: string, zoneOffsetMinutes = 0): InstantRange | undefined {
  const parts = written.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = parts;
  const shift = zoneMinutes(zone, zoneOffsetMinutes) * minuteMs;
  const start = startOfDay(Number(year), Number(month ?? 1), Number(day ?? 1));
  if (start === undefined) return undefined;
  if (month === undefined) return rangeTo(start, startOfDay(Number(year) + 1, 1, 1), shift);
  if (day === undefined) return rangeTo(start, startOfMonthAfter(Number(year), Number(month)), shift);
  if (hour === undefined) return rangeTo(start, start + dayMs, shift);
  const time = timeOfDay(Number(hour), Number(minute), Number(second ?? 0));
  if (time === undefined) return undefined;
  const low = start + time + millisecondsOf(fraction);
  return rangeTo(low, low + precisionMs(second, fraction), shift);
}

function rangeTo(low: number, high: number | undefined, shift: number): InstantRange {
  return { low: low - shift, high: (high ?? Infinity) - shift };
}

function startOfDay(year: number, month: number, day: number): number | undefined {
  // Date.UTC takes years below 100 for 19xx; the calendar repeats every 400 years of 146,097 days.
  const start =
    year < 100 ? Date.UTC(year + 400, month - 1, day) - 146_097 * dayMs : Date.UTC(year, month - 1, day);
  const exists = month >= 1 && month <= 12 && day >= 1 && new Date(start).getUTCDate() === day;
  return exists ? start : undefined;
}

const startOfMonthAfter = (year: number, month: number): number | undefined =>
  month === 12 ? startOfDay(year + 1, 1, 1) : startOfDay(year, month + 1, 1);

/** A leap second (60) is allowed, and counts as the first of the next minute. */
function timeOfDay(hour: number, minute: number, second: number): number | undefined {
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  return hour * 3_600_000 + minute * minuteMs + second * 1000;
}

const millisecondsOf = (fraction: string | undefined): number =>
  fraction === undefined ? 0 : Number(fraction.padEnd(3, '0').slice(0, 3));

function precisionMs(second: string | undefined, fraction: string | undefined): number {
  if (second === undefined) return minuteMs;
  return fraction === undefined ? 1000 : Math.max(1, 10 ** (3 - fraction.length));
}

function zoneMinutes(zone: string | undefined, otherwise: number): number {
  if (zone === undefined) return otherwise;
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return zone.startsWith('-') ? -minutes : minutes;
}

/** An instant as FHIR writes it, in UTC with milliseconds: `2026-11-21T12:00:00.000Z`. */
export const formatInstant = (ms: number): string => new Date(ms).toISOString();

const timeWritten = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?$/;

/** The part of the day that a FHIR `time` means, [low, high) in ms since midnight; undefined when the text is no time. */
export function timeRange(text: string): InstantRange | undefined {
  const [found, hour, minute, second, fraction] = timeWritten.exec(text) ?? [];
  if (found === undefined) return undefined;
  const time = timeOfDay(Number(hour), Number(minute), Number(second));
  if (time === undefined) return undefined;
  const low = time + millisecondsOf(fraction);
  return { low, high: low + precisionMs(second, fraction) };
}
