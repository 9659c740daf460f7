// HL7 times to FHIR's: as precise as they were sent, and never without an offset where FHIR wants one.
const written =
  /^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,4}))?)?)?)?)?)?([+-](?:0\d|1[0-4])[0-5]\d)?$/;

/** Tells the offset (`+03:00`) that a place on earth has at a local time. Remembers the hours that it was asked for. */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat | undefined;
  readonly #fixed: string | undefined;
  readonly #hours = new Map<string, string>();

  /** An IANA name (`Africa/Nairobi`), `Z`, or an offset (`+03:00`). Throws RangeError for any other. */
  constructor(name: string) {
    if (name === 'Z' || /^[+-]\d{2}:\d{2}$/.test(name)) this.#fixed = name;
    else this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  }

  /** `hour` as `2026-11-21T13`. */
  offsetAt(hour: string): string {
    if (this.#fixed !== undefined) return this.#fixed;
    const known = this.#hours.get(hour);
    if (known !== undefined) return known;
    if (this.#hours.size > 5_000) this.#hours.clear();
    const found = this.#find(hour);
    this.#hours.set(hour, found);
    return found;
  }

  /** Asked twice, because the offset at a local time is found by going through the time that it gives. */
  #find(hour: string): string {
    const local = Date.parse(`${hour}:00:00Z`);
    const first = this.#at(local);
    return this.#at(local - minutesOf(first) * 60_000);
  }

  /** At an instant, ms since 1970. */
  offsetOf(instant: number): string {
    return this.#fixed === undefined ? this.#at(instant) : this.#fixed === 'Z' ? '+00:00' : this.#fixed;
  }

  #at(instant: number): string {
    const parts = this.#format?.formatToParts(instant) ?? [];
    const offset = parts.find((part) => part.type === 'timeZoneName')?.value.replace('GMT', '') ?? '';
    return offset === '' ? '+00:00' : offset;
  }
}

function minutesOf(offset: string): number {
  const [hours = '0', minutes = '0'] = offset.slice(1).split(':');
  return (offset.startsWith('-') ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** FHIR date (`1984-07`, `1984-07-19`); undefined when it is none. */
export function toFhirDate(text: string): string | undefined {
  const [, year, month, day] = written.exec(text) ?? [];
  if (year === undefined || !exists(year, month, day)) return undefined;
  return [year, month, day].filter((part) => part !== undefined).join('-');
}

/** FHIR dateTime; a time without an offset gets that of `zone`. undefined when it is none. */
export function toFhirDateTime(text: string, zone: TimeZone): string | undefined {
  const [, year, month, day, hour, minute = '00', second = '00', fraction, offset] = written.exec(text) ?? [];
  if (year === undefined || !exists(year, month, day)) return undefined;
  if (hour === undefined) return toFhirDate(text);
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const date = `${year}-${month ?? ''}-${day ?? ''}`;
  const place = offset === undefined ? zone.offsetAt(`${date}T${hour}`) : colon(offset);
  const seconds = fraction === undefined ? second : `${second}.${fraction}`;
  return `${date}T${hour}:${minute}:${seconds}${place}`;
}

/** The time `minutes` later, with the same offset; undefined for a dateTime without a time of day. */
export function plusMinutes(dateTime: string, minutes: number): string | undefined {
  const [, local, seconds, offset] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d):(\d\d(?:\.\d+)?)(Z|[+-]\d\d:\d\d)$/.exec(dateTime) ?? [];
  const start = Date.parse(`${local ?? ''}:00Z`);
  if (Number.isNaN(start) || !Number.isSafeInteger(minutes)) return undefined;
  const later = new Date(start + minutes * 60_000).toISOString().slice(0, 16);
  return `${later}:${seconds ?? ''}${offset ?? ''}`;
}

const colon = (offset: string): string => `${offset.slice(0, 3)}:${offset.slice(3)}`;

/** The offset that a time carries (`+01:00`), if it carries one. */
export function offsetOf(text: string): string | undefined {
  const offset = written.exec(text)?.[8];
  return offset === undefined ? undefined : colon(offset);
}

function exists(year: string, month = '01', day = '01'): boolean {
  const when = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return year !== '0000' && !Number.isNaN(when.getTime()) && when.getUTCDate() === Number(day);
}

const fhirTime =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/;

/** A FHIR date, dateTime or instant as HL7 writes it, as precise and with the offset that it has; undefined when it is none. */
export function toHl7Time(text: string): string | undefined {
  const parts = fhirTime.exec(text);
  if (parts === null) return undefined;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = '', offset] =
    parts;
  const place = offset === 'Z' ? '+0000' : (offset ?? '').replace(':', '');
  return `${year}${month}${day}${hour}${minute}${second}${fraction.slice(0, 5)}${place}`;
}

/** An instant to the second, in the time of a zone; undefined when it is none. */
export function toZonedHl7Time(text: string, zone: TimeZone): string | undefined {
  const instant = Date.parse(text);
  if (Number.isNaN(instant) || !text.includes('T')) return undefined;
  const offset = zone.offsetOf(instant);
  const local = new Date(instant + minutesOf(offset) * 60_000).toISOString().slice(0, 19);
  return toHl7Time(`${local}${offset}`);
}
