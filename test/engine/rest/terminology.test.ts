// $expand, $validate-code, $lookup, $subsumes and $translate, of what is stored and of R4's own: https://hl7.org/fhir/R4/terminology-service.html
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

const wards = 'http://hospital.example/wards';
const own = 'http://hospital.example/ValueSet';
const gender = 'http://hl7.org/fhir/administrative-gender';

let server: RunningServer;
const put = (name: string, more: object): Promise<Response> => {
  const [resourceType, id] = name.split('/');
  return server.ask(name, {
    method: 'PUT',
    body: JSON.stringify({ resourceType, id, status: 'active', ...more }),
  });
};
beforeAll(async () => {
  server = await startServer();
  await put('CodeSystem/wards', {
    url: wards,
    name: 'Wards',
    version: '3',
    content: 'complete',
    concept: [
      {
        code: 'med',
        display: 'Medical wards',
        concept: [
          { code: 'm1', display: 'Male medical', property: [{ code: 'beds', valueInteger: 30 }] },
          { code: 'm2', display: 'Female médical' },
        ],
      },
      { code: 'sur', display: 'Surgical wards' },
    ],
  });
  await put('ValueSet/medical', {
    url: `${own}/medical`,
    name: 'Medical',
    compose: {
      include: [
        { system: wards, filter: [{ property: 'concept', op: 'is-a', value: 'med' }] },
        {
          system: 'http://loinc.org',
          concept: [{ code: '718-7', display: 'Hemoglobin' }, { code: '6690-2' }],
        },
      ],
      exclude: [{ system: wards, concept: [{ code: 'm2' }] }],
    },
  });
  await put('ValueSet/imports', {
    url: `${own}/imports`,
    compose: { include: [{ valueSet: [`${own}/medical`] }] },
  });
  await put('ValueSet/open', {
    url: `${own}/open`,
    compose: { include: [{ system: 'http://snomed.info/sct' }] },
  });
});
afterAll(() => server.stop());

const parameters = (...parameter: readonly object[]): RequestInit => ({
  method: 'POST',
  body: JSON.stringify({ resourceType: 'Parameters', parameter }),
});

interface Expanded {
  readonly expansion: {
    readonly total: number;
    readonly timestamp: string;
    readonly contains?: readonly {
      readonly system: string;
      readonly code: string;
      readonly display?: string;
    }[];
  };
}
const codes = ({ expansion: { contains = [] } }: Expanded): readonly string[] =>
  contains.map(({ code }) => code);
async function expand(path: string, init: RequestInit = {}): Promise<Expanded> {
  const response = await server.ask(path, init);
  expect(response.status).toBe(200);
  return (await response.json()) as Expanded;
}

describe('$expand', () => {
  const rows: readonly (readonly [
    what: string,
    path: string,
    codes: readonly string[],
    init?: RequestInit,
  ])[] = [
    ['by url', `ValueSet/$expand?url=${own}/medical`, ['med', 'm1', '718-7', '6690-2']],
    ['by id', 'ValueSet/medical/$expand', ['med', 'm1', '718-7', '6690-2']],
    ['of imports', 'ValueSet/imports/$expand', ['med', 'm1', '718-7', '6690-2']],
    ['by words, without accents', `ValueSet/medical/$expand?filter=WARDS%20m%C3%A9d`, ['med']],
    ['by the beginning of a code', 'ValueSet/medical/$expand?filter=718', ['718-7']],
    ['a part', 'ValueSet/medical/$expand?offset=1&count=2', ['m1', '718-7']],
    ['none of it', 'ValueSet/medical/$expand?count=0', []],
    [
      "of R4's own",
      'ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender',
      ['male', 'female', 'other', 'unknown'],
    ],
    [
      'with parameters that ask for nothing that there is',
      'ValueSet/medical/$expand?includeDesignations=true&activeOnly=true&displayLanguage=sw&count=1',
      ['med'],
    ],
    [
      'of one that is sent',
      'ValueSet/$expand',
      ['sur'],
      parameters({
        name: 'valueSet',
        resource: {
          resourceType: 'ValueSet',
          compose: { include: [{ system: wards, concept: [{ code: 'sur' }] }] },
        },
      }),
    ],
  ];
  test.each(rows.map(([what, path, expected, init = {}]) => [what, path, expected, init] as const))(
    '%s',
    async (_what, path, expected, init) => {
      expect(codes(await expand(path, init))).toEqual(expected);
    },
  );

  test('shows each code by the value set, else by its system, and tells how many there are', async () => {
    const { expansion, ...facts } = await expand('ValueSet/medical/$expand?count=3');
    expect(facts).toEqual({
      resourceType: 'ValueSet',
      url: `${own}/medical`,
      name: 'Medical',
      status: 'active',
    });
    expect(expansion).toMatchObject({
      total: 4,
      timestamp: expect.stringMatching(/^2026-03-01T/) as unknown,
    });
    expect(expansion.contains).toEqual([
      { system: wards, code: 'med', display: 'Medical wards' },
      { system: wards, code: 'm1', display: 'Male medical' },
      { system: 'http://loinc.org', code: '718-7', display: 'Hemoglobin' },
    ]);
  });

  test('finds what `:in` finds', async () => {
    await put('Observation/in', { code: { coding: [{ system: wards, code: 'm1' }] } });
    await put('Observation/out', { code: { coding: [{ system: wards, code: 'm2' }] } });
    const { total } = (await (
      await server.ask(`Observation?code:in=${own}/medical&_summary=count`)
    ).json()) as { total: number };
    expect(total).toBe(1);
  });
});

interface Verdict {
  readonly parameter: readonly { readonly name: string; readonly [value: string]: unknown }[];
}
const valueOf = ({ parameter }: Verdict, name: string): unknown =>
  Object.entries(parameter.find((one) => one.name === name) ?? {}).find(([key]) =>
    key.startsWith('value'),
  )?.[1];
async function ask(path: string, init: RequestInit = {}): Promise<Verdict> {
  const response = await server.ask(path, init);
  expect(response.status).toBe(200);
  return (await response.json()) as Verdict;
}

describe('$validate-code', () => {
  const medical = `ValueSet/$validate-code?url=${own}/medical`;
  const rows: readonly (readonly [what: string, path: string, result: boolean, display?: string])[] = [
    ['a member', `${medical}&system=${wards}&code=m1`, true, 'Male medical'],
    ['a member without its system', `${medical}&code=718-7`, true, 'Hemoglobin'],
    [
      'by the id of the value set',
      `ValueSet/medical/$validate-code?system=${wards}&code=m1`,
      true,
      'Male medical',
    ],
    ['what is excluded', `${medical}&system=${wards}&code=m2`, false],
    ['the code of another system', `${medical}&system=http://loinc.org&code=m1`, false],
    [
      'the right display, in any case',
      `${medical}&system=${wards}&code=m1&display=MALE%20medical`,
      true,
      'Male medical',
    ],
    ['another display', `${medical}&system=${wards}&code=m1&display=Female`, false, 'Male medical'],
    [
      'a code of a system that is not here',
      `ValueSet/open/$validate-code?system=http://snomed.info/sct&code=1`,
      false,
    ],
    ['a code of a code system', `CodeSystem/$validate-code?url=${wards}&code=m2`, true, 'Female médical'],
    ['by the id of the code system', 'CodeSystem/wards/$validate-code?code=sur', true, 'Surgical wards'],
    ['what is no code of it', `CodeSystem/$validate-code?url=${wards}&code=M2`, false],
    ['of a system that is not here', 'CodeSystem/$validate-code?url=http://loinc.org&code=1', false],
    ["a code of R4's own", `CodeSystem/$validate-code?url=${gender}&code=male`, true, 'Male'],
  ];
  test.each(rows.map(([what, path, result, display]) => [what, path, result, display] as const))(
    '%s',
    async (_what, path, result, display) => {
      const verdict = await ask(path);
      expect([valueOf(verdict, 'result'), valueOf(verdict, 'display')]).toEqual([result, display]);
      expect(typeof valueOf(verdict, 'message')).toBe(result ? 'undefined' : 'string');
    },
  );

  test.each([
    ['a coding', { name: 'coding', valueCoding: { system: wards, code: 'm1' } }, true],
    [
      'a concept, one of whose codings is in',
      {
        name: 'codeableConcept',
        valueCodeableConcept: { coding: [{ code: 'x' }, { system: 'http://loinc.org', code: '6690-2' }] },
      },
      true,
    ],
    [
      'a concept without one',
      { name: 'codeableConcept', valueCodeableConcept: { coding: [{ code: 'x' }] } },
      false,
    ],
  ])('by POST: %s', async (_what, parameter, result) => {
    const url = { name: 'url', valueUri: `${own}/medical` };
    expect(valueOf(await ask('ValueSet/$validate-code', parameters(url, parameter)), 'result')).toBe(result);
  });
});

test('$lookup tells of a code what its system says', async () => {
  const found = await ask(`CodeSystem/$lookup?system=${wards}&code=m1`);
  expect(found.parameter).toEqual([
    { name: 'name', valueString: 'Wards' },
    { name: 'version', valueString: '3' },
    { name: 'display', valueString: 'Male medical' },
    {
      name: 'property',
      part: [
        { name: 'code', valueCode: 'parent' },
        { name: 'value', valueCode: 'med' },
      ],
    },
    {
      name: 'property',
      part: [
        { name: 'code', valueCode: 'beds' },
        { name: 'value', valueString: '30' },
      ],
    },
  ]);
  const children = await ask(
    'CodeSystem/$lookup',
    parameters({ name: 'coding', valueCoding: { system: wards, code: 'med' } }),
  );
  expect(JSON.stringify(children)).toContain('"valueCode":"child"},{"name":"value","valueCode":"m2"');
});

test.each([
  ['med', 'm1', 'subsumes'],
  ['m1', 'med', 'subsumed-by'],
  ['m1', 'm1', 'equivalent'],
  ['m1', 'sur', 'not-subsumed'],
])('$subsumes of %s and %s is %s', async (codeA, codeB, outcome) => {
  for (const path of [`CodeSystem/$subsumes?system=${wards}&`, 'CodeSystem/wards/$subsumes?']) {
    expect(valueOf(await ask(`${path}codeA=${codeA}&codeB=${codeB}`), 'outcome')).toBe(outcome);
  }
});

describe('$translate', () => {
  const loinc = 'http://loinc.org';
  const older = 'http://hospital.example/old-wards';
  const to = (code: string, equivalence: string, more: object = {}): object => ({
    code,
    equivalence,
    ...more,
  });
  beforeAll(async () => {
    await put('ConceptMap/wards', {
      url: 'http://hospital.example/ConceptMap/wards',
      sourceUri: `${own}/medical`,
      group: [
        {
          source: wards,
          target: older,
          element: [
            {
              code: 'm1',
              display: 'Male',
              target: [to('10', 'equivalent', { display: 'Ten' }), to('11', 'wider')],
            },
            {
              code: 'm2',
              target: [to('12', 'equivalent', { dependsOn: [{ property: 'urn:sex', value: 'f' }] })],
            },
            { code: 'sur', target: [{ equivalence: 'unmatched' }] },
          ],
          unmapped: { mode: 'other-map', url: 'http://hospital.example/ConceptMap/rest' },
        },
        { source: wards, target: loinc, unmapped: { mode: 'fixed', code: '1-8', display: 'Ward' } },
      ],
    });
    await put('ConceptMap/rest', {
      url: 'http://hospital.example/ConceptMap/rest',
      status: 'draft',
      group: [{ source: wards, target: older, unmapped: { mode: 'provided' } }],
    });
  });

  const rows: readonly (readonly [asked: string, result: boolean, matches: readonly string[]])[] = [
    [`system=${wards}&code=m1&targetsystem=${older}`, true, ['equivalent 10', 'wider 11']],
    [`system=${wards}&code=m1`, true, ['equivalent 10', 'wider 11', 'inexact 1-8']],
    [
      `system=${wards}&code=m1&source=${own}/medical&targetsystem=${older}`,
      true,
      ['equivalent 10', 'wider 11'],
    ],
    [`system=${wards}&code=m1&source=${own}/other`, false, []],
    [`system=${wards}&code=m2&targetsystem=${older}`, false, []],
    [`system=${wards}&code=sur&targetsystem=${older}`, false, ['unmatched undefined']],
    [`system=${wards}&code=new&targetsystem=${older}`, true, ['equal new']],
    [`system=${older}&code=11&reverse=true`, true, ['narrower m1']],
    [`system=urn:x&code=m1`, false, []],
    [`url=http://hospital.example/ConceptMap/rest&system=${wards}&code=m9`, true, ['equal m9']],
  ];
  test.each(rows)('?%s', async (asked, result, matches) => {
    const answer = await ask(`ConceptMap/$translate?${asked}`);
    expect(valueOf(answer, 'result')).toBe(result);
    const found = answer.parameter.filter(({ name }) => name === 'match') as unknown as readonly {
      readonly part: readonly [
        { readonly valueCode: string },
        { readonly valueCoding: { readonly code?: string } },
      ];
    }[];
    expect(
      found.map(({ part: [{ valueCode }, { valueCoding }] }) => `${valueCode} ${String(valueCoding.code)}`),
    ).toEqual(matches);
  });

  test('by the id of the map, and of a coding that is sent', async () => {
    const coding = { name: 'coding', valueCoding: { system: wards, code: 'm1' } };
    const answer = await ask('ConceptMap/wards/$translate', parameters(coding));
    expect(answer.parameter[1]).toEqual({
      name: 'match',
      part: [
        { name: 'equivalence', valueCode: 'equivalent' },
        { name: 'concept', valueCoding: { system: older, code: '10', display: 'Ten' } },
        { name: 'source', valueUri: 'http://hospital.example/ConceptMap/wards' },
      ],
    });
  });
});

test.each([
  ['$translate by a map that is not here', 'ConceptMap/$translate?url=urn:nobody&code=a&system=b', 404],
  ['$translate by an id that is not here', 'ConceptMap/nobody/$translate?code=a&system=b', 404],
  ['$translate without a system', 'ConceptMap/$translate?code=a', 400],
  ['$translate of nothing', 'ConceptMap/$translate', 400],
  ['$translate of another type', 'Patient/$translate?code=a&system=b', 404],
  ['reverse that is neither', 'ConceptMap/$translate?code=a&system=b&reverse=maybe', 400],
  ['$expand without a value set', 'ValueSet/$expand', 400],
  ['$expand of one that is not here', 'ValueSet/$expand?url=urn:nobody', 404],
  ['$expand of an id that is not here', 'ValueSet/nobody/$expand', 404],
  ['$expand of all of a system that is not here', 'ValueSet/open/$expand', 400],
  ['$expand of another type', 'Patient/$expand?url=urn:x', 404],
  ['a count that is none', 'ValueSet/medical/$expand?count=-1', 400],
  ['a parameter that is not known', 'ValueSet/medical/$expand?fliter=a', 400],
  ['$validate-code without a code', 'ValueSet/medical/$validate-code', 400],
  ['$validate-code of another type', 'Patient/$validate-code?code=a', 404],
  ['$validate-code of a code system that is not here', 'CodeSystem/nobody/$validate-code?code=a', 404],
  ['$lookup of a code that is none', `CodeSystem/$lookup?system=${wards}&code=m9`, 404],
  ['$lookup in a system that is not here', 'CodeSystem/$lookup?system=urn:x&code=a', 404],
  ['$lookup without a system', 'CodeSystem/$lookup?code=a', 400],
  [
    '$lookup of a code named like what every object has',
    `CodeSystem/$lookup?system=${wards}&code=__proto__`,
    404,
  ],
  ['$subsumes of a code that is none', 'CodeSystem/wards/$subsumes?codeA=m1&codeB=x', 400],
  ['$subsumes of one code', 'CodeSystem/wards/$subsumes?codeA=m1', 400],
])('refused: %s', async (_what, path, status) => {
  expect((await server.ask(path)).status).toBe(status);
  expect(server.defects).toEqual([]);
});

test('the scopes are asked', async () => {
  const authorization = `Bearer ${await server.tokenOf('patients')}`;
  expect((await server.ask('ValueSet/medical/$expand', { headers: { authorization } })).status).toBe(403);
});
