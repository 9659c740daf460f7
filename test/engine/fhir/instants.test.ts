// What span of time a FHIR date means. https://hl7.org/fhir/R4/datatypes.html#dateTime
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatInstant, instantRange, timeRange } from '../../../engine/fhir/instants.ts';

const ms = (text: string): number => Date.parse(text);

describe('instantRange', () => {
  test.each([
    ['2026', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    ['2026-12', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    ['2024-02', '2024-02-01T00:00:00Z', '2024-03-01T00:00:00Z'],
    ['2024-02-29', '2024-02-29T00:00:00Z', '2024-03-01T00:00:00Z'],
    ['2026-11-21T10:00Z', '2026-11-21T10:00:00Z', '2026-11-21T10:01:00Z'],
    ['2026-11-21T10:00:05Z', '2026-11-21T10:00:05Z', '2026-11-21T10:00:06Z'],
    ['2026-11-21T10:00:05.25Z', '2026-11-21T10:00:05.250Z', '2026-11-21T10:00:05.260Z'],
    ['2026-11-21T10:00:05.2509999Z', '2026-11-21T10:00:05.250Z', '2026-11-21T10:00:05.251Z'],
    ['2026-11-21T01:30:00+03:00', '2026-11-20T22:30:00Z', '2026-11-20T22:30:01Z'],
    ['2026-11-21T23:30:00-05:30', '2026-11-22T05:00:00Z', '2026-11-22T05:00:01Z'],
    ['0050-01-01', '0050-01-01T00:00:00Z', '0050-01-02T00:00:00Z'],
  ])('%s', (text, low, high) => expect(instantRange(text)).toEqual({ low: ms(low), high: ms(high) }));

  test('without a zone the given one counts', () =>
    expect(instantRange('2026-11-21', 180)).toEqual({
      low: ms('2026-11-20T21:00:00Z'),
      high: ms('2026-11-21T21:00:00Z'),
    }));

  test('with a zone the given one does not', () =>
    expect(instantRange('2026-11-21T10:00:00Z', 180)?.low).toBe(ms('2026-11-21T10:00:00Z')));

  test.each([
    '',
    '26',
    '2026-13',
    '2026-00',
    '2025-02-29',
    '2026-04-31',
    '2026-1-1',
    '2026-11-21T24:00:00Z',
    '2026-11-21T10',
    'soon',
  ])('%j is no time', (text) => expect(instantRange(text)).toBeUndefined());

  test('an instant written is the instant read', () => {
    fc.assert(
      fc.property(fc.integer({ min: ms('0001-01-01'), max: ms('9999-12-31') }), (instant) => {
        expect(instantRange(formatInstant(instant))).toEqual({ low: instant, high: instant + 1 });
      }),
    );
  });
});

test('timeRange reads the time of day', () => {
  expect(timeRange('10:00:05')).toEqual({ low: 36_005_000, high: 36_006_000 });
  expect(timeRange('10:00')).toBeUndefined();
  expect(timeRange('25:00:00')).toBeUndefined();
});
