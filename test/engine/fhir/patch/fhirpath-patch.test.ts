// FHIRPath Patch: https://hl7.org/fhir/R4/fhirpatch.html
import { describe, expect, test } from '@jest/globals';
import { parseResource, writeJson } from '../../../../engine/fhir/exact-json.ts';
import { readPatch } from '../../../../engine/fhir/patch/patch.ts';
import { loadShapes } from '../../../../engine/fhir/shapes/cache.ts';
import { Refusal } from '../../../../engine/kernel/outcomes.ts';

const shapes = loadShapes();

/** The parts of an operation: `['type', 'valueCode', '"add"']` … as JSON texts, so that decimals stay. */
const operation = (type: string, path: string, ...more: readonly string[]): string => {
  const parts = [
    `{"name":"type","valueCode":"${type}"}`,
    `{"name":"path","valueString":${JSON.stringify(path)}}`,
  ];
  return `{"name":"operation","part":[${[...parts, ...more].join(',')}]}`;
};
const named = (name: string): string => `{"name":"name","valueString":"${name}"}`;
const valued = (text: string): string => `{"name":"value",${text}}`;
const at = (name: string, place: number): string => `{"name":"${name}","valueInteger":${place}}`;

function patched(given: string, operations: readonly string[]): string {
  const resource = parseResource(given);
  const before = writeJson(resource);
  const parameters = `{"resourceType":"Parameters","parameter":[${operations.join(',')}]}`;
  const after = writeJson(readPatch('fhirpath-patch', parameters, shapes)(resource));
  expect(writeJson(resource)).toBe(before);
  return after;
}

const patient = (inside: string): string => `{"resourceType":"Patient"${inside === '' ? '' : `,${inside}`}}`;
const observation = (inside: string): string => `{"resourceType":"Observation",${inside}}`;
const identifiers = '"identifier":[{"system":"a","value":"1"},{"system":"b","value":"2"}]';

interface Row {
  readonly rule: string;
  readonly given: string;
  readonly when: readonly string[];
  readonly then: string;
}

const rows: readonly Row[] = [
  {
    rule: 'add an element of a simple type',
    given: patient(''),
    when: [operation('add', 'Patient', named('birthDate'), valued('"valueDate":"1930-01-01"'))],
    then: patient('"birthDate":"1930-01-01"'),
  },
  {
    rule: 'add to a list appends',
    given: patient(identifiers),
    when: [operation('add', 'Patient', named('identifier'), valued('"valueIdentifier":{"system":"c"}'))],
    then: patient('"identifier":[{"system":"a","value":"1"},{"system":"b","value":"2"},{"system":"c"}]'),
  },
  {
    rule: 'add to an element found by its index',
    given: patient('"contact":[{"gender":"male"},{"gender":"female"}]'),
    when: [operation('add', 'Patient.contact[1]', named('name'), valued('"valueHumanName":{"text":"x"}'))],
    then: patient('"contact":[{"gender":"male"},{"gender":"female","name":{"text":"x"}}]'),
  },
  {
    rule: 'add what has no named type, part by part',
    given: patient(''),
    when: [
      operation(
        'add',
        'Patient',
        named('contact'),
        valued(
          '"part":[{"name":"name","valueHumanName":{"text":"a"}},{"name":"telecom","valueContactPoint":{"value":"1"}},{"name":"telecom","valueContactPoint":{"value":"2"}},{"name":"gender","valueCode":"male"}]',
        ),
      ),
    ],
    then: patient(
      '"contact":[{"name":{"text":"a"},"telecom":[{"value":"1"},{"value":"2"}],"gender":"male"}]',
    ),
  },
  {
    rule: 'parts within parts, and choices by the type of the value',
    given: observation('"status":"final"'),
    when: [
      operation(
        'add',
        'Observation',
        named('component'),
        valued(
          '"part":[{"name":"value","valueQuantity":{"value":2.780}},{"name":"referenceRange","part":[{"name":"text","valueString":"r"}]}]',
        ),
      ),
    ],
    then: observation(
      '"status":"final","component":[{"valueQuantity":{"value":2.780},"referenceRange":[{"text":"r"}]}]',
    ),
  },
  {
    rule: 'add a choice by its name',
    given: observation('"status":"final"'),
    when: [operation('add', 'Observation', named('value'), valued('"valueQuantity":{"value":1.50}'))],
    then: observation('"status":"final","valueQuantity":{"value":1.50}'),
  },
  {
    rule: 'add an extension to a primitive',
    given: patient('"birthDate":"1990"'),
    when: [
      operation(
        'add',
        'Patient.birthDate',
        named('extension'),
        valued('"part":[{"name":"url","valueUri":"u"},{"name":"value","valueCode":"x"}]'),
      ),
    ],
    then: patient('"birthDate":"1990","_birthDate":{"extension":[{"url":"u","valueCode":"x"}]}'),
  },
  {
    rule: 'add an extension to a primitive in a list',
    given: patient('"name":[{"given":["A","B"]}]'),
    when: [
      operation(
        'add',
        'Patient.name.given[1]',
        named('extension'),
        valued('"part":[{"name":"url","valueUri":"u"},{"name":"value","valueCode":"x"}]'),
      ),
    ],
    then: patient('"name":[{"given":["A","B"],"_given":[null,{"extension":[{"url":"u","valueCode":"x"}]}]}]'),
  },
  {
    rule: 'add a contained resource',
    given: patient(''),
    when: [
      operation(
        'add',
        'Patient',
        named('contained'),
        `{"name":"value","resource":{"resourceType":"Basic","id":"b"}}`,
      ),
    ],
    then: patient('"contained":[{"resourceType":"Basic","id":"b"}]'),
  },
  {
    rule: 'insert at a place',
    given: patient(identifiers),
    when: [
      operation('insert', 'Patient.identifier', at('index', 1), valued('"valueIdentifier":{"system":"c"}')),
    ],
    then: patient('"identifier":[{"system":"a","value":"1"},{"system":"c"},{"system":"b","value":"2"}]'),
  },
  {
    rule: 'insert into a list that is not there yet',
    given: patient(''),
    when: [
      operation('insert', 'Patient.identifier', at('index', 0), valued('"valueIdentifier":{"system":"c"}')),
    ],
    then: patient('"identifier":[{"system":"c"}]'),
  },
  {
    rule: 'insert keeps the extensions of primitives with their values',
    given: patient('"name":[{"given":["A","B"],"_given":[null,{"id":"b"}]}]'),
    when: [
      operation(
        'insert',
        'Patient.name[0].given',
        at('index', 0),
        valued('"valueString":"Z","_valueString":{"id":"z"}'),
      ),
    ],
    then: patient('"name":[{"given":["Z","A","B"],"_given":[{"id":"z"},null,{"id":"b"}]}]'),
  },
  {
    rule: 'delete one element',
    given: patient('"birthDate":"1990","_birthDate":{"id":"b"},"active":true'),
    when: [operation('delete', 'Patient.birthDate')],
    then: patient('"active":true'),
  },
  {
    rule: 'delete nothing is no failure',
    given: patient('"active":true'),
    when: [operation('delete', "Patient.identifier.where(system = 'x')")],
    then: patient('"active":true'),
  },
  {
    rule: 'delete by a condition',
    given: patient(identifiers),
    when: [operation('delete', "Patient.identifier.where(system = 'a' and value = '1')")],
    then: patient('"identifier":[{"system":"b","value":"2"}]'),
  },
  {
    rule: 'the last one of a list takes the list with it',
    given: patient('"name":[{"given":["A"]}],"active":true'),
    when: [operation('delete', 'Patient.name.given[0]')],
    then: patient('"active":true'),
  },
  {
    rule: 'replace a simple value',
    given: patient('"birthDate":"1990"'),
    when: [operation('replace', 'Patient.birthDate', valued('"valueDate":"1991-02"'))],
    then: patient('"birthDate":"1991-02"'),
  },
  {
    rule: 'replace within a list',
    given: patient(identifiers),
    when: [operation('replace', "Patient.identifier.where(system='b').value", valued('"valueString":"3"'))],
    then: patient('"identifier":[{"system":"a","value":"1"},{"system":"b","value":"3"}]'),
  },
  {
    rule: 'replace a choice by another type',
    given: observation('"valueQuantity":{"value":1},"status":"final"'),
    when: [operation('replace', 'Observation.value', valued('"valueString":"high"'))],
    then: observation('"status":"final","valueString":"high"'),
  },
  {
    rule: 'replace part of a choice, decimals as they are written',
    given: observation('"valueQuantity":{"value":1,"unit":"g"}'),
    when: [operation('replace', 'Observation.value.ofType(Quantity).value', valued('"valueDecimal":2.780'))],
    then: observation('"valueQuantity":{"value":2.780,"unit":"g"}'),
  },
  {
    rule: 'move within a list',
    given: patient('"name":[{"given":["A","B","C"],"_given":[{"id":"a"},null,null]}]'),
    when: [operation('move', 'Patient.name.given', at('source', 0), at('destination', 2))],
    then: patient('"name":[{"given":["B","C","A"],"_given":[null,null,{"id":"a"}]}]'),
  },
  {
    rule: 'operations are done one after another',
    given: patient(''),
    when: [
      operation('add', 'Patient', named('identifier'), valued('"valueIdentifier":{"system":"a"}')),
      operation('add', 'Patient.identifier[0]', named('value'), valued('"valueString":"1"')),
      operation('delete', 'Patient.identifier.system'),
    ],
    then: patient('"identifier":[{"value":"1"}]'),
  },
  {
    rule: 'no operation, no change',
    given: patient('"active":true'),
    when: [],
    then: patient('"active":true'),
  },
];

describe('what operations do', () => {
  test.each(rows)('$rule', ({ given, when, then }) => expect(patched(given, when)).toBe(then));
});

/** Each path selects the second identifier of `{a,1} {b,2}`, or the only name, and its system or text is replaced. */
const paths: readonly string[] = [
  'Patient.identifier[1].system',
  'identifier[1].system',
  'Patient.identifier.last().system',
  "Patient.identifier.where(value='2').system",
  "Patient.identifier.where($this.value = '2').system",
  "Patient.identifier.where(value != '1').system",
  "Patient.identifier.where(value ~ '2' and system = 'b').first().system",
  "Patient.identifier.where(system = 'x' or (system = 'b' and value.exists())).system.single()",
  "Patient.identifier.where(value.empty().not() and system.startsWith('b')).system",
  "Patient.identifier.where((value = '1').not()).system",
  "Patient.identifier.where(extension('u').value = true).system",
  "Patient.identifier.where(extension.exists(url = 'u')).system",
  'Patient.identifier.where((extension.value as boolean) = true).system',
  'Patient.identifier.where(period.start = @2020).system',
  "Patient.identifier.where(use = 'it\\'s\\u0020\\\\').system",
  'Patient.`identifier`[1].system',
  'DomainResource.identifier.where(extension.count() = 1).system',
];

test.each(paths)('the path %s', (path) => {
  const second =
    '"extension":[{"url":"u","valueBoolean":true}],"use":"it\'s \\\\","period":{"start":"2020"},"system":"b","value":"2"';
  const given = patient(`"identifier":[{"system":"a","value":"1"},{${second}}]`);
  expect(patched(given, [operation('replace', path, valued('"valueUri":"new"'))])).toBe(
    given.replace('"system":"b"', '"system":"new"'),
  );
});

const set = valued('"valueString":"x"');
const refused: readonly (readonly [rule: string, operation: string, code: string, says: RegExp])[] = [
  [
    'a path that selects several',
    operation('replace', 'Patient.identifier.system', valued('"valueUri":"x"')),
    'unprocessable',
    /selects 2 elements/,
  ],
  [
    'a path that selects nothing',
    operation('replace', 'Patient.birthDate', valued('"valueDate":"1990"')),
    'unprocessable',
    /selects 0 elements/,
  ],
  ['several to delete', operation('delete', 'Patient.identifier'), 'unprocessable', /selects 2 elements/],
  ['the resource itself to delete', operation('delete', 'Patient'), 'unprocessable', /as a whole/],
  ['the resource itself to replace', operation('replace', 'Patient', set), 'unprocessable', /as a whole/],
  [
    'the id to replace',
    operation('add', 'Patient', named('id'), set),
    'unprocessable',
    /neither resourceType nor id/,
  ],
  [
    'add of what is there',
    operation('add', 'Patient', named('active'), valued('"valueBoolean":true')),
    'unprocessable',
    /there already/,
  ],
  [
    'add of an unknown element',
    operation('add', 'Patient', named('colour'), set),
    'unprocessable',
    /no such element/,
  ],
  [
    'a wrong datatype',
    operation('add', 'Patient', named('maritalStatus'), set),
    'unprocessable',
    /another type/,
  ],
  [
    'a wrong kind of primitive',
    operation('add', 'Patient', named('birthDate'), valued('"valueBoolean":true')),
    'unprocessable',
    /another type/,
  ],
  [
    'a type that the choice has not',
    operation('add', 'Patient', named('deceased'), set),
    'unprocessable',
    /another type/,
  ],
  [
    'parts for a primitive',
    operation('add', 'Patient', named('birthDate'), valued('"part":[{"name":"a","valueString":"b"}]')),
    'unprocessable',
    /another type/,
  ],
  [
    'an unknown part',
    operation('add', 'Patient', named('contact'), valued('"part":[{"name":"colour","valueString":"b"}]')),
    'unprocessable',
    /no such element/,
  ],
  [
    'insert beyond the end',
    operation('insert', 'Patient.identifier', at('index', 3), valued('"valueIdentifier":{"system":"c"}')),
    'unprocessable',
    /beyond the end/,
  ],
  [
    'insert into what is no list',
    operation('insert', 'Patient.active', at('index', 0), valued('"valueBoolean":true')),
    'unprocessable',
    /no list/,
  ],
  [
    'move beyond the end',
    operation('move', 'Patient.identifier', at('source', 0), at('destination', 2)),
    'unprocessable',
    /beyond the end/,
  ],
  [
    'a condition that never ends being met',
    operation('add', 'Patient.where(1 = 1)', named('active'), set),
    'unprocessable',
    /./,
  ],
  ['no type', '{"name":"operation","part":[]}', 'bad-request', /it has no type/],
  [
    'no path',
    '{"name":"operation","part":[{"name":"type","valueCode":"delete"}]}',
    'bad-request',
    /it has no path/,
  ],
  ['an unknown type', operation('append', 'Patient'), 'bad-request', /its type is one of add, insert/],
  ['no name', operation('add', 'Patient', set), 'bad-request', /it has no name/],
  ['no value', operation('add', 'Patient', named('active')), 'bad-request', /its value is no value\[x\]/],
  ['no index', operation('insert', 'Patient.identifier', set), 'bad-request', /its index is no whole number/],
  [
    'a negative index',
    operation('insert', 'Patient.identifier', at('index', -1), set),
    'bad-request',
    /no whole number/,
  ],
  ['another parameter', '{"name":"something"}', 'bad-request', /each parameter is an operation/],
  [
    'a path that is none',
    operation('delete', 'Patient..name'),
    'bad-request',
    /not understood from character 9 on/,
  ],
  [
    'an open bracket',
    operation('delete', 'Patient.name.where(use'),
    'bad-request',
    /not understood from character/,
  ],
  [
    'more than a path',
    operation('delete', 'Patient.name name'),
    'bad-request',
    /not understood from character/,
  ],
  [
    'a path into other resources',
    operation('delete', 'Patient.managingOrganization.resolve().name'),
    'bad-request',
    /a path has these functions/,
  ],
  [
    'a function of the language',
    operation('delete', 'Patient.toString()'),
    'bad-request',
    /a path has these functions/,
  ],
  [
    'too many brackets',
    operation('delete', `${'('.repeat(60)}Patient${')'.repeat(60)}`),
    'bad-request',
    /not understood/,
  ],
  [
    'a path without end',
    operation('delete', `Patient.${'a'.repeat(5000)}`),
    'bad-request',
    /longer than 4000/,
  ],
];

describe('what is refused', () => {
  test.each(refused)('%s', (_rule, one, code, says) => {
    const run = (): unknown => patched(patient(`${identifiers},"active":true`), [one]);
    expect(run).toThrow(Refusal);
    expect(run).toThrow(says);
    expect(run).toThrow(expect.objectContaining({ code }));
  });

  test('another resource than Parameters', () => {
    expect(() => readPatch('fhirpath-patch', '{"resourceType":"Patient"}', shapes)).toThrow(
      /is a Parameters resource/,
    );
  });

  test('conditions within conditions over long lists', () => {
    const names = Array.from({ length: 400 }, () => '{"given":["a","b","c","d"]}').join(',');
    const path = "Patient.name.where(Patient.name.where(given.exists($this = 'x')).exists())";
    const started = performance.now();
    expect(() => patched(patient(`"name":[${names}]`), [operation('delete', path)])).toThrow(/too much work/);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
