// FHIR XML both ways: https://hl7.org/fhir/R4/xml.html
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { isRawNumber, parseResource, writeJson } from '../../../../engine/fhir/exact-json.ts';
import { loadShapes } from '../../../../engine/fhir/shapes/cache.ts';
import { createFhirXml } from '../../../../engine/fhir/xml/fhir-xml.ts';
import { Refusal } from '../../../../engine/kernel/outcomes.ts';
import { describeWithSamples, sharedFile } from '../../../support/shared.ts';

const shapes = loadShapes();
const xml = createFhirXml(() => shapes);
const bare = (text: string): string => text.replace('<?xml version="1.0" encoding="UTF-8"?>\n', '');

const patient = (inside: string): string => `<Patient xmlns="http://hl7.org/fhir">${inside}</Patient>`;
const observation = (inside: string): string =>
  `<Observation xmlns="http://hl7.org/fhir">${inside}</Observation>`;
const xhtml = 'xmlns="http://www.w3.org/1999/xhtml"';

interface Pair {
  readonly rule: string;
  /** In the order that XML gives. */
  readonly json: string;
  readonly xml: string;
}

const pairs: readonly Pair[] = [
  {
    rule: 'a primitive is an element with an attribute value; booleans and integers are no strings in JSON',
    json: '{"resourceType":"Patient","id":"a","active":true,"multipleBirthInteger":2}',
    xml: patient('<id value="a"/><active value="true"/><multipleBirthInteger value="2"/>'),
  },
  {
    rule: 'decimals stay as they are written: trailing zeros, exponents, twenty digits',
    json: `{"resourceType":"Observation","component":[{"valueQuantity":{"value":2.780}},{"valueQuantity":{"value":1.0e-7}},{"valueQuantity":{"value":12345678901234567890.10}}]}`,
    xml: observation(
      ['2.780', '1.0e-7', '12345678901234567890.10']
        .map((digits) => `<component><valueQuantity><value value="${digits}"/></valueQuantity></component>`)
        .join(''),
    ),
  },
  {
    rule: 'ids of elements and urls of extensions are attributes; the value of an extension is a choice',
    json: '{"resourceType":"Patient","name":[{"id":"n","extension":[{"url":"http://e","valueCode":"x"}],"family":"A"}]}',
    xml: patient(
      '<name id="n"><extension url="http://e"><valueCode value="x"/></extension><family value="A"/></name>',
    ),
  },
  {
    rule: 'a primitive can have an id and extensions, with a value and without',
    json: '{"resourceType":"Patient","birthDate":"1990","_birthDate":{"id":"b"},"_deceasedBoolean":{"extension":[{"url":"http://e","valueString":"v"}]}}',
    xml: patient(
      '<birthDate id="b" value="1990"/><deceasedBoolean><extension url="http://e"><valueString value="v"/></extension></deceasedBoolean>',
    ),
  },
  {
    rule: 'in lists of primitives values and extensions keep step',
    json: '{"resourceType":"Patient","name":[{"given":["A",null,"C"],"_given":[null,{"id":"g"},{"id":"h"}]}]}',
    xml: patient('<name><given value="A"/><given id="g"/><given id="h" value="C"/></name>'),
  },
  {
    rule: 'a contained resource stands in an element of its type',
    json: '{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p"}],"subject":{"reference":"#p"}}',
    xml: observation(
      `<contained>${patient('<id value="p"/>')}</contained><subject><reference value="#p"/></subject>`,
    ),
  },
  {
    rule: 'Bundle entries and outcomes hold resources; links of an entry are those of the Bundle',
    json: '{"resourceType":"Bundle","type":"batch-response","entry":[{"link":[{"relation":"self","url":"u"}],"resource":{"resourceType":"Patient","id":"p"},"response":{"status":"200","outcome":{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid"}]}}}]}',
    xml: `<Bundle xmlns="http://hl7.org/fhir"><type value="batch-response"/><entry><link><relation value="self"/><url value="u"/></link><resource>${patient(
      '<id value="p"/>',
    )}</resource><response><status value="200"/><outcome><OperationOutcome xmlns="http://hl7.org/fhir"><issue><severity value="error"/><code value="invalid"/></issue></OperationOutcome></outcome></response></entry></Bundle>`,
  },
  {
    rule: 'Parameters, which are never stored, go both ways too',
    json: '{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"index","valueInteger":0}]}]}',
    xml: '<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/><part><name value="index"/><valueInteger value="0"/></part></parameter></Parameters>',
  },
  {
    rule: 'the narrative is part of the document, as it is written',
    json: `{"resourceType":"Patient","text":{"status":"generated","div":"<div ${xhtml.replaceAll(
      '"',
      '\\"',
    )}>a &amp; b<br/>\\r\\n<b title='x > y'>&#160;</b></div>"}}`,
    xml: patient(
      `<text><status value="generated"/><div ${xhtml}>a &amp; b<br/>\r\n<b title='x > y'>&#160;</b></div></text>`,
    ),
  },
  {
    rule: 'signs of markup, line ends and characters beyond the first plane survive in values',
    json: '{"resourceType":"Patient","name":[{"text":"<a> & \\"b\\"\\r\\n\\t😀"}]}',
    xml: patient('<name><text value="&lt;a&gt; &amp; &quot;b&quot;&#13;&#10;&#9;😀"/></name>'),
  },
  {
    rule: 'an element may be called resourceType without being a resource (ExampleScenario.instance)',
    json: '{"resourceType":"ExampleScenario","status":"draft","instance":[{"resourceId":"a","resourceType":"Patient"}]}',
    xml: '<ExampleScenario xmlns="http://hl7.org/fhir"><status value="draft"/><instance><resourceId value="a"/><resourceType value="Patient"/></instance></ExampleScenario>',
  },
];

describe('both ways', () => {
  test.each(pairs)('$rule', ({ json, xml: text }) => {
    expect(bare(xml.write(parseResource(json)))).toBe(text);
    expect(writeJson(xml.read(text))).toBe(json);
  });

  test('elements are written in the order of the definitions, whatever their order in JSON', () => {
    const text = xml.write(
      parseResource('{"gender":"female","active":true,"id":"a","resourceType":"Patient"}'),
    );
    expect(bare(text)).toBe(patient('<id value="a"/><active value="true"/><gender value="female"/>'));
  });

  test('pretty puts each element on a line, and leaves the narrative alone', () => {
    const json = `{"resourceType":"Patient","id":"a","text":{"status":"empty","div":"<div>a <b>b</b></div>"}}`;
    expect(xml.write(parseResource(json), { pretty: true })).toBe(
      [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<Patient xmlns="http://hl7.org/fhir">',
        '  <id value="a"/>',
        '  <text>',
        '    <status value="empty"/>',
        `    <div ${xhtml}>a <b>b</b></div>`,
        '  </text>',
        '</Patient>',
      ].join('\n'),
    );
  });
});

const readable: readonly { readonly rule: string; readonly xml: string; readonly json: string }[] = [
  {
    rule: 'prefixes of namespaces may be any; the narrative gets its own',
    xml: '<f:Patient xmlns:f="http://hl7.org/fhir" xmlns="http://www.w3.org/1999/xhtml"><f:text><f:status value="empty"/><div>x</div></f:text></f:Patient>',
    json: `{"resourceType":"Patient","text":{"status":"empty","div":"<div ${xhtml.replaceAll('"', '\\"')}>x</div>"}}`,
  },
  {
    rule: 'declaration, comments, processing instructions, byte order mark, line ends and schema places mean nothing',
    xml: `\ufeff<?xml version="1.0" encoding="utf-8"?>\r\n<!-- c --><?p i?>\n<Patient xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b">\n  <!-- c --><id value='a'></id>\r\n</Patient>\n`,
    json: '{"resourceType":"Patient","id":"a"}',
  },
];

test.each(readable)('reading: $rule', ({ xml: text, json }) => {
  expect(writeJson(xml.read(text))).toBe(json);
});

const deep = (levels: number): string => {
  const open = '<extension url="a">'.repeat(levels);
  return patient(`${open}<valueString value="x"/>${'</extension>'.repeat(levels)}`);
};

const refused: readonly (readonly [rule: string, text: string, says: RegExp])[] = [
  ['no DTD', `<!DOCTYPE a [<!ENTITY b "c">]>${patient('')}`, /line 1, column 30: a DTD is not taken/],
  ['no entity beyond the five', patient('\n<gender value="&b;"/>'), /line 2, column 18: undefined entity/],
  ['well formed', patient('\n  <gender value="a">'), /line 2, column \d+: /],
  ['a root', '', /document must contain a root element/],
  ['one root', `${patient('')}${patient('')}`, /only one root/],
  ['the namespace of FHIR', '<Patient/>', /namespace http:\/\/hl7.org\/fhir is expected/],
  [
    'a resource of R4',
    '<Patience xmlns="http://hl7.org/fhir"/>',
    /Patience is not the name of an R4 resource/,
  ],
  ['no abstract type', '<Resource xmlns="http://hl7.org/fhir"/>', /Resource is not the name/],
  ['known elements', patient('<colour value="red"/>'), /the element colour is not known here/],
  ['known attributes', patient('<gender value="x" lang="sw"/>'), /the attribute lang is not known here/],
  ['an attribute is no element', patient('<name><id value="n"/></name>'), /the element id is not known here/],
  ['no names of the language', patient('<constructor value="x"/>'), /the element constructor is not known/],
  ['the order', patient('<gender value="x"/><active value="true"/>'), /active is out of its order/],
  ['cardinality', patient('<gender value="x"/><gender value="x"/>'), /gender comes once only/],
  ['no empty element', patient('<name/>'), /an element is not empty/],
  ['no primitive without value', patient('<gender/>'), /an element has a value or extensions/],
  ['no empty attribute', patient('<gender value=""/>'), /an attribute is not empty/],
  ['no text', patient('female'), /text stands in attributes and in narratives only/],
  ['no CDATA', patient('<![CDATA[female]]>'), /text stands in attributes and in narratives only/],
  ['true or false', patient('<active value="1"/>'), /the value is no boolean/],
  ['whole numbers', patient('<multipleBirthInteger value="1.5"/>'), /the value is no integer/],
  [
    'decimals as FHIR writes them',
    observation('<valueQuantity><value value="NaN"/></valueQuantity>'),
    /the value is no decimal/,
  ],
  ['one resource to a place', patient(`<contained>${patient('')}${patient('')}</contained>`), /not several/],
  ['a resource in its place', patient('<contained></contained>'), /a resource is expected/],
  ['narratives in their place', patient(`<div ${xhtml}>x</div>`), /a narrative stands in text.div only/],
  [
    'XHTML without foreign elements',
    patient(`<text><div ${xhtml}><f xmlns="http://f"/></div></text>`),
    /a narrative is XHTML/,
  ],
  ['the encoding', `<?xml version="1.0" encoding="UTF-16"?>${patient('')}`, /the encoding is UTF-8/],
  ['bounded depth', deep(200), /nested deeper than \d+ elements/],
];

describe('what is refused, with line and column', () => {
  test.each(refused)('%s', (_rule, text, says) => {
    const read = (): unknown => xml.read(text);
    expect(read).toThrow(Refusal);
    expect(read).toThrow(says);
    expect(read).toThrow(/line \d+, column \d+/);
  });

  test('a refusal names the element, and repeats nothing of its value', () => {
    try {
      xml.read(patient('<name><period><start value="Wanjiku"/><start value="Wanjiku"/></period></name>'));
      throw new Error('it was taken');
    } catch (error) {
      expect((error as Refusal).outcome.issue[0]?.expression).toEqual(['Patient.name.period']);
      expect(JSON.stringify((error as Refusal).outcome)).not.toContain('Wanjiku');
    }
  });

  test('what is read is never deeper than JSON may be', () => {
    const deepest = xml.read(deep(95));
    expect(writeJson(parseResource(writeJson(deepest)))).toBe(writeJson(deepest));
  });
});

const unwritable: readonly (readonly [rule: string, json: string, expression: string])[] = [
  ['an element that R4 does not know', '{"resourceType":"Patient","colour":"red"}', 'Patient.colour'],
  ['a list where one value is expected', '{"resourceType":"Patient","gender":["a"]}', 'Patient.gender'],
  ['one value where a list is expected', '{"resourceType":"Patient","name":{"text":"a"}}', 'Patient.name'],
  ['a text where an object is expected', '{"resourceType":"Patient","name":["a"]}', 'Patient.name[0]'],
  ['an object where a text is expected', '{"resourceType":"Patient","gender":{"a":1}}', 'Patient.gender'],
  ['characters that XML has not', '{"resourceType":"Patient","gender":"\\u0001"}', 'Patient.gender'],
  ['half a character', '{"resourceType":"Patient","gender":"\\ud800"}', 'Patient.gender'],
  [
    'a narrative with entities',
    '{"resourceType":"Patient","text":{"div":"<div>&nbsp;</div>"}}',
    'Patient.text.div',
  ],
  [
    'a narrative that breaks out',
    '{"resourceType":"Patient","text":{"div":"<div/></text><text>"}}',
    'Patient.text.div',
  ],
  [
    'a narrative with a DTD',
    '{"resourceType":"Patient","text":{"div":"<!DOCTYPE a><div/>"}}',
    'Patient.text.div',
  ],
];

test.each(unwritable)('XML cannot hold %s: refused, saying where', (_rule, json, expression) => {
  try {
    xml.write(parseResource(json));
    throw new Error('it was written');
  } catch (error) {
    expect(error).toMatchObject({
      code: 'not-acceptable',
      outcome: { issue: [{ expression: [expression] }] },
    });
  }
});

describe('long texts', () => {
  const name = `<name><text value="&lt;${'é😀'.repeat(50)}\r\n"/></name>`;
  const narrative = `<div ${xhtml}>${'a\r\n<b>😀</b>'.repeat(10_000)}</div>`;
  const div = `<text><status value="empty"/>${narrative}</text>`;
  const long = patient(`${div}${name.repeat(2000)}`);

  test('are read in pieces, wherever the cuts fall, and others get their turn', async () => {
    for (const shift of [0, 1, 2, 3]) {
      let turns = 0;
      const text = `${' '.repeat(shift)}${long}`;
      const resource = await xml.readLong(text, async () => {
        turns++;
      });
      expect(writeJson(resource)).toBe(writeJson(xml.read(long)));
      expect(resource['text']).toEqual({ status: 'empty', div: narrative });
      expect(turns).toBeGreaterThan(5);
    }
  });

  test('are refused with their line and column', async () => {
    const text = long.replace(/<\/Patient>$/, '\n<colour/></Patient>');
    await expect(xml.readLong(text, async () => undefined)).rejects.toThrow(
      /line \d{4,}, column 9: the element/,
    );
  });
});

/** The order of properties means nothing in JSON. */
function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return value;
  if (Array.isArray(value)) return value.map(inOrder);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, part]) => [key, inOrder(part)]),
  );
}

describeWithSamples('the examples of R4', () => {
  test('each of the 2,459 survives JSON to XML to JSON', () => {
    const lines = gunzipSync(sharedFile('data/r4-examples/r4-examples.ndjson.gz'))
      .toString('utf8')
      .split('\n');
    const examples = lines.filter((line) => line !== '').map((line) => parseResource(line));
    expect(examples).toHaveLength(2459);
    for (const [place, example] of examples.entries()) {
      const back = xml.read(xml.write(example, { pretty: place % 2 === 0 }));
      expect(writeJson(inOrder(back))).toBe(writeJson(inOrder(example)));
    }
  });
});
