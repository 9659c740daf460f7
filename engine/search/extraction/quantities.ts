// Quantities, money, ranges and sampled data as ranges of numbers with a unit.
// https://hl7.org/fhir/R4/search.html#quantity
import { decimalNumber } from '../../fhir/exact-json.ts';
import { exactly, justAbove, type NumberRange } from '../number-range.ts';
import type { ParameterName } from '../plan.ts';
import type { Collector } from './collector.ts';

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

export function quantity(value: unknown, parameter: ParameterName, into: Collector): void {
  const fields = fieldsOf(value);
  const number = decimalNumber(fields.value);
  if (number !== undefined) addWithUnits(compared(number, fields.comparator), fields, parameter, into);
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

/** Found by the unit's code and, where that is written otherwise, by the unit's text too. */
function addWithUnits(range: NumberRange, unit: Fields, parameter: ParameterName, into: Collector): void {
  const code = textOf(unit.code);
  const text = textOf(unit.unit);
  const { low, high } = range;
  if (code === '') {
    into.add({ kind: 'quantity', parameter, system: '', unit: text, low, high });
    return;
  }
  into.add({ kind: 'quantity', parameter, system: textOf(unit.system), unit: code, low, high });
  if (text !== '' && text !== code) {
    into.add({ kind: 'quantity', parameter, system: '', unit: text, low, high });
  }
}

export function money(value: unknown, parameter: ParameterName, into: Collector): void {
  const fields = fieldsOf(value);
  const number = decimalNumber(fields.value);
  if (number === undefined) return;
  const unit = { system: 'urn:iso:std:iso:4217', code: fields.currency };
  addWithUnits(exactly(number), unit, parameter, into);
}

export function quantityRange(value: unknown, parameter: ParameterName, into: Collector): void {
  const low = fieldsOf(fieldsOf(value).low);
  const high = fieldsOf(fieldsOf(value).high);
  const from = decimalNumber(low.value);
  const to = decimalNumber(high.value);
  if (from === undefined && to === undefined) return;
  const range = { low: from ?? -Infinity, high: to === undefined ? Infinity : justAbove(to) };
  addWithUnits(range, from === undefined ? high : low, parameter, into);
}

const samples = /\S+/g;

/** From the least to the greatest of its samples, each scaled by factor and moved by origin. */
export function sampledData(value: unknown, parameter: ParameterName, into: Collector): void {
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
  if (low <= high) addWithUnits({ low, high: justAbove(high) }, origin, parameter, into);
}

/** `L` and `U` are beyond the limits of detection, `E` is an error and no sample. */
function sampleOf(sample: string, fields: Fields, factor: number): number {
  const limit = sample === 'L' ? fields.lowerLimit : sample === 'U' ? fields.upperLimit : undefined;
  return limit === undefined ? Number(sample) : (decimalNumber(limit) ?? NaN) / factor;
}
