// The text of a message, as people would look for its words: what stands in its segments, with its escapes undone.
import { isAscii } from 'node:buffer';
import type { WireSegment } from '../mapping/wire-message.ts';
import type { Parsed } from './stages.ts';

/** MSH-2 has a backslash, within so many bytes. */
const header = 9;
/** Longer values without a space are encoded data: pictures, documents. */
const longestWord = 2_000;
/** Longer messages may hold such values. */
const short = 10_000;
/** Of a field with escapes, so many values are undone one by one. */
const mostValues = 500;

/** Delimiters part words as spaces do, so most messages are their own text. */
export function textOf({ raw, wire }: Pick<Parsed, 'raw' | 'wire'>): string {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  if (wire.segments.length === 0) return bytes.toString('utf8');
  if (bytes.length <= short && isPlain(bytes) && bytes.lastIndexOf('\\') < header) {
    return bytes.toString('latin1');
  }
  return wire.segments.map(textOfSegment).join('\n');
}

/** UTF-16 has a zero in each character of ASCII. */
const isPlain = (bytes: Buffer): boolean => isAscii(bytes) && !bytes.includes(0);

function textOfSegment(segment: WireSegment): string {
  const texts = [segment.name];
  for (let field = 1; field <= segment.fields; field += 1) texts.push(textOfField(segment, field));
  return texts.join('|');
}

function textOfField(segment: WireSegment, field: number): string {
  const source = segment.source(field);
  if (source.length > longestWord && !source.slice(0, longestWord).includes(' ')) return '';
  return source.includes('\\') ? valuesOf(segment, field).join(' ') : source;
}

function valuesOf(segment: WireSegment, field: number): readonly string[] {
  const values: string[] = [];
  for (let repetition = 1; repetition <= segment.repetitions(field); repetition += 1) {
    for (let component = 1; component <= segment.components(field, repetition); component += 1) {
      const parts = segment.subcomponents(field, repetition, component);
      for (let part = 1; part <= parts; part += 1) {
        if (values.length === mostValues) return [...values, segment.source(field)];
        values.push(segment.text(field, repetition, component, part));
      }
    }
  }
  return values;
}
