// A message as bytes: UTF-8, the usual delimiters, segments ended by carriage returns. HL7 2.5.1, 2.5 and 2.7.
import type { OutgoingSegment } from '../../engine/index.ts';
import { escaped, usualDelimiters } from './delimiters.ts';

const { field, component, repetition, escape, subcomponent } = usualDelimiters;

/** The first segment is MSH; its fields 1 and 2 are written here. */
export function renderMessage(segments: readonly OutgoingSegment[]): Uint8Array {
  return Buffer.from(segments.map((segment) => `${lineOf(segment)}\r`).join(''), 'utf8');
}

function lineOf({ name, fields }: OutgoingSegment): string {
  const texts = new Map([...fields].map(([number, repetitions]) => [number, fieldText(repetitions)]));
  if (name !== 'MSH') return [name, ...listed(texts)].join(field);
  const encoding = `${component}${repetition}${escape}${subcomponent}`;
  return [name, encoding, ...listed(texts).slice(2)].join(field);
}

type Repetitions = OutgoingSegment['fields'] extends ReadonlyMap<number, infer Listed> ? Listed : never;

const fieldText = (repetitions: Repetitions): string =>
  repetitions.map((components) => joined(components, component, componentText)).join(repetition);

const componentText = (subcomponents: ReadonlyMap<number, string>): string =>
  joined(subcomponents, subcomponent, written);

function joined<T>(parts: ReadonlyMap<number, T>, separator: string, text: (part: T) => string): string {
  return listed(new Map([...parts].map(([number, part]) => [number, text(part)]))).join(separator);
}

/** By number from 1, '' where there is none. */
function listed(texts: ReadonlyMap<number, string>): readonly string[] {
  return Array.from({ length: Math.max(0, ...texts.keys()) }, (_, at) => texts.get(at + 1) ?? '');
}

/** What would end a segment, the frame around the message or a C string: HL7 2.5.1, 2.7.5. */
const control = /[\x00-\x1f\x7f]/g;

/** Two double quotes alone would delete what the receiver has (2.5.3): a text that says them is written as bytes. */
function written(text: string): string {
  if (text === '""') return `${escape}X2222${escape}`;
  return escaped(text, usualDelimiters).replaceAll(control, hexadecimal);
}

const hexadecimal = (character: string): string =>
  `${escape}X${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}${escape}`;
