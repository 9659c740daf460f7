// However a body is cut, it is gathered whole, in not many more pieces than its length asks for.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GatheredBytes } from '../../../engine/rest/gathered-bytes.ts';

const gathered = (pieces: readonly Uint8Array[]): readonly Uint8Array[] => {
  const bytes = new GatheredBytes();
  for (const piece of pieces) bytes.push(piece);
  return bytes.take();
};

test('nothing is lost, doubled or moved', () => {
  const piece = fc.oneof(
    { weight: 5, arbitrary: fc.uint8Array({ maxLength: 3 }) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 0, max: 60_000 }).map((length) => new Uint8Array(length).fill(length)),
    },
  );
  const cut = fc.array(piece, { maxLength: 900, size: 'max' });
  fc.assert(
    fc.property(cut, (pieces) => {
      expect(Buffer.concat(gathered(pieces)).equals(Buffer.concat(pieces))).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('what comes byte by byte is put together', () => {
  const pieces = Array.from({ length: 300_000 }, (_, place) => Uint8Array.of(place));
  expect(gathered(pieces).length).toBeLessThan(1_500);
});
