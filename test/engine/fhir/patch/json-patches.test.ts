// JSON Patch (https://www.rfc-editor.org/rfc/rfc6902) and JSON Merge Patch (https://www.rfc-editor.org/rfc/rfc7396) on resources.
import { describe, expect, test } from '@jest/globals';
import { parseResource, writeJson } from '../../../../engine/fhir/exact-json.ts';
import {
  openEntryPatch,
  readOpenedPatch,
  readPatch,
  type PatchKind,
} from '../../../../engine/fhir/patch/patch.ts';
import { loadShapes } from '../../../../engine/fhir/shapes/cache.ts';
import { Refusal } from '../../../../engine/kernel/outcomes.ts';

const shapes = loadShapes();
const patched = (kind: PatchKind, patch: string, inside: string): string => {
  const given = parseResource(`{"resourceType":"Basic","id":"b"${inside === '' ? '' : `,${inside}`}}`);
  const before = writeJson(given);
  const after = writeJson(readPatch(kind, patch, shapes)(given));
  expect(writeJson(given)).toBe(before);
  return after.replace(/^\{"resourceType":"Basic","id":"b",?/, '').replace(/\}$/, '');
};

type Row = readonly [rule: string, given: string, patch: string, then: string];

const applied: readonly Row[] = [
  ['A.1 add a member', '"a":1', '[{"op":"add","path":"/b","value":"x"}]', '"a":1,"b":"x"'],
  ['A.2 add into a list', '"a":[1,3]', '[{"op":"add","path":"/a/1","value":2}]', '"a":[1,2,3]'],
  ['A.16 add at the end', '"a":[1]', '[{"op":"add","path":"/a/-","value":[2]}]', '"a":[1,[2]]'],
  ['4.1 add replaces a member', '"a":1', '[{"op":"add","path":"/a","value":2}]', '"a":2'],
  ['A.3 remove a member', '"a":1,"b":2', '[{"op":"remove","path":"/a"}]', '"b":2'],
  ['A.4 remove from a list', '"a":[1,2]', '[{"op":"remove","path":"/a/0"}]', '"a":[2]'],
  ['A.5 replace', '"a":1', '[{"op":"replace","path":"/a","value":2}]', '"a":2'],
  [
    'A.6 move a value',
    '"a":{"b":1},"c":{"d":2}',
    '[{"op":"move","from":"/a/b","path":"/c/e"}]',
    '"c":{"d":2,"e":1}',
  ],
  ['A.7 move within a list', '"a":[1,2,3]', '[{"op":"move","from":"/a/0","path":"/a/2"}]', '"a":[2,3,1]'],
  [
    '4.5 copy',
    '"a":{"b":[1]}',
    '[{"op":"copy","from":"/a","path":"/c"},{"op":"add","path":"/c/b/0","value":0}]',
    '"a":{"b":[1]},"c":{"b":[0,1]}',
  ],
  [
    'A.8 test',
    '"a":{"b":[1,"x"],"c":true}',
    '[{"op":"test","path":"/a","value":{"c":true,"b":[1.0,"x"]}}]',
    '"a":{"b":[1,"x"],"c":true}',
  ],
  [
    'A.14 escapes',
    '"/":1,"~1":2',
    '[{"op":"test","path":"/~01","value":2},{"op":"remove","path":"/~1"}]',
    '"~1":2',
  ],
  ['A.11 members that mean nothing', '"a":1', '[{"op":"remove","path":"/a","colour":"red"}]', ''],
  [
    'decimals stay as they are written',
    '"a":2.780',
    '[{"op":"add","path":"/b","value":1.50},{"op":"copy","from":"/a","path":"/c"}]',
    '"a":2.780,"b":1.50,"c":2.780',
  ],
  [
    'numbers are compared as numbers',
    '"a":2.780,"b":1e3,"c":-0.0',
    '[{"op":"test","path":"/a","value":2.78},{"op":"test","path":"/b","value":1000},{"op":"test","path":"/c","value":0}]',
    '"a":2.780,"b":1e3,"c":-0.0',
  ],
  [
    'digits beyond a double count',
    '"a":0.12345678901234567891',
    '[{"op":"test","path":"/a","value":0.12345678901234567891}]',
    '"a":0.12345678901234567891',
  ],
  [
    'what becomes empty goes (FHIR knows no empty lists)',
    '"a":[{"b":1}],"c":1',
    '[{"op":"remove","path":"/a/0/b"}]',
    '"c":1',
  ],
  ['an id can be tested', '', '[{"op":"test","path":"/id","value":"b"}]', ''],
];

const merged: readonly Row[] = [
  ['replaces', '"a":"b"', '{"a":"c"}', '"a":"c"'],
  ['adds', '"a":"b"', '{"b":"c"}', '"a":"b","b":"c"'],
  ['null takes away', '"a":"b","c":1', '{"a":null}', '"c":1'],
  ['lists are replaced whole', '"a":["b"]', '{"a":["c","d"]}', '"a":["c","d"]'],
  ['objects are merged', '"a":{"b":"c","d":1}', '{"a":{"b":"d","c":null}}', '"a":{"b":"d","d":1}'],
  ['null in what is new means nothing', '', '{"a":{"bb":{"ccc":null,"d":1}}}', '"a":{"bb":{"d":1}}'],
  ['an object in place of a list', '"a":["b"]', '{"a":{"c":1}}', '"a":{"c":1}'],
  ['decimals stay as they are written', '"a":{"b":2.780}', '{"a":{"c":1.50}}', '"a":{"b":2.780,"c":1.50}'],
  ['what becomes empty goes', '"a":{"b":1}', '{"a":{"b":null}}', ''],
];

describe('JSON Patch', () => {
  test.each(applied)('%s', (_rule, given, patch, then) =>
    expect(patched('json-patch', patch, given)).toBe(then),
  );
});

describe('merge patch', () => {
  test.each(merged)('%s', (_rule, given, patch, then) =>
    expect(patched('merge-patch', patch, given)).toBe(then),
  );
});

type Refused = readonly [
  rule: string,
  kind: PatchKind,
  given: string,
  patch: string,
  code: string,
  says: RegExp,
];

const refused: readonly Refused[] = [
  [
    'a failed test',
    'json-patch',
    '"a":1',
    '[{"op":"test","path":"/a","value":2}]',
    'unprocessable',
    /operation 0: the test failed/,
  ],
  [
    'a test of another digit beyond a double',
    'json-patch',
    '"a":0.12345678901234567891',
    '[{"op":"test","path":"/a","value":0.12345678901234567892}]',
    'unprocessable',
    /test failed/,
  ],
  [
    'a test of text against number',
    'json-patch',
    '"a":1',
    '[{"op":"test","path":"/a","value":"1"}]',
    'unprocessable',
    /test failed/,
  ],
  [
    'remove of nothing',
    'json-patch',
    '',
    '[{"op":"remove","path":"/a"}]',
    'unprocessable',
    /operation 0: there is nothing/,
  ],
  [
    'replace of nothing',
    'json-patch',
    '',
    '[{"op":"replace","path":"/a","value":1}]',
    'unprocessable',
    /there is nothing/,
  ],
  [
    'add below nothing',
    'json-patch',
    '',
    '[{"op":"add","path":"/a/b","value":1}]',
    'unprocessable',
    /there is nothing/,
  ],
  [
    'add beyond the end',
    'json-patch',
    '"a":[1]',
    '[{"op":"add","path":"/a/2","value":1}]',
    'unprocessable',
    /there is nothing/,
  ],
  [
    'an index with a zero before it',
    'json-patch',
    '"a":[1,2]',
    '[{"op":"remove","path":"/a/01"}]',
    'unprocessable',
    /there is nothing/,
  ],
  [
    'into a text',
    'json-patch',
    '"a":"x"',
    '[{"op":"add","path":"/a/0","value":1}]',
    'unprocessable',
    /there is nothing/,
  ],
  [
    'into what JavaScript gives all objects',
    'json-patch',
    '',
    '[{"op":"add","path":"/constructor/x","value":1}]',
    'unprocessable',
    /there is nothing/,
  ],
  [
    'a prototype',
    'json-patch',
    '',
    '[{"op":"add","path":"/__proto__","value":{"x":1}}]',
    'bad-request',
    /__proto__/,
  ],
  [
    'null as a value',
    'json-patch',
    '"a":1',
    '[{"op":"replace","path":"/a","value":null}]',
    'unprocessable',
    /null is no value/,
  ],
  [
    'another id',
    'json-patch',
    '',
    '[{"op":"replace","path":"/id","value":"c"}]',
    'unprocessable',
    /neither resourceType nor id/,
  ],
  [
    'another type',
    'merge-patch',
    '',
    '{"resourceType":"Patient"}',
    'unprocessable',
    /neither resourceType nor id/,
  ],
  ['no id any more', 'merge-patch', '', '{"id":null}', 'unprocessable', /neither resourceType nor id/],
  [
    'another resource in its place',
    'json-patch',
    '',
    '[{"op":"replace","path":"","value":{}}]',
    'unprocessable',
    /neither resourceType nor id/,
  ],
  ['nothing in its place', 'json-patch', '', '[{"op":"remove","path":""}]', 'unprocessable', /as a whole/],
  [
    'the second operation',
    'json-patch',
    '"a":1',
    '[{"op":"remove","path":"/a"},{"op":"remove","path":"/a"}]',
    'unprocessable',
    /operation 1: /,
  ],
  ['no list', 'json-patch', '', '{"op":"remove","path":"/a"}', 'bad-request', /list of operations/],
  ['no operation', 'json-patch', '', '[1]', 'bad-request', /operation 0: an operation is an object/],
  [
    'an unknown operation',
    'json-patch',
    '',
    '[{"op":"delete","path":"/a"}]',
    'bad-request',
    /its op is one of add, remove/,
  ],
  [
    'an operation of the language',
    'json-patch',
    '',
    '[{"op":"toString","path":"/a"}]',
    'bad-request',
    /its op is one of/,
  ],
  ['no path', 'json-patch', '', '[{"op":"remove"}]', 'bad-request', /its path is no JSON Pointer/],
  [
    'a path without a slash',
    'json-patch',
    '',
    '[{"op":"remove","path":"a"}]',
    'bad-request',
    /its path is no JSON Pointer/,
  ],
  [
    'an unknown escape',
    'json-patch',
    '',
    '[{"op":"remove","path":"/~2"}]',
    'bad-request',
    /its path is no JSON Pointer/,
  ],
  ['no value', 'json-patch', '', '[{"op":"add","path":"/a"}]', 'bad-request', /it has no value/],
  ['no from', 'json-patch', '', '[{"op":"move","path":"/a"}]', 'bad-request', /its from is no JSON Pointer/],
  [
    'a move into itself',
    'json-patch',
    '"a":{"b":1}',
    '[{"op":"move","from":"/a","path":"/a/b"}]',
    'bad-request',
    /into itself/,
  ],
  ['no JSON', 'json-patch', '', '[{"op"', 'bad-request', /the text is not JSON/],
  ['no object', 'merge-patch', '', '["a"]', 'bad-request', /a merge patch is a JSON object/],
];

test.each(refused)('refused: %s', (_rule, kind, given, patch, code, says) => {
  const run = (): unknown => patched(kind, patch, given);
  expect(run).toThrow(Refusal);
  expect(run).toThrow(says);
  expect(run).toThrow(expect.objectContaining({ code }));
});

test('a patch that doubles and doubles again is refused before it fills the memory', () => {
  const doubling = Array.from({ length: 60 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }));
  expect(() => patched('json-patch', JSON.stringify(doubling), '"a":[[1]]')).toThrow(/too much work/);
});

test('a patch of many thousand operations takes no more than a moment', () => {
  const many = Array.from({ length: 10_000 }, (_none, at) => ({ op: 'add', path: '/a/0', value: at }));
  const start = performance.now();
  expect(patched('json-patch', JSON.stringify(many), '"a":[0]').length).toBeGreaterThan(40_000);
  expect(performance.now() - start).toBeLessThan(2000);
  const more = JSON.stringify([...many, { op: 'remove', path: '/a' }]);
  expect(() => patched('json-patch', more, '"a":[0]')).toThrow(/at most 10000 operations/);
});

describe('in a Bundle', () => {
  const binary = (contentType: string, patch: string): string =>
    JSON.stringify({ resourceType: 'Binary', contentType, data: Buffer.from(patch).toString('base64') });
  const given = parseResource('{"resourceType":"Patient","id":"a","active":true}');
  const parameters = JSON.stringify({
    resourceType: 'Parameters',
    parameter: [
      {
        name: 'operation',
        part: [
          { name: 'type', valueCode: 'replace' },
          { name: 'path', valueString: 'Patient.active' },
          { name: 'value', valueBoolean: false },
        ],
      },
    ],
  });

  test.each([
    [
      'a Binary with a JSON Patch',
      binary('application/json-patch+json', '[{"op":"replace","path":"/active","value":false}]'),
    ],
    [
      'a Binary with a merge patch',
      binary('application/merge-patch+json; charset=utf-8', '{"active":false}'),
    ],
    ['Parameters', parameters],
  ])('%s is a patch', (_what, resource) => {
    expect(readOpenedPatch(openEntryPatch(parseResource(resource)), shapes)(given)).toEqual({
      ...given,
      active: false,
    });
  });

  test.each([
    ['a Binary of something else', binary('application/fhir+json', '{}')],
    ['a Binary without data', '{"resourceType":"Binary","contentType":"application/json-patch+json"}'],
    ['another resource', '{"resourceType":"Patient"}'],
  ])('%s is none', (_what, resource) => {
    expect(() => openEntryPatch(parseResource(resource))).toThrow(/a PATCH carries Parameters, or a Binary/);
  });
});
