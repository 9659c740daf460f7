// One segment, split only where it is asked: most fields of most messages are never read.
import type { WireSegment } from '../../engine/index.ts';
import { unescaped, type Delimiters } from './delimiters.ts';

/** What the segments of one message share. */
export interface Reading {
  readonly delimiters: Delimiters;
  readonly decode: (bytes: Buffer) => string;
}

export class Hl7Segment implements WireSegment {
  readonly name: string;
  readonly position: number;
  readonly #line: string;
  readonly #reading: Reading;
  /** A header (MSH, FHS, BHS) names its delimiters in fields 1 and 2, so that its fields count one higher than its parts. */
  readonly #header: boolean;
  #parts: readonly string[] | undefined;
  #repeated: Map<number, readonly string[]> | undefined;

  constructor(line: string, position: number, reading: Reading) {
    this.name = line.slice(0, 3);
    this.position = position;
    this.#line = line;
    this.#reading = reading;
    this.#header = isHeader(this.name);
  }

  get fields(): number {
    const { length } = this.#split();
    return this.#header ? length : length - 1;
  }

  text(field: number, repetition = 1, component = 1, subcomponent = 1): string {
    const { delimiters, decode } = this.#reading;
    const whole = this.#field(field);
    if (whole === '') return '';
    if (this.#isDelimiterField(field)) {
      return repetition === 1 && component === 1 && subcomponent === 1 ? whole : '';
    }
    const repeated = this.#repetition(field, whole, repetition);
    const part = piece(
      piece(repeated, delimiters.component, component),
      delimiters.subcomponent,
      subcomponent,
    );
    return unescaped(part, delimiters, decode);
  }

  source(field: number, repetition?: number): string {
    const whole = this.#field(field);
    return repetition === undefined ? whole : this.#repetition(field, whole, repetition);
  }

  repetitions(field: number): number {
    const whole = this.#field(field);
    if (whole === '') return 0;
    return this.#isRepeated(field, whole) ? this.#repetitionsOf(field, whole).length : 1;
  }

  components(field: number, repetition = 1): number {
    return this.#count(field, this.source(field, repetition), this.#reading.delimiters.component);
  }

  subcomponents(field: number, repetition: number, component: number): number {
    const { delimiters } = this.#reading;
    const repeated = this.source(field, repetition);
    const part = this.#isDelimiterField(field) ? repeated : piece(repeated, delimiters.component, component);
    return this.#count(field, part, delimiters.subcomponent);
  }

  #split(): readonly string[] {
    this.#parts ??= this.#line.split(this.#reading.delimiters.field);
    return this.#parts;
  }

  #field(field: number): string {
    if (!this.#header) return field < 1 ? '' : (this.#split()[field] ?? '');
    return field === 1 ? this.#reading.delimiters.field : field < 1 ? '' : (this.#split()[field - 1] ?? '');
  }

  #isDelimiterField(field: number): boolean {
    return this.#header && field <= 2;
  }

  #isRepeated(field: number, whole: string): boolean {
    const { repetition } = this.#reading.delimiters;
    return repetition !== '' && whole.includes(repetition) && !this.#isDelimiterField(field);
  }

  #repetition(field: number, whole: string, repetition: number): string {
    if (!this.#isRepeated(field, whole)) return repetition === 1 ? whole : '';
    return this.#repetitionsOf(field, whole)[repetition - 1] ?? '';
  }

  /** Kept once split, so that going through many repetitions stays linear. */
  #repetitionsOf(field: number, whole: string): readonly string[] {
    this.#repeated ??= new Map();
    const known = this.#repeated.get(field) ?? whole.split(this.#reading.delimiters.repetition);
    this.#repeated.set(field, known);
    return known;
  }

  #count(field: number, text: string, separator: string): number {
    if (text === '') return 0;
    return separator === '' || this.#isDelimiterField(field) ? 1 : occurrences(text, separator) + 1;
  }
}

function isHeader(name: string): boolean {
  return name === 'MSH' || name === 'FHS' || name === 'BHS';
}

/** The nth piece, from 1, of a text split by a separator; '' beyond the last. */
function piece(text: string, separator: string, number: number): string {
  if (separator === '') return number === 1 ? text : '';
  let from = 0;
  for (let count = 1; ; count += 1) {
    const end = text.indexOf(separator, from);
    if (count === number) return end === -1 ? text.slice(from) : text.slice(from, end);
    if (end === -1) return '';
    from = end + 1;
  }
}

function occurrences(text: string, separator: string): number {
  let count = 0;
  for (let at = text.indexOf(separator); at !== -1; at = text.indexOf(separator, at + 1)) count += 1;
  return count;
}
