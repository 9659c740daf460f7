// JSON values with exact numbers, as patches work on them: copies that may be changed, and equality.
import { decimalText, isRawNumber } from '../exact-json.ts';

export type MutableFields = Record<string, unknown>;

export const isFields = (value: unknown): value is MutableFields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);

/** A deep copy. `spend` is told of each value, and may throw when there are too many. */
export function copyOf<T>(value: T, spend: () => void): T {
  spend();
  if (Array.isArray(value)) return value.map((part: unknown) => copyOf(part, spend)) as T;
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyOf(part, spend)])) as T;
}

/** Whether two values are the same: numbers as numbers (2.50 is 2.5), properties in any order. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  const number = decimalText(one);
  if (number !== undefined) return sameNumber(number, decimalText(other));
  if (Array.isArray(one)) {
    return (
      Array.isArray(other) && one.length === other.length && one.every((part, at) => isSame(part, other[at]))
    );
  }
  if (!isFields(one) || !isFields(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame(one[key], other[key]))
  );
}

function sameNumber(one: string, other: string | undefined): boolean {
  if (other === undefined) return false;
  const [first, second] = [normal(one), normal(other)];
  return first.digits === second.digits && first.exponent === second.exponent;
}

interface Normal {
  /** With sign, without zeros at either end. */
  readonly digits: string;
  readonly exponent: number;
}

const written = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

function normal(text: string): Normal {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = written.exec(text) ?? [];
  const all = withoutLeadingZeros(`${whole}${fraction}`);
  if (all === '') return { digits: '0', exponent: 0 };
  const digits = withoutTrailingZeros(all);
  return { digits: sign + digits, exponent: Number(exponent) - fraction.length + all.length - digits.length };
}

function withoutLeadingZeros(digits: string): string {
  let start = 0;
  while (digits.charAt(start) === '0') start++;
  return digits.slice(start);
}

function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (digits.charAt(end - 1) === '0') end--;
  return digits.slice(0, end);
}

/** What a patch has emptied goes: FHIR knows neither empty objects nor empty lists. Changes `value` itself. */
export function dropEmpty(value: unknown): void {
  if (Array.isArray(value)) {
    value.forEach(dropEmpty);
    if (!value.some(isEmpty)) return;
    const kept = value.filter((part) => !isEmpty(part));
    value.length = 0;
    for (const part of kept) value.push(part);
  } else if (isFields(value)) {
    for (const [key, part] of Object.entries(value)) {
      dropEmpty(part);
      if (isEmpty(part)) Reflect.deleteProperty(value, key);
    }
  }
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isFields(value) && Object.keys(value).length === 0;
}
