// Instants as HTTP writes them: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7

const dayMs = 86_400_000;
const clockLength = '00:00:00 GMT'.length;
/** `00` to `59`. */
const twoDigits = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));

/**
 * `Sun, 22 Nov 2026 08:49:37 GMT` of ms since 1970: as Date.toUTCString, in a tenth of its time, since it goes with every resource that
 * is read.
 */
export const httpDate = httpDates();

/** What is read was mostly changed on few days: the one that was written last is remembered. */
function httpDates(): (instant: number) => string {
  let last = { day: NaN, text: '' };
  return (instant) => {
    const day = Math.floor(instant / dayMs);
    if (day !== last.day) last = { day, text: new Date(instant).toUTCString().slice(0, -clockLength) };
    const seconds = Math.floor((instant - day * dayMs) / 1000);
    const [hour, minute] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    return `${last.text}${twoDigits[hour]}:${twoDigits[minute]}:${twoDigits[seconds % 60]} GMT`;
  };
}
