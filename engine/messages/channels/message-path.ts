// HL7 paths as channels write them, in filters and for their index: `MSH-9.1`, `PID-3[1].1`, `OBX-3`, `PV1-3.1.2`.
import type { WireMessage } from '../../mapping/wire-message.ts';

/** The texts at a path, unescaped, without those that are empty: of all segments of that name and of all repetitions, unless one is named. */
export type MessagePath = (message: WireMessage) => readonly string[];

const syntax = /^([A-Z][A-Z0-9]{0,2})-(\d{1,3})(?:\[(\d{1,4})\])?(?:\.(\d{1,3})(?:\.(\d{1,3}))?)?$/;
/** A message with more is read no further. */
const mostTexts = 200;

/** Undefined where the text is no path. Without a component the first one is meant. */
export function readMessagePath(text: string): MessagePath | undefined {
  const found = syntax.exec(text);
  if (found === null) return undefined;
  const [, name, field, repetition, component = '1', subcomponent = '1'] = found;
  return ({ segments }) => {
    const texts: string[] = [];
    for (const segment of segments) {
      if (segment.name !== name) continue;
      const last = repetition === undefined ? segment.repetitions(Number(field)) : Number(repetition);
      for (let at = Number(repetition ?? 1); at <= last && texts.length < mostTexts; at += 1) {
        const value = segment.text(Number(field), at, Number(component), Number(subcomponent));
        if (value !== '') texts.push(value);
      }
    }
    return texts;
  };
}
