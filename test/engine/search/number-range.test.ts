// What numbers mean as ranges. https://hl7.org/fhir/R4/search.html#number
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { atPrecision, exactly, exactNumber } from '../../../engine/search/number-range.ts';

describe('at the precision written', () => {
  test.each([
    ['100', 99.5, 100.5],
    ['100.00', 99.995, 100.005],
    ['1e2', 95, 105],
    ['2.780', 2.7795, 2.7805],
    ['-3', -3.5, -2.5],
    ['0', -0.5, 0.5],
    ['+5.4', 5.35, 5.45],
  ])('%s', (text, low, high) => expect(atPrecision(text)).toEqual({ low, high }));

  test.each(['', 'x', '1.', '.5', '1e', '1,5', '0x10', 'Infinity', '1'.repeat(60)])(
    '%j is no number',
    (text) => {
      expect(atPrecision(text)).toBeUndefined();
      expect(exactNumber(text)).toBeUndefined();
    },
  );
});

test('an exact range holds its number, and ends before every greater one', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, min: -1e300, max: 1e300 }), (value) => {
      const { low, high } = exactly(value);
      expect(low).toBe(value);
      expect(high).toBeGreaterThan(value);
      expect(exactly(value + Math.abs(value) * 1e-12 + 1e-300).high).toBeGreaterThan(high);
    }),
  );
});
