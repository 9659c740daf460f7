// The body of a timer's message: a text in which the time for which it is made is filled in, as the hospital's clock shows it.

interface TemplateSettings {
  /** Of the hospital. */
  readonly timeZone: string;
  readonly mediaType: string;
}

interface Moment {
  readonly time: number;
  readonly timeZone: string;
}

/** `id`: of this time alone, no longer than HL7 2.3.1 lets a control id be. */
const fields: Readonly<Record<string, (moment: Moment) => string>> = {
  id: ({ time }) => `T${new Date(time).toISOString().slice(0, 19).replaceAll(/[^\d]/g, '')}`,
  time: (moment) => `${day(moment)}T${clock(moment)}${offset(moment)}`,
  'time:hl7': (moment) =>
    `${day(moment)}${clock(moment)}`.replaceAll(/[-:]/g, '') + offset(moment).replace(':', ''),
  date: day,
};

/** Throws RangeError for a time zone that is none. Braces around anything else stay as they are: bodies may be JSON. */
export function compileTemplate(
  body: string,
  { timeZone, mediaType }: TemplateSettings,
): (time: number) => string {
  // HL7 v2 ends segments with CR; a text in a channel's file has line feeds.
  const text = mediaType.startsWith('application/hl7-v2') ? body.replaceAll(/\r?\n/g, '\r') : body;
  const pieces = text.split(/\{(id|time:hl7|time|date)\}/);
  return (time) =>
    pieces
      .map((piece, index) => (index % 2 === 0 ? piece : (fields[piece]?.({ time, timeZone }) ?? '')))
      .join('');
}

type Part = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'timeZoneName';

function partsOf({ time, timeZone }: Moment): (part: Part) => string {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'longOffset' },
  });
  const parts = format.formatToParts(time);
  return (wanted) => parts.find(({ type }) => type === wanted)?.value ?? '';
}

function day(moment: Moment): string {
  const part = partsOf(moment);
  return `${part('year')}-${part('month')}-${part('day')}`;
}

function clock(moment: Moment): string {
  const part = partsOf(moment);
  return `${part('hour')}:${part('minute')}:${part('second')}`;
}

/** `GMT+03:00`, or `GMT` alone. */
function offset(moment: Moment): string {
  const name = partsOf(moment)('timeZoneName').slice('GMT'.length);
  return name === '' ? '+00:00' : name;
}
