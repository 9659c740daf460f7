// Quantities, money, ranges and sampled data as ranges of numbers with a unit.
// https://hl7.org/fhir/R4/search.html#quantity
import { decimalNumber } from '../../fhir/exact-json.ts';
import { exactly, justAbove, type NumberRange } from '../number-range.ts';
import { canonicalUnit, inCanonicalUnit, ucum, withOneMicro } from '../units/canonical-unit.ts';
import type { Collector } from './collector.ts';
import type { EntryNames } from './entry-names.ts';

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A range of numbers in any unit, given what a number of its own unit is in that one. */
type RangeIn = (converted: (value: number) => number) => NumberRange;

const asWritten = (value: number): number => value;

export function quantity(value: unknown, names: EntryNames, into: Collector): void {
  const fields = fieldsOf(value);
  const number = decimalNumber(fields.value);
  if (number === undefined) return;
  addWithUnits((converted) => compared(converted(number), fields.comparator), fields, names, into);
}

/** `<20` may be anything below 20. */
function compared(value: number, comparator: unknown): NumberRange {
  switch (comparator) {
    case '<':
      return { low: -Infinity, high: value };
    case '<=':
      return { low: -Infinity, high: justAbove(value) };
    case '>':
      return { low: justAbove(value), high: Infinity };
    case '>=':
      return { low: value, high: Infinity };
    default:
      return exactly(value);
  }
}

/** Found by the unit's code and, where that is written otherwise, by the unit's text too; and in the canonical unit. */
function addWithUnits(rangeIn: RangeIn, unit: Fields, names: EntryNames, into: Collector): void {
  const code = withOneMicro(textOf(unit.code));
  const text = withOneMicro(textOf(unit.unit));
  const { low, high } = rangeIn(asWritten);
  const parameter = names.plain;
  if (code === '') {
    into.add({ kind: 'quantity', parameter, system: '', unit: text, low, high });
    return;
  }
  const system = textOf(unit.system);
  into.add({ kind: 'quantity', parameter, system, unit: code, low, high });
  if (text !== '' && text !== code) {
    into.add({ kind: 'quantity', parameter, system: '', unit: text, low, high });
  }
  if (system === ucum) addCanonical(rangeIn, code, names, into);
}

/** Under a name of its own: a search without a unit asks for the number that is written. */
function addCanonical(rangeIn: RangeIn, code: string, names: EntryNames, into: Collector): void {
  const canonical = canonicalUnit(code);
  if (canonical === undefined || canonical.unit === code) return;
  const { low, high } = rangeIn((value) => inCanonicalUnit(value, canonical));
  const { unit } = canonical;
  into.add({ kind: 'quantity', parameter: names.canonical, system: ucum, unit, low, high });
}

export function money(value: unknown, names: EntryNames, into: Collector): void {
  const fields = fieldsOf(value);
  const number = decimalNumber(fields.value);
  if (number === undefined) return;
  const unit = { system: 'urn:iso:std:iso:4217', code: fields.currency };
  addWithUnits(() => exactly(number), unit, names, into);
}

export function quantityRange(value: unknown, names: EntryNames, into: Collector): void {
  const low = fieldsOf(fieldsOf(value).low);
  const high = fieldsOf(fieldsOf(value).high);
  const from = decimalNumber(low.value);
  const to = decimalNumber(high.value);
  if (from === undefined && to === undefined) return;
  const range: RangeIn = (converted) => ({
    low: from === undefined ? -Infinity : converted(from),
    high: to === undefined ? Infinity : justAbove(converted(to)),
  });
  addWithUnits(range, from === undefined ? high : low, names, into);
}

const samples = /\S+/g;

/** From the least to the greatest of its samples, each scaled by factor and moved by origin. */
export function sampledData(value: unknown, names: EntryNames, into: Collector): void {
  const fields = fieldsOf(value);
  const origin = fieldsOf(fields.origin);
  const start = decimalNumber(origin.value) ?? 0;
  const factor = decimalNumber(fields.factor) ?? 1;
  let low = Infinity;
  let high = -Infinity;
  for (const [sample] of textOf(fields.data).matchAll(samples)) {
    const measured = start + factor * sampleOf(sample, fields, factor);
    if (measured < low) low = measured;
    if (measured > high) high = measured;
  }
  if (low > high) return;
  const range: RangeIn = (converted) => ({ low: converted(low), high: justAbove(converted(high)) });
  addWithUnits(range, origin, names, into);
}

/** `L` and `U` are beyond the limits of detection, `E` is an error and no sample. */
function sampleOf(sample: string, fields: Fields, factor: number): number {
  const limit = sample === 'L' ? fields.lowerLimit : sample === 'U' ? fields.upperLimit : undefined;
  return limit === undefined ? Number(sample) : (decimalNumber(limit) ?? NaN) / factor;
}
