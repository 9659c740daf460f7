// Whatever arrives: mapping never throws, never takes long, and what it makes is JSON.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hl7Format } from '../../../adapters/hl7/format.ts';
import { context, goldenPairs, shippedMapper } from '../../support/maps.ts';

const mapper = await shippedMapper();
const texts = goldenPairs().map(({ raw }) => raw.toString('utf8'));

/** One cut, doubling or replacement somewhere in a sound message. */
const mutation = fc.record({
  at: fc.nat(4_000),
  length: fc.nat(60),
  instead: fc.oneof(
    fc.constantFrom(
      '|',
      '^',
      '~',
      '&',
      '\\',
      '\r',
      '""',
      '|||',
      'OBX',
      'PID|1||x\r',
      'SPM|9\r',
      '__proto__',
      '99999999999999999999',
    ),
    fc.string({ maxLength: 12 }),
  ),
});

const mutate = (
  text: string,
  { at, length, instead }: { at: number; length: number; instead: string },
): string => {
  const place = at % text.length;
  return text.slice(0, place) + instead + text.slice(place + length);
};

test('mutated messages give issues, not errors', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.array(mutation, { minLength: 1, maxLength: 6 }),
      (text, mutations) => {
        const { message } = hl7Format.parse(Buffer.from(mutations.reduce(mutate, text)));
        if (message === undefined) return;
        const selection = mapper.select(message);
        for (const map of selection.kind === 'map' ? [selection.name] : mapper.maps) {
          mapper.questions(message, map);
          const result = mapper.map(message, map, {}, context);
          expect(typeof JSON.stringify(result)).toBe('string');
        }
      },
    ),
    { numRuns: 400 },
  );
});

test('a message of ten thousand results is mapped in linear time', () => {
  const results = (count: number): Buffer =>
    Buffer.from(
      [
        'MSH|^~\\&|BC-5380|Mindray|||20260402111500||ORU^R01|1|P|2.3.1',
        'OBR|1||S1|00001^Count^99MRC',
        ...Array.from({ length: count }, (_, place) => `OBX|${place}|NM|T${place}^T^99MRC||1|g/L|||||F`),
      ].join('\r'),
    );
  const took = (count: number): number => {
    const { message } = hl7Format.parse(results(count));
    const start = performance.now();
    mapper.map(message!, 'ORU-R01-mindray-bc', {}, context);
    return performance.now() - start;
  };
  took(500);
  const small = Math.max(took(1_000), 5);
  expect(took(10_000)).toBeLessThan(small * 60);
});
