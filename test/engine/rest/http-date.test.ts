import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { httpDate } from '../../../engine/rest/http-date.ts';

test('an instant is written as the platform writes it', () => {
  const instants = fc.integer({ min: Date.UTC(1, 0), max: Date.UTC(9999, 11, 31, 23, 59, 59, 999) });
  fc.assert(
    fc.property(instants, (instant) => expect(httpDate(instant)).toBe(new Date(instant).toUTCString())),
  );
  const day = Date.UTC(2026, 10, 22);
  for (let instant = day; instant < day + 86_400_000; instant += 59_999) {
    expect(httpDate(instant)).toBe(new Date(instant).toUTCString());
  }
});
