// Each FHIR interaction over a real socket: what is asked, what is answered, and what it caused.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

let server: RunningServer;
beforeAll(async () => void (server = await startServer()));
afterAll(() => server.stop());

const patient = (more: object = {}): string => JSON.stringify({ resourceType: 'Patient', ...more });

interface Scenario {
  /** The rule, and where it stands. */
  readonly rule: string;
  readonly given?: readonly (readonly [string, RequestInit])[];
  readonly when: readonly [string, RequestInit?];
  readonly then: {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string | RegExp | null>>;
    readonly body?: object | string;
    readonly events?: readonly string[];
  };
}

const put = (body: string, headers: Record<string, string> = {}): RequestInit => ({
  method: 'PUT',
  body,
  headers,
});
const post = (body: string, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body,
  headers,
});

const scenarios: readonly Scenario[] = [
  {
    rule: 'create answers 201, Location with the version, ETag, and the resource (http.html#create)',
    when: ['Patient', post(patient({ birthDate: '1990-01-01' }))],
    then: {
      status: 201,
      headers: {
        location: /\/fhir\/R4\/Patient\/id-\d+\/_history\/1$/,
        etag: 'W/"1"',
        'last-modified': 'Sun, 01 Mar 2026 08:00:00 GMT',
        'content-type': 'application/fhir+json; charset=utf-8',
      },
      body: { birthDate: '1990-01-01', meta: { versionId: '1', lastUpdated: '2026-03-01T08:00:00.000Z' } },
      events: [expect.stringMatching(/^created Patient\/id-\d+\/_history\/1$/) as unknown as string],
    },
  },
  {
    rule: 'create does not heed the id of the client (http.html#create)',
    when: ['Patient', post(patient({ id: 'mine' }))],
    then: { status: 201, headers: { location: /\/Patient\/id-/ } },
  },
  {
    rule: 'Prefer: return=minimal leaves the body out (http.html#ops)',
    when: ['Patient', post(patient(), { prefer: 'return=minimal' })],
    then: { status: 201, headers: { 'content-length': '0' }, body: '' },
  },
  {
    rule: 'Prefer: return=OperationOutcome tells instead of showing (http.html#ops)',
    when: ['Patient', post(patient(), { prefer: 'return=OperationOutcome' })],
    then: { status: 201, body: { resourceType: 'OperationOutcome' } },
  },
  {
    rule: 'tags, profiles and security labels of the client are kept',
    when: ['Patient/tagged', put(patient({ id: 'tagged', meta: { tag: [{ code: 'x' }], versionId: '77' } }))],
    then: { status: 201, body: { meta: { tag: [{ code: 'x' }], versionId: '1' } } },
  },
  {
    rule: 'update creates under the id that is not there yet (http.html#upsert)',
    when: ['Patient/new-one', put(patient({ id: 'new-one' }))],
    then: { status: 201, headers: { etag: 'W/"1"' }, events: ['created Patient/new-one/_history/1'] },
  },
  {
    rule: 'update makes the next version (http.html#update)',
    given: [['Patient/u1', put(patient({ id: 'u1' }))]],
    when: ['Patient/u1', put(patient({ id: 'u1', active: true }))],
    then: {
      status: 200,
      headers: { etag: 'W/"2"' },
      body: { active: true },
      events: ['updated Patient/u1/_history/2'],
    },
  },
  {
    rule: 'an update that changes nothing makes no version, whatever the order of the properties',
    given: [['Patient/u2', put(patient({ id: 'u2', active: true, gender: 'female' }))]],
    when: ['Patient/u2', put(patient({ gender: 'female', active: true, id: 'u2' }))],
    then: { status: 200, headers: { etag: 'W/"1"' }, events: [] },
  },
  {
    rule: 'a decimal that is written otherwise is another value: 2.50 is not 2.5 (datatypes.html#decimal)',
    given: [
      ['Observation/d1', put('{"resourceType":"Observation","id":"d1","valueQuantity":{"value":2.5}}')],
    ],
    when: ['Observation/d1', put('{"resourceType":"Observation","id":"d1","valueQuantity":{"value":2.50}}')],
    then: { status: 200, headers: { etag: 'W/"2"' } },
  },
  {
    rule: 'If-Match with the current version goes through (http.html#concurrency)',
    given: [['Patient/m1', put(patient({ id: 'm1' }))]],
    when: ['Patient/m1', put(patient({ id: 'm1', active: true }), { 'if-match': 'W/"1"' })],
    then: { status: 200, headers: { etag: 'W/"2"' } },
  },
  {
    rule: 'If-Match with another version is refused with 412 (http.html#concurrency)',
    given: [['Patient/m2', put(patient({ id: 'm2' }))]],
    when: ['Patient/m2', put(patient({ id: 'm2', active: true }), { 'if-match': 'W/"9"' })],
    then: { status: 412, body: { resourceType: 'OperationOutcome' }, events: [] },
  },
  {
    rule: 'the id in the resource must be that of the url (http.html#update)',
    when: ['Patient/x1', put(patient({ id: 'other' }))],
    then: { status: 400, body: { issue: [{ code: 'invalid', expression: ['Patient.id'] }] }, events: [] },
  },
  {
    rule: 'the type of the resource must be that of the url (http.html#create)',
    when: ['Observation', post(patient())],
    then: { status: 400, body: { issue: [{ expression: ['resourceType'] }] }, events: [] },
  },
  {
    rule: 'read answers the resource with its version (http.html#read)',
    given: [['Patient/r1', put(patient({ id: 'r1' }))]],
    when: ['Patient/r1'],
    then: {
      status: 200,
      headers: { etag: 'W/"1"', 'x-content-type-options': 'nosniff' },
      body: { id: 'r1' },
    },
  },
  {
    rule: 'HEAD answers as GET would, without the body (http.html#read)',
    given: [['Patient/r2', put(patient({ id: 'r2' }))]],
    when: ['Patient/r2', { method: 'HEAD' }],
    then: { status: 200, headers: { etag: 'W/"1"', 'content-length': /^[1-9]/ }, body: '' },
  },
  {
    rule: 'If-None-Match with the current version answers 304 (http.html#cread)',
    given: [['Patient/r3', put(patient({ id: 'r3' }))]],
    when: ['Patient/r3', { headers: { 'if-none-match': 'W/"1"' } }],
    then: { status: 304, headers: { etag: 'W/"1"' }, body: '' },
  },
  {
    rule: 'what never was there is 404 (http.html#read)',
    when: ['Patient/nobody'],
    then: { status: 404, body: { resourceType: 'OperationOutcome', issue: [{ code: 'not-found' }] } },
  },
  {
    rule: 'what was deleted is 410 (http.html#read)',
    given: [
      ['Patient/gone', put(patient({ id: 'gone' }))],
      ['Patient/gone', { method: 'DELETE' }],
    ],
    when: ['Patient/gone'],
    then: { status: 410, body: { issue: [{ code: 'deleted' }] } },
  },
  {
    rule: 'a deleted resource comes back by update, with the next version (http.html#delete)',
    given: [
      ['Patient/back', put(patient({ id: 'back' }))],
      ['Patient/back', { method: 'DELETE' }],
    ],
    when: ['Patient/back', put(patient({ id: 'back' }))],
    then: { status: 201, headers: { etag: 'W/"3"' }, events: ['created Patient/back/_history/3'] },
  },
  {
    rule: 'vread answers the version as it was (http.html#vread)',
    given: [
      ['Patient/v1', put(patient({ id: 'v1' }))],
      ['Patient/v1', put(patient({ id: 'v1', active: true }))],
    ],
    when: ['Patient/v1/_history/1'],
    then: { status: 200, headers: { etag: 'W/"1"' }, body: { meta: { versionId: '1' } } },
  },
  {
    rule: 'a version that is none is 404 (http.html#vread)',
    given: [['Patient/v2', put(patient({ id: 'v2' }))]],
    when: ['Patient/v2/_history/abc'],
    then: { status: 404 },
  },
  {
    rule: 'delete answers 204 (http.html#delete)',
    given: [['Patient/del', put(patient({ id: 'del' }))]],
    when: ['Patient/del', { method: 'DELETE' }],
    then: { status: 204, headers: { etag: 'W/"2"' }, body: '', events: ['deleted Patient/del/_history/2'] },
  },
  {
    rule: 'delete of what is not there at all answers 204 too (http.html#delete)',
    when: ['Patient/never', { method: 'DELETE' }],
    then: { status: 204, events: [] },
  },
  {
    rule: 'history shows all versions, newest first, with the deletion (http.html#history)',
    given: [
      ['Patient/h1', put(patient({ id: 'h1' }))],
      ['Patient/h1', { method: 'DELETE' }],
    ],
    when: ['Patient/h1/_history'],
    then: {
      status: 200,
      body: {
        type: 'history',
        total: 2,
        entry: [
          { request: { method: 'DELETE', url: 'Patient/h1' }, response: { etag: 'W/"2"' } },
          { resource: { id: 'h1' }, request: { method: 'PUT' }, response: { etag: 'W/"1"' } },
        ],
      },
    },
  },
  {
    rule: 'conditional create returns the one that is there (http.html#ccreate)',
    given: [['Patient/cc', put(patient({ id: 'cc', identifier: [{ system: 's', value: 'cc-1' }] }))]],
    when: ['Patient', post(patient(), { 'if-none-exist': 'identifier=s|cc-1' })],
    then: { status: 200, headers: { location: /Patient\/cc\/_history\/1$/ }, body: { id: 'cc' }, events: [] },
  },
  {
    rule: 'conditional create with several matches is 412 (http.html#ccreate)',
    given: [
      ['Patient/cd1', put(patient({ id: 'cd1', identifier: [{ system: 's', value: 'cd' }] }))],
      ['Patient/cd2', put(patient({ id: 'cd2', identifier: [{ system: 's', value: 'cd' }] }))],
    ],
    when: ['Patient', post(patient(), { 'if-none-exist': 'identifier=s|cd' })],
    then: { status: 412, body: { issue: [{ code: 'multiple-matches' }] }, events: [] },
  },
  {
    rule: 'a condition that lets everything in is not selective enough (http.html#ccreate)',
    when: ['Patient', post(patient(), { 'if-none-exist': '_count=5' })],
    then: { status: 412, events: [] },
  },
  {
    rule: 'conditional update creates where nothing matches (http.html#cond-update)',
    when: ['Patient?identifier=s|cu-0', put(patient({ identifier: [{ system: 's', value: 'cu-0' }] }))],
    then: { status: 201 },
  },
  {
    rule: 'conditional update updates the one that matches (http.html#cond-update)',
    given: [['Patient/cu', put(patient({ id: 'cu', identifier: [{ system: 's', value: 'cu-1' }] }))]],
    when: [
      'Patient?identifier=s|cu-1',
      put(patient({ identifier: [{ system: 's', value: 'cu-1' }], active: true })),
    ],
    then: {
      status: 200,
      headers: { etag: 'W/"2"' },
      body: { id: 'cu' },
      events: ['updated Patient/cu/_history/2'],
    },
  },
  {
    rule: 'conditional delete deletes the one that matches (http.html#3.1.0.7.1)',
    given: [['Patient/cx', put(patient({ id: 'cx', identifier: [{ system: 's', value: 'cx-1' }] }))]],
    when: ['Patient?identifier=s|cx-1', { method: 'DELETE' }],
    then: { status: 204, events: ['deleted Patient/cx/_history/2'] },
  },
  {
    rule: 'conditional delete without criteria deletes nothing',
    when: ['Patient', { method: 'DELETE' }],
    then: { status: 412, events: [] },
  },
  {
    rule: 'search answers a searchset with its own query as self (http.html#search)',
    given: [['Patient/s1', put(patient({ id: 's1', identifier: [{ system: 's', value: 's-1' }] }))]],
    when: ['Patient?identifier=s|s-1&_format=json'],
    then: {
      status: 200,
      body: {
        type: 'searchset',
        link: [{ relation: 'self', url: expect.stringContaining('/Patient?identifier=s%7Cs-1') }],
        entry: [{ fullUrl: expect.stringMatching(/\/fhir\/R4\/Patient\/s1$/), search: { mode: 'match' } }],
      },
    },
  },
  {
    rule: 'a posted search is the same search (http.html#search)',
    given: [['Patient/s2', put(patient({ id: 's2', identifier: [{ system: 's', value: 's-2' }] }))]],
    when: [
      'Patient/_search',
      post('identifier=s%7Cs-2', { 'content-type': 'application/x-www-form-urlencoded' }),
    ],
    then: { status: 200, body: { entry: [{ resource: { id: 's2' } }] } },
  },
  {
    rule: 'a parameter that is not known is refused (search.html#errors)',
    when: ['Patient?colour=blue'],
    then: { status: 400, body: { issue: [{ code: 'not-supported' }] } },
  },
  {
    rule: 'with handling=lenient it is left out, and the answer says so (search.html#errors)',
    when: ['Patient?colour=blue&_id=nobody', { headers: { prefer: 'handling=lenient' } }],
    then: {
      status: 200,
      body: { entry: [{ resource: { resourceType: 'OperationOutcome' }, search: { mode: 'outcome' } }] },
    },
  },
  {
    rule: '_include brings what the matches point at, _revinclude what points at them (search.html#include)',
    given: [
      ['Patient/inc', put(patient({ id: 'inc' }))],
      [
        'Observation/inc',
        put(
          '{"resourceType":"Observation","id":"inc","status":"final","subject":{"reference":"Patient/inc"}}',
        ),
      ],
    ],
    when: ['Patient?_id=inc&_revinclude=Observation:patient'],
    then: {
      status: 200,
      body: {
        entry: [
          { resource: { resourceType: 'Patient' }, search: { mode: 'match' } },
          { resource: { resourceType: 'Observation' }, search: { mode: 'include' } },
        ],
      },
    },
  },
  {
    rule: 'Turtle is not spoken here: Accept (http.html#mime-type)',
    when: ['Patient/x', { headers: { accept: 'application/fhir+turtle' } }],
    then: { status: 406, body: { resourceType: 'OperationOutcome' } },
  },
  {
    rule: 'Turtle is not spoken here: _format counts more than Accept (http.html#parameters)',
    when: ['Patient/x?_format=ttl', { headers: { accept: 'application/json' } }],
    then: { status: 406 },
  },
  {
    rule: 'a body that is neither JSON nor XML by its type is 415 (http.html#mime-type)',
    when: ['Patient', post('a fhir:Patient .', { 'content-type': 'application/fhir+turtle' })],
    then: { status: 415, events: [] },
  },
  {
    rule: '_pretty writes for the eye (http.html#parameters)',
    given: [
      ['Observation/p1', put('{"resourceType":"Observation","id":"p1","valueQuantity":{"value":1.00}}')],
    ],
    when: ['Observation/p1?_pretty=true'],
    then: { status: 200, body: expect.stringContaining('\n    "value": 1.00\n') },
  },
  {
    rule: 'a method that is not offered is 405, and Allow says which are',
    when: ['Patient/x', post('{}')],
    then: {
      status: 405,
      headers: { allow: 'GET, PUT, PATCH, DELETE, HEAD' },
      body: { resourceType: 'OperationOutcome' },
    },
  },
  {
    rule: 'a type that is none is 404',
    when: ['Potient/1'],
    then: { status: 404, body: { resourceType: 'OperationOutcome' } },
  },
  {
    rule: 'the correlation id of the client comes back (http.html#custom)',
    when: ['Patient/x', { headers: { 'x-request-id': 'abc-123' } }],
    then: { status: 404, headers: { 'x-request-id': 'abc-123' } },
  },
  {
    rule: 'a correlation id that is not harmless is replaced',
    when: ['Patient/x', { headers: { 'x-request-id': 'abc"; drop' } }],
    then: { status: 404, headers: { 'x-request-id': /^id-\d+$/ } },
  },
];

describe('FHIR interactions', () => {
  test.each(scenarios)('$rule', async ({ given = [], when: [path, init], then }) => {
    for (const [before, how] of given) await server.ask(before, how);
    server.events.length = 0;
    const response = await server.ask(path, init);
    const text = await response.text();
    expect({ status: response.status, text }).toMatchObject({ status: then.status });
    for (const [name, value] of Object.entries(then.headers ?? {})) {
      if (value instanceof RegExp) expect(response.headers.get(name)).toMatch(value);
      else expect(response.headers.get(name)).toBe(value);
    }
    if (typeof then.body === 'string' || (then.body !== undefined && 'asymmetricMatch' in then.body)) {
      expect(text).toEqual(then.body);
    } else if (then.body !== undefined) expect(JSON.parse(text)).toMatchObject(then.body);
    if (then.events) expect(server.events).toEqual(then.events);
    expect(server.defects).toEqual([]);
  });
});

describe('paging', () => {
  test('following next shows every match once', async () => {
    for (let place = 0; place < 7; place++) {
      await server.ask(
        `Basic/page-${place}`,
        put(JSON.stringify({ resourceType: 'Basic', id: `page-${place}` })),
      );
    }
    const seen: string[] = [];
    let next: string | undefined = `${server.fhir}/Basic?_count=3&_total=accurate`;
    while (next !== undefined) {
      const page = (await (await server.ask(next.slice(server.url.length))).json()) as {
        total: number;
        link: { relation: string; url: string }[];
        entry: { resource: { id: string } }[];
      };
      expect(page.total).toBe(7);
      seen.push(...page.entry.map(({ resource }) => resource.id));
      next = page.link.find(({ relation }) => relation === 'next')?.url;
    }
    expect(seen.toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6].map((place) => `page-${place}`));
  });
});

describe('decimals', () => {
  test('come back as they were written from create, read, vread, history and search', async () => {
    const quantity = '{"value":2.780,"code":"a"},{"value":12345678901234567890.10},{"value":1E-7}';
    const body = `{"resourceType":"Observation","id":"exact","status":"final","extension":[${quantity}]}`;
    const written = await server.ask('Observation/exact', put(body));
    const places = [
      'Observation/exact',
      'Observation/exact/_history/1',
      'Observation/exact/_history',
      'Observation?_id=exact',
    ];
    const texts = [await written.text()];
    for (const place of places) texts.push(await (await server.ask(place)).text());
    for (const text of texts) expect(text).toContain(quantity);
  });
});

describe('concurrency', () => {
  test('two conditional creates at once make one resource', async () => {
    const body = patient({ identifier: [{ system: 's', value: 'twin' }] });
    const create = (): Promise<Response> =>
      server.ask('Patient', post(body, { 'if-none-exist': 'identifier=s|twin' }));
    const answers = await Promise.all([create(), create(), create()]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 201]);
    const found = await (await server.ask('Patient?identifier=s|twin')).json();
    expect((found as { entry: unknown[] }).entry).toHaveLength(1);
  });

  test('of two updates of one version one is refused', async () => {
    await server.ask('Patient/race', put(patient({ id: 'race' })));
    const update = (gender: string): Promise<Response> =>
      server.ask('Patient/race', put(patient({ id: 'race', gender }), { 'if-match': 'W/"1"' }));
    const answers = await Promise.all([update('female'), update('male')]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412]);
  });
});

describe('capabilities', () => {
  test('the statement says what is there', async () => {
    const statement = (await (await fetch(`${server.fhir}/metadata`)).json()) as {
      rest: {
        resource: { type: string; interaction: { code: string }[]; searchParam: { name: string }[] }[];
      }[];
    };
    const observation = statement.rest[0]!.resource.find(({ type }) => type === 'Observation')!;
    expect(observation.interaction.map(({ code }) => code).toSorted()).toEqual([
      'create',
      'delete',
      'history-instance',
      'history-type',
      'patch',
      'read',
      'search-type',
      'update',
      'vread',
    ]);
    expect(observation).toMatchObject({
      versioning: 'versioned-update',
      conditionalCreate: true,
      conditionalUpdate: true,
      conditionalDelete: 'multiple',
      conditionalRead: 'full-support',
      updateCreate: true,
    });
    expect(observation.searchParam.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['code', '_id', 'patient']),
    );
    expect(statement).toMatchObject({
      fhirVersion: '4.0.1',
      rest: [
        { interaction: expect.arrayContaining([{ code: 'transaction' }, { code: 'batch' }]) as unknown },
      ],
    });
  });
});
