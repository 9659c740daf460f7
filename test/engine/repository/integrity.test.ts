// Referential integrity over the real server: https://hl7.org/fhir/R4/http.html#delete, #rejecting-updates. Each case on resources of
// its own.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from '../rest/running-server.ts';

let server: RunningServer;
let trusting: RunningServer;
beforeAll(async () => {
  server = await startServer({ referentialIntegrity: true });
  trusting = await startServer({ referentialIntegrity: false });
});
afterAll(() => Promise.all([server.stop(), trusting.stop()]));

type Fields = Readonly<Record<string, unknown>>;
interface Outcome {
  readonly issue: readonly {
    readonly code: string;
    readonly diagnostics: string;
    readonly expression?: readonly string[];
    readonly details?: { readonly coding: readonly { readonly code: string }[] };
  }[];
}

const put = (name: string, more: Fields = {}, on = server): Promise<Response> => {
  const [resourceType, id] = name.split('/');
  return on.ask(name, { method: 'PUT', body: JSON.stringify({ resourceType, id, ...more }) });
};
const remove = (path: string, on = server): Promise<Response> => on.ask(path, { method: 'DELETE' });
const about = (reference: string, more: Fields = {}): Fields => ({ subject: { reference }, ...more });
const statusOf = async (path: string): Promise<number> => (await server.ask(path)).status;

const totalOf = async (type: string): Promise<number> =>
  ((await (await server.ask(`${type}?_summary=count`)).json()) as { total: number }).total;

const entryOf = (method: string, url: string, resource?: Fields, fullUrl?: string): Fields => ({
  ...(fullUrl === undefined ? {} : { fullUrl }),
  ...(resource === undefined ? {} : { resource }),
  request: { method, url },
});
const putEntry = (name: string, more: Fields = {}): Fields => {
  const [resourceType, id] = name.split('/');
  return entryOf('PUT', name, { resourceType, id, ...more });
};
const apply = (entry: readonly Fields[], type = 'transaction', on = server): Promise<Response> =>
  on.ask('', { method: 'POST', body: JSON.stringify({ resourceType: 'Bundle', type, entry }) });

interface Dangling {
  readonly rule: string;
  readonly resource: Fields;
  readonly expression: string;
}

const dangling: readonly Dangling[] = [
  {
    rule: 'what never was',
    resource: { resourceType: 'Observation', ...about('Patient/never') },
    expression: 'Observation.subject',
  },
  {
    rule: 'what should be contained',
    resource: {
      resourceType: 'Observation',
      ...about('#p'),
      performer: [{ reference: '#q' }],
      contained: [{ resourceType: 'Patient', id: 'p' }],
    },
    expression: 'Observation.performer[0]',
  },
  {
    rule: 'what should be contained, within what is',
    resource: {
      resourceType: 'Observation',
      ...about('#p'),
      contained: [{ resourceType: 'Patient', id: 'p', managingOrganization: { reference: '#o' } }],
    },
    expression: 'Observation.contained[0].managingOrganization',
  },
  {
    rule: 'what is deleted',
    resource: { resourceType: 'Observation', ...about('Patient/deleted') },
    expression: 'Observation.subject',
  },
  {
    rule: 'what is only referred to by a type that may',
    resource: { resourceType: 'Observation', ...about('Patient/recorded') },
    expression: 'Observation.subject',
  },
  {
    rule: 'a version that is not there',
    resource: { resourceType: 'Observation', ...about('Patient/here/_history/7') },
    expression: 'Observation.subject',
  },
  {
    rule: 'a version that is no number',
    resource: { resourceType: 'Observation', ...about('Patient/here/_history/first') },
    expression: 'Observation.subject',
  },
  {
    rule: 'a version that is a deletion',
    resource: { resourceType: 'Observation', ...about('Patient/deleted/_history/2') },
    expression: 'Observation.subject',
  },
  {
    rule: 'one of several',
    resource: {
      resourceType: 'Observation',
      ...about('Patient/here', {
        performer: [{ reference: 'Patient/here' }, { reference: 'Practitioner/never' }],
      }),
    },
    expression: 'Observation.performer[1]',
  },
  {
    rule: 'a reference in an extension, which no search parameter looks at',
    resource: {
      resourceType: 'Basic',
      extension: [{ url: 'http://x', valueReference: { reference: 'Patient/never' } }],
    },
    expression: 'Basic.extension[0].valueReference',
  },
  {
    rule: 'a reference in a contained resource',
    resource: {
      resourceType: 'Basic',
      contained: [{ resourceType: 'Practitioner', id: 'p', extension: [about('Patient/never')] }],
    },
    expression: 'Basic.contained[0].extension[0].subject',
  },
  {
    rule: 'what is no type',
    resource: { resourceType: 'Observation', ...about('Potient/here') },
    expression: 'Observation.subject',
  },
  {
    rule: 'a reference written as a search, outside of a transaction',
    resource: { resourceType: 'Observation', ...about('Patient?identifier=s|1') },
    expression: 'Observation.subject',
  },
];

const sound: readonly (readonly [rule: string, resource: Fields])[] = [
  ['what is there', { resourceType: 'Observation', ...about('Patient/here') }],
  ['a version that is there', { resourceType: 'Observation', ...about('Patient/here/_history/1') }],
  [
    'a version that is there of what is deleted',
    { resourceType: 'Observation', ...about('Patient/deleted/_history/1') },
  ],
  ['elsewhere', { resourceType: 'Observation', ...about('http://elsewhere.example/fhir/Patient/1') }],
  ['a urn', { resourceType: 'Observation', ...about('urn:uuid:11111111-1111-4111-8111-111111111111') }],
  ['an identifier alone', { resourceType: 'Observation', subject: { identifier: { value: '1' } } }],
  [
    'a contained resource',
    { resourceType: 'Observation', contained: [{ resourceType: 'Patient', id: 'p' }], ...about('#p') },
  ],
  ['a canonical', { resourceType: 'QuestionnaireResponse', questionnaire: 'http://q.example/never' }],
  [
    'within a Bundle',
    {
      resourceType: 'Bundle',
      type: 'collection',
      entry: [{ resource: { resourceType: 'Observation', ...about('Patient/inside') } }],
    },
  ],
  [
    'a record of what was',
    { resourceType: 'AuditEvent', entity: [{ what: { reference: 'Patient/deleted' } }] },
  ],
];

describe('what a resource refers to', () => {
  beforeAll(async () => {
    await put('Patient/here');
    await put('Patient/deleted');
    await remove('Patient/deleted');
    await put('Provenance/p', { target: [{ reference: 'Patient/recorded' }] });
  });

  test.each(dangling)('must be there: $rule', async ({ resource, expression }) => {
    const before = await totalOf(String(resource['resourceType']));
    const body = JSON.stringify(resource);
    const response = await server.ask(String(resource['resourceType']), { method: 'POST', body });
    const outcome = (await response.json()) as Outcome;
    expect(response.status).toBe(422);
    expect(outcome.issue[0]).toMatchObject({
      code: 'not-found',
      expression: [expression],
      details: { coding: [{ code: 'dangling-reference' }] },
    });
    expect(await totalOf(String(resource['resourceType']))).toBe(before);
  });

  test.each(sound)('is not looked for, or is there: %s', async (_rule, resource) => {
    const response = await server.ask(String(resource['resourceType']), {
      method: 'POST',
      body: JSON.stringify(resource),
    });
    expect(response.status).toBe(201);
  });

  test('an absolute reference under our own base is one to us', async () => {
    const asked = (id: string): Promise<Response> =>
      put(`Observation/own-${id}`, about(`${server.fhir}/Patient/${id}`));
    expect((await asked('here')).status).toBe(201);
    expect((await asked('never')).status).toBe(422);
  });

  test('a resource may refer to itself', async () => {
    const link = [{ other: { reference: 'Patient/self' }, type: 'seealso' }];
    expect((await put('Patient/self', { link })).status).toBe(201);
    expect((await remove('Patient/self')).status).toBe(204);
  });

  test('a refusal names up to ten', async () => {
    const performer = Array.from({ length: 12 }, (_, place) => ({ reference: `Practitioner/n${place}` }));
    const outcome = (await (await put('Observation/many', { performer })).json()) as Outcome;
    expect(outcome.issue[0]?.diagnostics.match(/Practitioner\/n\d+/g)).toHaveLength(10);
    expect(outcome.issue[0]?.diagnostics).toContain('2 more');
  });

  test('a transaction may bring it, in any order, also under ids of its own', async () => {
    const answer = await apply([
      putEntry('Observation/t1', about('Patient/t1')),
      putEntry('Patient/t1', { managingOrganization: { reference: 'urn:uuid:o' } }),
      entryOf('POST', 'Organization', { resourceType: 'Organization' }, 'urn:uuid:o'),
    ]);
    expect(answer.status).toBe(200);
  });

  test('a transaction that does not bring it leaves nothing, and says in which entry', async () => {
    const answer = await apply([
      putEntry('Patient/t2'),
      putEntry('Observation/t2', about('Patient/t2', { focus: [{ reference: 'Patient/never' }] })),
    ]);
    expect(answer.status).toBe(422);
    expect(((await answer.json()) as Outcome).issue[0]?.expression).toEqual([
      'Bundle.entry[1].resource.focus[0]',
    ]);
    expect(await statusOf('Patient/t2')).toBe(404);
  });

  test('each entry of a batch stands for itself', async () => {
    const answer = await apply([putEntry('Observation/b1', about('Patient/never'))], 'batch');
    expect(await answer.json()).toMatchObject({ entry: [{ response: { status: '422' } }] });
  });
});

describe('what is referred to', () => {
  test('cannot be deleted: 409 with who refers to it, up to ten', async () => {
    await put('Patient/kept');
    for (let place = 0; place < 12; place += 1) {
      await put(`Observation/kept-${place}`, about('Patient/kept'));
    }
    const response = await remove('Patient/kept');
    const outcome = (await response.json()) as Outcome;
    expect(response.status).toBe(409);
    expect(outcome.issue[0]?.code).toBe('conflict');
    expect(outcome.issue[0]?.diagnostics.match(/Observation\/kept-\d+/g)).toHaveLength(10);
    expect(await statusOf('Patient/kept')).toBe(200);
  });

  test('cannot be deleted by criteria either', async () => {
    await put('Patient/criteria', { identifier: [{ system: 's', value: 'criteria' }] });
    await put('Observation/criteria', about('Patient/criteria'));
    expect((await remove('Patient?identifier=s|criteria')).status).toBe(409);
  });

  test('also by references that no search parameter looks at', async () => {
    await put('Patient/ext');
    await put('Basic/ext', {
      extension: [{ url: 'http://x', valueReference: { reference: 'Patient/ext' } }],
    });
    expect((await remove('Patient/ext')).status).toBe(409);
    await put('Basic/ext', { extension: [{ url: 'http://x', valueString: 'none' }] });
    expect((await remove('Patient/ext')).status).toBe(204);
  });

  test('can be deleted once nobody refers to it', async () => {
    await put('Patient/free');
    await put('Observation/free', about('Patient/free'));
    await remove('Observation/free');
    expect((await remove('Patient/free')).status).toBe(204);
  });

  test('can be deleted when only records speak of it', async () => {
    await put('Patient/spoken');
    await put('Provenance/spoken', { target: [{ reference: 'Patient/spoken' }] });
    expect((await remove('Patient/spoken')).status).toBe(204);
  });

  test.each([
    ['with those that refer to it', [entryOf('DELETE', 'Patient/tx'), entryOf('DELETE', 'Observation/tx')]],
    [
      'while those turn to another',
      [entryOf('DELETE', 'Patient/tx'), putEntry('Observation/tx', about('Patient/ty'))],
    ],
  ])('can be deleted in one transaction %s', async (_rule, entries) => {
    await put('Patient/tx');
    await put('Patient/ty');
    await put('Observation/tx', about('Patient/tx'));
    expect((await apply(entries)).status).toBe(200);
    expect(await statusOf('Patient/tx')).toBe(410);
  });

  test('a transaction that deletes what its other entries refer to is refused', async () => {
    await put('Patient/tz');
    const answer = await apply([
      entryOf('DELETE', 'Patient/tz'),
      putEntry('Observation/tz', about('Patient/tz')),
    ]);
    expect(answer.status).toBe(422);
    expect(await statusOf('Patient/tz')).toBe(200);
  });
});

describe('_cascade=delete', () => {
  test('takes all that refer to it along, directly or through others, and nothing else', async () => {
    await apply([
      putEntry('Patient/c'),
      putEntry('Patient/other'),
      putEntry('Encounter/c', about('Patient/c')),
      putEntry('Observation/c1', about('Patient/c', { encounter: { reference: 'Encounter/c' } })),
      putEntry('DiagnosticReport/c', { result: [{ reference: 'Observation/c1' }] }),
      putEntry('Observation/other', about('Patient/other')),
    ]);
    const response = await remove('Patient/c?_cascade=delete');
    expect(response.status).toBe(200);
    expect(((await response.json()) as Outcome).issue[0]?.diagnostics).toBe('4 resources were deleted');
    for (const name of ['Patient/c', 'Encounter/c', 'Observation/c1', 'DiagnosticReport/c']) {
      expect([name, await statusOf(name)]).toEqual([name, 410]);
    }
    expect(await statusOf('Observation/other')).toBe(200);
  });

  test('works with criteria, and where resources refer to each other in a ring', async () => {
    await apply([
      putEntry('Patient/r1', {
        identifier: [{ system: 's', value: 'ring' }],
        link: [{ other: { reference: 'Patient/r2' } }],
      }),
      putEntry('Patient/r2', { link: [{ other: { reference: 'Patient/r1' } }] }),
    ]);
    expect((await remove('Patient?identifier=s|ring&_cascade=delete')).status).toBe(200);
    expect([await statusOf('Patient/r1'), await statusOf('Patient/r2')]).toEqual([410, 410]);
  });

  test('needs the right to delete each type', async () => {
    await put('Patient/guarded');
    await put('Observation/guarded', about('Patient/guarded'));
    const authorization = `Bearer ${await server.tokenOf('patients')}`;
    const response = await server.ask('Patient/guarded?_cascade=delete', {
      method: 'DELETE',
      headers: { authorization },
    });
    expect(response.status).toBe(403);
    expect(await statusOf('Patient/guarded')).toBe(200);
  });

  test('is bounded: more than a thousand are refused and all stay', async () => {
    const many = Array.from({ length: 1001 }, (_, place) =>
      putEntry(`Observation/bound-${place}`, about('Patient/bound')),
    );
    await apply([putEntry('Patient/bound'), ...many]);
    expect((await remove('Patient/bound?_cascade=delete')).status).toBe(409);
    expect(await statusOf('Observation/bound-7')).toBe(200);
  });

  test.each(['transaction', 'batch'])('works in a %s, by id and by criteria', async (type) => {
    const identifier = [{ system: 's', value: type }];
    await apply([
      putEntry(`Patient/b1-${type}`),
      putEntry(`Observation/b1-${type}`, about(`Patient/b1-${type}`)),
    ]);
    await apply([
      putEntry(`Patient/b2-${type}`, { identifier }),
      putEntry(`Observation/b2-${type}`, about(`Patient/b2-${type}`)),
    ]);
    const entry = [
      entryOf('DELETE', `Patient/b1-${type}?_cascade=delete`),
      entryOf('DELETE', `Patient?identifier=s|${type}&_cascade=delete`),
    ];
    const response = await server.ask('', {
      method: 'POST',
      body: JSON.stringify({ resourceType: 'Bundle', type, entry }),
    });
    const { entry: answers } = (await response.json()) as { entry: { response: { status: string } }[] };
    expect(answers.map((one) => one.response.status)).toEqual(['200 OK', '200 OK']);
    for (const name of ['Patient/b1', 'Observation/b1', 'Patient/b2', 'Observation/b2']) {
      expect([name, await statusOf(`${name}-${type}`)]).toEqual([name, 410]);
    }
  });

  test('in a Bundle needs the right to delete each type too', async () => {
    await put('Patient/guarded-2');
    await put('Observation/guarded-2', about('Patient/guarded-2'));
    const authorization = `Bearer ${await server.tokenOf('patients')}`;
    const body = JSON.stringify({
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [entryOf('DELETE', 'Patient/guarded-2?_cascade=delete')],
    });
    expect((await server.ask('', { method: 'POST', body, headers: { authorization } })).status).toBe(403);
    expect(await statusOf('Patient/guarded-2')).toBe(200);
  });

  test('takes no other value', async () => {
    await put('Patient/odd');
    expect((await remove('Patient/odd?_cascade=everything')).status).toBe(400);
    expect((await apply([entryOf('DELETE', 'Patient/odd?_cascade=everything')])).status).toBe(400);
    expect(await statusOf('Patient/odd')).toBe(200);
  });
});

test('switched off, references may lead anywhere and anything may go', async () => {
  expect((await put('Observation/o', about('Patient/later'), trusting)).status).toBe(201);
  expect((await put('Patient/later', {}, trusting)).status).toBe(201);
  expect((await remove('Patient/later', trusting)).status).toBe(204);
  expect((await remove('Patient/later?_cascade=delete', trusting)).status).toBe(200);
});
