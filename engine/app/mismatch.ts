// Whether what is expected is part of what there is: for cases that name only what they are about.
import { decimalText } from '../fhir/exact-json.ts';

/** The first place that differs, in words; undefined where all that is expected is there. Elements of a list are in any order. */
export function mismatch(expected: unknown, actual: unknown, place = ''): string | undefined {
  if (Array.isArray(expected)) return listMismatch(expected, actual, place);
  if (typeof expected === 'object' && expected !== null) {
    if (typeof actual !== 'object' || actual === null) return `${place} is not there`;
    for (const [name, value] of Object.entries(expected)) {
      const found = mismatch(
        value,
        (actual as Record<string, unknown>)[name],
        place === '' ? name : `${place}.${name}`,
      );
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return isSame(expected, actual) ? undefined : `${place} is ${shown(actual)}, not ${shown(expected)}`;
}

function listMismatch(expected: readonly unknown[], actual: unknown, place: string): string | undefined {
  const there: readonly unknown[] = Array.isArray(actual) ? actual : [];
  const lacking = expected.findIndex((one) => !there.some((other) => mismatch(one, other) === undefined));
  if (lacking === -1) return undefined;
  const [only] = there;
  return there.length === 1
    ? mismatch(expected[lacking], only, `${place}[0]`)
    : `${place} has no element as number ${lacking + 1} of those expected`;
}

/** Decimals as they are written: 5.10 is not 5.1. YAML reads numbers without their last zeros, so a text may stand for one. */
const isSame = (expected: unknown, actual: unknown): boolean =>
  expected === actual || (textOf(expected) !== undefined && textOf(expected) === textOf(actual));

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : decimalText(value);

const shown = (value: unknown): string =>
  value === undefined ? 'absent' : (decimalText(value) ?? JSON.stringify(value));
