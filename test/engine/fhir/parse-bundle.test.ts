// A large Bundle in parts is the same as in one go, and gives others their turn.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseResource, writeJson } from '../../../engine/fhir/exact-json.ts';
import { Refusal } from '../../../engine/kernel/outcomes.ts';
import { parseBundle, parseSent } from '../../../engine/fhir/parse-bundle.ts';

const noBreath = (): Promise<void> => Promise.resolve();
/** Makes any Bundle a large one. */
const filler = `"language":"${'x'.repeat(70_000)}"`;

const bodies: readonly (readonly [rule: string, text: string])[] = [
  ['entries in the middle', `{"resourceType":"Bundle","entry":[{"a":1},{"b":[{}]}],${filler}}`],
  ['decimals as written', `{"resourceType":"Bundle",${filler},"entry":[{"v":2.780},{"v":1e2},{"v":-0}]}`],
  ['white space anywhere', ` \n{ "resourceType" : "Bundle" ,\t${filler} , "entry" : [ { "a" : 1 } , { } ] } \r\n`],
  ['quotes, backslashes and brackets in strings', `{"resourceType":"Bundle",${filler},"entry":[{"a":"\\"]}\\\\"},{"\\\\":"[{"}]}`],
  ['no entries', `{"resourceType":"Bundle","entry":[],${filler}}`],
  ['no list of entries', `{"resourceType":"Bundle",${filler}}`],
  ['entries that are no list', `{"resourceType":"Bundle","entry":{"entry":[{}]},${filler}}`],
  ['entries that are no objects', `{"resourceType":"Bundle","entry":[1.50,null,"x",[],true],${filler}}`],
  ['an entry within another object', `{"resourceType":"Bundle","x":{"entry":[{"a":1}]},${filler}}`],
  ['an entry within an entry', `{"resourceType":"Bundle",${filler},"entry":[{"resource":{"entry":[{"a":1.0}]}}]}`],
  ['a byte order mark', `\uFEFF{"resourceType":"Bundle",${filler},"entry":[{"a":1}]}`],
  ['a short one', '{"resourceType":"Bundle","entry":[{"v":2.780}]}'],
]; // prettier-ignore

const faulty: readonly (readonly [rule: string, text: string])[] = [
  ['a comma too many', `{"resourceType":"Bundle",${filler},"entry":[{"a":1},]}`],
  ['a comma too few', `{"resourceType":"Bundle",${filler},"entry":[{"a":1}{"b":1}]}`],
  ['an entry that is cut off', `{"resourceType":"Bundle",${filler},"entry":[{"a":1},{"b":"`],
  ['an entry that is no JSON', `{"resourceType":"Bundle",${filler},\n"entry":[{"a":1},\n{"b":tru}]}`],
  ['something after the end', `{"resourceType":"Bundle",${filler},"entry":[{"a":1}]} x`],
  ['a list that ends as an object', `{"resourceType":"Bundle",${filler},"entry":[{"a":1}}}`],
  ['a key __proto__', `{"resourceType":"Bundle",${filler},"entry":[{"__proto__":1}]}`],
  ['nesting without end', `{"resourceType":"Bundle",${filler},"entry":[${'['.repeat(5000)}`],
  ['entries twice', `{"resourceType":"Bundle","entry":[{"a":1}],${filler},"entry":[{"b":2}]}`],
  ['a name twice in an entry', `{"resourceType":"Bundle",${filler},"entry":[{"a":1,"b":[{}],"a":1}]}`],
  ['no resource', `{${filler},"entry":[{"a":1}]}`],
];

/** What came of it: the resource written again, or why it was refused (a key `__proto__`). */
async function outcome(parse: () => Promise<unknown>): Promise<string> {
  try {
    return writeJson(await parse());
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

describe('a large Bundle', () => {
  test.each(bodies)('is read as in one go: %s', async (_rule, text) => {
    expect(writeJson(await parseBundle(text, noBreath))).toBe(
      writeJson({ ...parseResource(text), ...entryLast(text) }),
    );
  });

  test.each(faulty)('is refused as in one go: %s', async (_rule, text) => {
    const refusal = await parseBundle(text, noBreath).catch((error: unknown) => error);
    let expected: unknown;
    try {
      parseSent(text);
    } catch (error) {
      expected = error;
    }
    expect(expected).toBeDefined();
    expect(refusal).toEqual(expected);
  });

  test('any entries at all come through', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue({ maxDepth: 4 })), fc.boolean(), async (entry, pretty) => {
        const text = JSON.stringify(
          { resourceType: 'Bundle', language: 'x'.repeat(70_000), entry },
          undefined,
          pretty ? 2 : undefined,
        );
        const inPieces = await outcome(() => parseBundle(text, noBreath));
        expect(inPieces).toBe(await outcome(async () => parseSent(text)));
      }),
      { numRuns: 200, examples: [[[JSON.parse('{"__proto__":0}')], false]] },
    );
  });

  test('others have their turn after each entry that was found, and after each that was parsed', async () => {
    let turns = 0;
    await parseBundle(`{"resourceType":"Bundle",${filler},"entry":[{},{},{}]}`, async () => {
      turns += 1;
    });
    expect(turns).toBe(6);
  });
});

/** The order of properties means nothing: the entries come last. */
function entryLast(text: string): object {
  const { entry } = parseResource(text);
  return entry === undefined ? {} : { entry };
}
