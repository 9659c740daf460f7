// However the bytes of a Bundle come, it is taken apart into what it was made of.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cutEntries } from '../../../engine/rest/async/cut-entries.ts';

async function* chunks(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function cut(text: string, size: number): Promise<readonly string[]> {
  const pieces: string[] = [];
  for await (const piece of cutEntries(chunks(text, size))) pieces.push(String(piece));
  return pieces;
}

/** Every length of chunk that can matter, and one with all. */
const sizes = [1, 2, 3, 7, 64, 100_000];

const nasty = fc.oneof(
  fc.constantFrom('"', '\\', '\\"', ',"entry":[', ']}', '{', 'Wanjikũ', '😀', '\n'),
  fc.string({ unit: 'grapheme' }),
);
const inner = fc.dictionary(nasty, fc.oneof(nasty, fc.array(nasty), fc.dictionary(nasty, nasty)));

test('any Bundle', async () => {
  const bundles = fc.record({ head: inner, entry: fc.array(inner, { minLength: 1, maxLength: 5 }) });
  await fc.assert(
    fc.asyncProperty(bundles, fc.constantFrom(...sizes), async ({ head, entry }, size) => {
      const [before, ...written] = [{ meta: head, link: [head] }, ...entry].map((one) => JSON.stringify(one));
      const start = before?.slice(0, -1) ?? '';
      const pieces = await cut(`${start},"entry":[${written.join(',')}]}`, size);
      const entries = written.map((one, place) => `${place === 0 ? ',"entry":[' : ','}${one}`);
      expect(pieces.filter((piece) => piece !== '')).toEqual([start, ...entries, '}']);
    }),
    { numRuns: 200 },
  );
});

const rows = [
  { rule: 'no entries', text: '{"resourceType":"Bundle","type":"searchset"}' },
  { rule: 'an empty list of entries', text: '{"resourceType":"Bundle","entry":[]}' },
  {
    rule: 'another resource',
    text: '{"resourceType":"OperationOutcome","issue":[{"code":"informational"}]}',
  },
];
test.each(rows)('$rule: nothing is cut', async ({ text }) => {
  for (const size of sizes) expect((await cut(text, size)).join('')).toBe(text.replace(',"entry":[]', ''));
});

test('what follows the entries would be lost, and is a defect', async () => {
  await expect(cut('{"resourceType":"Bundle","entry":[{"a":1}],"total":1}', 9)).rejects.toThrow(
    'not the last',
  );
});

test('an entry that is too long to be held is refused', async () => {
  const text = `{"resourceType":"Bundle","entry":[{"a":"${'x'.repeat(70_000_000)}"}]}`;
  await expect(cut(text, 2 ** 20)).rejects.toThrow('comes as plain JSON only');
});
