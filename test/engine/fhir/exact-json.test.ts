// Decimals come back as they were written, and hostile text is refused. https://hl7.org/fhir/R4/json.html#primitive
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decimal,
  decimalNumber,
  decimalText,
  parseJson,
  parseResource,
  writeJson,
} from '../../../engine/fhir/exact-json.ts';
import { Refusal } from '../../../engine/kernel/outcomes.ts';

const digits = (most: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: most }).map((all) => all.join(''));

/** Any JSON number as text. */
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits(22).map((text) => text.replace(/^0+(?=\d)/, '')),
    fc.option(digits(22), { nil: undefined }),
    fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'E-'), digits(2)), { nil: undefined }),
  )
  .map(([sign, whole, fraction, exponent]) =>
    [sign, whole, fraction === undefined ? '' : `.${fraction}`, exponent?.join('') ?? ''].join(''),
  );

const jsonText = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    numberText,
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
    fc.constantFrom('true', 'false', 'null'),
    fc.array(tie('value'), { maxLength: 4 }).map((parts) => `[${parts.join(',')}]`),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), tie('value'), { maxKeys: 4, noNullPrototype: true }).map(
      (parts) =>
        `{${Object.entries(parts)
          .map(([key, value]) => `"${key}":${value}`)
          .join(',')}}`,
    ),
  ),
})).value;

describe('exact JSON', () => {
  test.each([
    '2.780',
    '5.000000',
    '1E5',
    '12345678901234567890',
    '0.00000010',
    '-0',
    '-0.0',
    '1.5e-7',
    '0',
    '100',
  ])('%s comes back as written', (text) => {
    const value = parseJson(`{"value": ${text}}`) as { value: unknown };
    expect(writeJson(value)).toBe(`{"value":${text}}`);
    expect(decimalText(value.value)).toBe(text);
    expect(decimalNumber(value.value)).toBe(Number(text));
  });

  test('any text that JSON writes comes back byte for byte', () => {
    fc.assert(
      fc.property(jsonText, (text) => writeJson(parseJson(text)) === text),
      { numRuns: 2000 },
    );
  });

  test('ordinary numbers stay numbers', () =>
    expect(parseJson('[1, 2.5, -7, 0.001, {"a": 1234567.125}]')).toEqual([
      1,
      2.5,
      -7,
      0.001,
      { a: 1234567.125 },
    ]));

  test('text that looks like an inexact number in a string is left alone', () =>
    expect(parseJson('{"a":"x: 1.20, 2e5"}')).toEqual({ a: 'x: 1.20, 2e5' }));

  test('a decimal can be made from its digits', () => {
    expect(writeJson([decimal('2.780'), decimal('3')])).toBe('[2.780,3]');
    expect(() => decimal('two')).toThrow(SyntaxError);
  });

  test('what is no number has no digits', () => {
    expect(decimalText('5')).toBeUndefined();
    expect(decimalText(NaN)).toBeUndefined();
    expect(decimalNumber({ rawJSON: '5' })).toBeUndefined();
    expect(decimalNumber(parseJson('-1e400'))).toBeUndefined();
  });
});

describe('refused', () => {
  test.each([
    ['', 'line 1, column 1'],
    ['{"a": a}', 'line 1, column 7'],
    ['{"a":1,}', 'line 1, column 8'],
    ['{"a":1', 'line 1, column 7'],
    ['[1,\n 2 3]', 'line 2, column 4'],
    ['{"a":"x\ny"}', 'line 1, column 6'],
    ['[1]]', 'line 1, column 4'],
    ['{"a":01}', 'line 1, column 7'],
    ['[1}', 'line 1, column 3'],
    ['{"Kamau": tru}', 'line 1, column 11'],
  ])('%j, saying where: %s', (text, place) => {
    const refused = refusalOf(() => parseJson(text));
    expect(refused?.message).toBe(`the text is not JSON: ${place}`);
  });

  test.each([
    ['nesting', '['.repeat(100_000)],
    ['nesting that ends', `${'{"a":'.repeat(201)}1${'}'.repeat(201)}`],
    ['a prototype', '{"resourceType":"Patient","__proto__":{"a":1}}'],
    ['a hidden prototype', '{"a":[{"\\u005f_proto__":1}]}'],
  ])('%s', (_name, text) => expect(refusalOf(() => parseJson(text))?.code).toBe('bad-request'));

  test('depth that a resource may have is not', () =>
    expect(() => parseJson(`${'['.repeat(200)}${']'.repeat(200)}`)).not.toThrow());

  test('many openings side by side are not', () =>
    expect(() => parseJson(`[${'{"a":"[["},'.repeat(500)}1]`)).not.toThrow());

  test.each([['[]'], ['"Patient"'], ['{"resourceType":1}'], ['null']])('%s, which is no resource', (text) =>
    expect(refusalOf(() => parseResource(text))?.code).toBe('bad-request'),
  );

  test('bytes that are not UTF-8', () =>
    expect(refusalOf(() => parseResource(Uint8Array.of(0x7b, 0xff, 0x7d)))?.code).toBe('bad-request'));
});

test('a byte order mark is passed over', () => {
  expect(parseResource('\ufeff{"resourceType":"Patient"}').resourceType).toBe('Patient');
  expect(parseResource(new TextEncoder().encode('\ufeff{"resourceType":"Basic"}')).resourceType).toBe(
    'Basic',
  );
});

function refusalOf(work: () => unknown): Refusal | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  return undefined;
}
