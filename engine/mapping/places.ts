// Places in a message: what they hold, and how they are called (`OBX[3]-8[2].1`).
import type { WireMessage, WireSegment } from './wire-message.ts';

export interface Place {
  readonly segment: WireSegment;
  /** Which of its name in the message, from 1. */
  readonly occurrence: number;
  readonly field: number;
  readonly repetition: number;
  /** undefined: the repetition as a whole. */
  readonly component: number | undefined;
  readonly subcomponent: number;
}

export function placeName(place: Place): string {
  const { segment, occurrence, field, repetition, component, subcomponent } = place;
  const repeated = segment.repetitions(field) > 1 ? `[${repetition}]` : '';
  const start = `${segment.name}[${occurrence}]-${field}${repeated}`;
  if (component === undefined) return start;
  const divided = segment.subcomponents(field, repetition, component) > 1;
  return `${start}.${component}${divided ? `.${subcomponent}` : ''}`;
}

export const placeKey = (place: Place): string =>
  [place.segment.position, place.field, place.repetition, place.component ?? '*', place.subcomponent].join(
    '.',
  );

/** What a sender writes to have something deleted. HL7 2.5.1, 2.5.3. */
export const hl7Null = '""';

const unprintable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

/** The text at a place as FHIR can hold it; undefined where there is none, or HL7's null. */
export function textAt(
  segment: WireSegment,
  field: number,
  repetition: number,
  component: number | undefined,
  subcomponent: number,
): string | undefined {
  const text =
    component === undefined
      ? segment.source(field, repetition)
      : segment.text(field, repetition, component, subcomponent);
  if (text === '' || text === hl7Null) return undefined;
  const clean = text.replace(unprintable, '').trim();
  return clean === '' ? undefined : clean;
}

/** Visits every valued subcomponent but the delimiters in MSH-1 and MSH-2. */
export function forEachValue(message: WireMessage, visit: (place: Place) => void): void {
  const occurrences = new Map<string, number>();
  for (const segment of message.segments) {
    const occurrence = (occurrences.get(segment.name) ?? 0) + 1;
    occurrences.set(segment.name, occurrence);
    for (let field = segment.name === 'MSH' ? 3 : 1; field <= segment.fields; field++) {
      visitField(segment, occurrence, field, visit);
    }
  }
}

function visitField(
  segment: WireSegment,
  occurrence: number,
  field: number,
  visit: (place: Place) => void,
): void {
  for (let repetition = 1; repetition <= segment.repetitions(field); repetition++) {
    for (let component = 1; component <= segment.components(field, repetition); component++) {
      const parts = segment.subcomponents(field, repetition, component);
      for (let subcomponent = 1; subcomponent <= parts; subcomponent++) {
        if (textAt(segment, field, repetition, component, subcomponent) === undefined) continue;
        visit({ segment, occurrence, field, repetition, component, subcomponent });
      }
    }
  }
}
