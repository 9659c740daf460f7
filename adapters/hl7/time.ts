// HL7 time stamps (TS, DTM): YYYYMMDDHHMMSS[+ZZZZ]. HL7 2.5.1, 2.A.22.

const two = (number: number): string => String(number).padStart(2, '0');

const minuteMs = 60_000;

/** Minutes east of Greenwich that a time stamp names; undefined when it names none. */
function offsetOf(stamp: string): number | undefined {
  const [, sign, hours, minutes] = /([+-])(\d{2})(\d{2})$/.exec(stamp) ?? [];
  if (sign === undefined) return undefined;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/**
 * The instant `at` (ms since 1970) written as `like` is: in its offset when it names one; otherwise in the time zone of this machine,
 * without offset, as devices without one understand it.
 */
export function timeLike(like: string, at: number): string {
  const offset = offsetOf(like);
  if (offset === undefined) return digits(at - new Date(at).getTimezoneOffset() * minuteMs);
  const size = Math.abs(offset);
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.trunc(size / 60))}${two(size % 60)}`;
  return digits(at + offset * minuteMs) + zone;
}

function digits(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '');
}
