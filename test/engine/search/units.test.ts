// UCUM codes: what measures the same is compared in one unit, and what is no unit is left alone.
import { describe, expect, test } from '@jest/globals';
import { canonicalUnit, inCanonicalUnit } from '../../../engine/search/units/canonical-unit.ts';

/** A value, and the same in the canonical unit: by https://ucum.org and its validator. */
const equal: readonly (readonly [value: number, code: string, canonical: number, unit: string])[] = [
  [1, 'g/L', 100, 'mg/dL'],
  [14.2, 'g/dL', 14_200, 'mg/dL'],
  [5.5, 'mmol/L', 5.5, 'mmol/L'],
  [88, 'umol/L', 0.088, 'mmol/L'],
  [7.3, '10*3/uL', 7.3, '10*9/L'],
  [4.5, '10*12/L', 4500, '10*9/L'],
  [7300, '{cells}/uL', 7.3, '10*9/L'],
  [16, 'kPa', 120.010200867, 'mm[Hg]'],
  [10, 'cm[H2O]', 7.35561272708, 'mm[Hg]'],
  [98.6, '[degF]', 37, 'Cel'],
  [310.15, 'K', 37, 'Cel'],
  [150, '[lb_av]', 68.0388555, 'kg'],
  [70, '[in_i]', 177.8, 'cm'],
  [2, 'L', 2000, 'mL'],
  [90, 'fL', 9e-11, 'mL'],
  [1, 'h', 60, 'min'],
  [1, 'Hz', 60, '/min'],
  [1, 'nkat/L', 0.06, 'U/L'],
  [1, '[IU]/L', 1000, 'm[IU]/L'],
  [90, 'mL/min/{1.73_m2}', 90, 'mL/min'],
  [0.42, 'L/L', 42, '%'],
  [0.42, '1', 42, '%'],
  [5, 'ug/(kg.min)', 5e-9, '/min'],
];

describe('canonical units', () => {
  test.each(equal)('%d %s is %d %s', (value, code, canonical, unit) => {
    const found = canonicalUnit(code);
    expect(found?.unit).toBe(unit);
    const converted = found && inCanonicalUnit(value, found);
    expect(converted! / canonical).toBeCloseTo(1, 9);
  });

  test.each([
    ['', 'nothing'],
    ['{INR}', 'a number with a name'],
    ['7', 'a number'],
    ['tablet', 'no unit'],
    ['mg//dL', 'no syntax'],
    ['(mg', 'an open bracket'],
    ['mg)', 'a closed one'],
    ['mg dL', 'a space'],
    ['MG', 'other case'],
    ['k[in_i]', 'a prefix where none may be'],
    ['__proto__', 'a name of JavaScript'],
    [`${'('.repeat(30)}m${')'.repeat(28)}`, 'brackets without end'],
    ['m'.repeat(10_000), 'a flood'],
    [`${'m.'.repeat(25)}!`, 'a long way to nothing'],
  ])('%j is not understood: %s', (code) => expect(canonicalUnit(code)).toBeUndefined());

  test('amounts, counts and activities are not mixed', () => {
    const units = ['mmol/L', 'meq/L', 'mosm/L', '10*9/L', 'm[IU]/L'].map((code) => canonicalUnit(code)?.unit);
    expect(new Set(units).size).toBe(units.length);
  });
});
