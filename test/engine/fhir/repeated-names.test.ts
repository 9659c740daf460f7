// Each name once in an object: https://hl7.org/fhir/R4/json.html
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { refuseRepeatedNames } from '../../../engine/fhir/repeated-names.ts';

test.each([
  ['in the outermost object', '{"a":1,"b":2,"a":1}', 'a stands twice'],
  ['further in', '{"a":{"b":[{"c":1},{"c":1,"d":2,"c":3}]}}', 'c stands twice'],
  ['with spaces', '{ "a" : 1 ,\n "a"\t: 2 }', 'a stands twice'],
  ['written in another way', '{"gender":1,"\\u0067ender":2}', 'gender stands twice'],
  ['of a name that is no element', '{"Wanjiku Amina":1,"Wanjiku Amina":2}', 'a name stands twice'],
  ['after an object that ended', '{"a":{"b":1},"a":{}}', 'a stands twice'],
])('a name twice %s is refused', (_where, text, why) => expect(() => refuseRepeatedNames(text)).toThrow(why));

test.each([
  ['in objects of their own', '{"a":{"a":1},"b":[{"a":1},{"a":2}]}'],
  ['as values', '{"a":"a","b":"a","c":["a","a"]}'],
  ['in strings', '{"a":"{\\"a\\":1,\\"a\\":2}","b":"\\\\","c":"a\\\\\\": "}'],
  ['of the prototype', '{"constructor":1,"toString":2,"hasOwnProperty":3}'],
])('the same name %s is fine', (_where, text) => expect(() => refuseRepeatedNames(text)).not.toThrow());

test('nothing that is written by JSON.stringify is refused', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.boolean(), (value, pretty) => {
      refuseRepeatedNames(JSON.stringify(value, undefined, pretty ? 1 : undefined));
    }),
  );
});

test('a text of a million quotes and backslashes takes no more than its length', () => {
  const begin = performance.now();
  refuseRepeatedNames(JSON.stringify({ a: '\\"'.repeat(500_000), b: '\\'.repeat(500_000) }));
  expect(performance.now() - begin).toBeLessThan(2_000);
});
