// Transactions and batches: https://hl7.org/fhir/R4/http.html#trules. Each over the real server, store and index.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from '../rest/running-server.ts';

let server: RunningServer;
beforeAll(async () => void (server = await startServer()));
beforeEach(() => void (server.events.length = 0));
afterAll(() => server.stop());

interface Entry {
  readonly fullUrl?: string;
  readonly resource?: object;
  readonly request?: object;
}
interface AnswerEntry {
  readonly resource?: Record<string, unknown>;
  readonly response: { readonly status: string; readonly location?: string; readonly outcome?: object };
}
interface Answer {
  readonly status: number;
  readonly text: string;
  readonly entry: readonly AnswerEntry[];
}

async function apply(type: 'transaction' | 'batch', entry: readonly Entry[]): Promise<Answer> {
  const body = JSON.stringify({ resourceType: 'Bundle', type, entry });
  const response = await server.ask('', { method: 'POST', body });
  const text = await response.text();
  const parsed = JSON.parse(text) as { entry?: AnswerEntry[] };
  return { status: response.status, text, entry: parsed.entry ?? [] };
}

const read = async (path: string): Promise<Record<string, unknown>> =>
  (await (await server.ask(path)).json()) as Record<string, unknown>;

const post = (resource: { resourceType: string }, fullUrl?: string, ifNoneExist?: string): Entry => ({
  ...(fullUrl === undefined ? {} : { fullUrl }),
  resource,
  request: {
    method: 'POST',
    url: resource.resourceType,
    ...(ifNoneExist === undefined ? {} : { ifNoneExist }),
  },
});
const put = (resource: { resourceType: string; id: string }, ifMatch?: string): Entry => ({
  resource,
  request: {
    method: 'PUT',
    url: `${resource.resourceType}/${resource.id}`,
    ...(ifMatch === undefined ? {} : { ifMatch }),
  },
});
const remove = (url: string): Entry => ({ request: { method: 'DELETE', url } });
const get = (url: string): Entry => ({ request: { method: 'GET', url } });

const patient = (id: string, value = id) => ({
  resourceType: 'Patient',
  id,
  identifier: [{ system: 's', value }],
});
const observation = (reference: string) => ({
  resourceType: 'Observation',
  status: 'final',
  subject: { reference },
});

const subjectOf = async (entry: AnswerEntry | undefined): Promise<unknown> => {
  const stored = await read(entry?.response.location ?? '');
  return (stored['subject'] as { reference?: string }).reference;
};
/** `Patient/id-3` of `Patient/id-3/_history/1`. */
const nameOf = (entry: AnswerEntry | undefined): string =>
  (entry?.response.location ?? '').split('/').slice(0, 2).join('/');

describe('references within a transaction', () => {
  test.each([
    ['a urn:uuid that is named before', 'urn:uuid:11111111-1111-4111-8111-111111111111', undefined],
    ['a relative fullUrl', 'Patient/as-sent', undefined],
    ['an absolute fullUrl', 'http://lab.example/fhir/Patient/7', undefined],
  ])('%s is where the resource went', async (_rule, fullUrl) => {
    const made = await apply('transaction', [
      post({ resourceType: 'Patient' }, fullUrl),
      post(observation(fullUrl)),
    ]);
    expect(made.status).toBe(200);
    expect(await subjectOf(made.entry[1])).toBe(nameOf(made.entry[0]));
  });

  test('an entry can point at one that comes after it', async () => {
    const made = await apply('transaction', [
      post(observation('urn:uuid:p')),
      post({ resourceType: 'Patient' }, 'urn:uuid:p'),
    ]);
    expect(await subjectOf(made.entry[0])).toBe(nameOf(made.entry[1]));
  });

  test('a relative reference is read against the base of its own entry', async () => {
    const made = await apply('transaction', [
      post({ resourceType: 'Patient' }, 'http://lab.example/fhir/Patient/8'),
      post(observation('Patient/8'), 'http://lab.example/fhir/Observation/1'),
    ]);
    expect(await subjectOf(made.entry[1])).toBe(nameOf(made.entry[0]));
  });

  test('a reference to what ifNoneExist found goes to what is there', async () => {
    await apply('transaction', [put(patient('known'))]);
    const made = await apply('transaction', [
      post({ resourceType: 'Patient' }, 'urn:uuid:k', 'identifier=s|known'),
      post(observation('urn:uuid:k')),
    ]);
    expect(made.entry[0]?.response.status).toBe('200 OK');
    expect(await subjectOf(made.entry[1])).toBe('Patient/known');
  });

  test('links in uri elements and narrative follow, words in identifiers do not', async () => {
    const made = await apply('transaction', [
      post({ resourceType: 'Binary' }, 'urn:uuid:b'),
      post({
        resourceType: 'DocumentReference',
        text: { status: 'generated', div: '<div><a href="urn:uuid:b">it</a> urn:uuid:b</div>' },
        identifier: [{ system: 'urn:ietf:rfc:3986', value: 'urn:uuid:b' }],
        content: [{ attachment: { url: 'urn:uuid:b' } }],
      } as { resourceType: string }),
    ]);
    const binary = nameOf(made.entry[0]);
    expect(await read(made.entry[1]?.response.location ?? '')).toMatchObject({
      text: { div: `<div><a href="${binary}">it</a> urn:uuid:b</div>` },
      identifier: [{ value: 'urn:uuid:b' }],
      content: [{ attachment: { url: binary } }],
    });
  });

  test('a conditional reference is resolved to the one that matches', async () => {
    await apply('transaction', [put(patient('cond'))]);
    const made = await apply('transaction', [post(observation('Patient?identifier=s|cond'))]);
    expect(await subjectOf(made.entry[0])).toBe('Patient/cond');
  });

  test('a conditional reference finds what the same transaction creates, in whatever order', async () => {
    const made = await apply('transaction', [
      post(observation('Patient?identifier=s|fresh')),
      post({ resourceType: 'Patient', identifier: [{ system: 's', value: 'fresh' }] } as {
        resourceType: string;
      }),
    ]);
    expect(await subjectOf(made.entry[0])).toBe(nameOf(made.entry[1]));
  });

  test('decimals stay exact through the rewriting', async () => {
    const body =
      '{"resourceType":"Bundle","type":"transaction","entry":[' +
      '{"fullUrl":"urn:uuid:x","resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}},' +
      '{"resource":{"resourceType":"Observation","id":"dec","subject":{"reference":"urn:uuid:x"},' +
      '"valueQuantity":{"value":2.780}},"request":{"method":"PUT","url":"Observation/dec"}},' +
      '{"request":{"method":"GET","url":"Observation/dec"}}]}';
    const answer = await (await server.ask('', { method: 'POST', body })).text();
    expect(answer).toContain('"value":2.780');
    expect(await (await server.ask('Observation/dec')).text()).toContain('"value":2.780');
  });
});

describe('order and answers', () => {
  test('DELETE, POST, PUT, GET are done in this order and answered in theirs', async () => {
    await apply('transaction', [put(patient('old')), put(patient('kept'))]);
    server.events.length = 0;
    const answer = await apply('transaction', [
      get('Patient?identifier=s|kept'),
      put({ ...patient('kept'), active: true } as ReturnType<typeof patient>),
      post({ resourceType: 'Basic' }),
      remove('Patient/old'),
    ]);
    expect(server.events).toEqual([
      'deleted Patient/old/_history/2',
      expect.stringMatching(/^created Basic\//),
      'updated Patient/kept/_history/2',
    ]);
    expect(answer.entry.map(({ response }) => response.status)).toEqual([
      '200 OK',
      '200 OK',
      '201 Created',
      '204 No Content',
    ]);
    expect(answer.entry[0]?.resource).toMatchObject({ entry: [{ resource: { id: 'kept', active: true } }] });
    expect(answer.entry[1]?.response).toMatchObject({
      location: 'Patient/kept/_history/2',
      etag: 'W/"2"',
      lastModified: '2026-03-01T08:00:00.000Z',
    });
  });

  test('a conditional create does not find what the same transaction deletes', async () => {
    await apply('transaction', [put(patient('gone', 'replaced'))]);
    const answer = await apply('transaction', [
      post(patient('new', 'replaced'), 'urn:uuid:1', 'identifier=s|replaced'),
      post(observation('urn:uuid:1')),
      remove('Patient/gone'),
    ]);
    expect(answer.entry.map(({ response }) => response.status)).toEqual([
      '201 Created',
      '201 Created',
      '204 No Content',
    ]);
    expect(await (await server.ask('Patient?identifier=s|replaced&_summary=count')).json()).toMatchObject({
      total: 1,
    });
  });

  test('an empty transaction is answered by an empty Bundle', async () => {
    expect(await apply('transaction', [])).toMatchObject({ status: 200, entry: [] });
  });

  test('a large transaction is no trouble', async () => {
    const many = Array.from({ length: 1500 }, (_, place) => put(patient(`many-${place}`)));
    const answer = await apply('transaction', many);
    expect(answer.entry).toHaveLength(1500);
    expect((await server.ask('Patient/many-1499')).status).toBe(200);
  });
});

describe('twenty thousand entries', () => {
  const count = 20_000;
  const basic = (place: number) => ({
    resourceType: 'Basic',
    id: `l${place}`,
    subject: { reference: `Basic/l${(place + 1) % count}` },
  });

  test('are one transaction, and others are answered while it runs', async () => {
    await apply('transaction', [put(patient('beside'))]);
    const loading = { runs: true };
    const large = apply(
      'transaction',
      Array.from({ length: count }, (_, place) => put(basic(place))),
    ).finally(() => void (loading.runs = false));
    let answered = 0;
    while (loading.runs) {
      expect((await server.ask('Patient/beside')).status).toBe(200);
      answered += 1;
    }
    expect((await large).entry).toHaveLength(count);
    expect(answered).toBeGreaterThan(20);
    expect(await read('Basic?_summary=count')).toMatchObject({ total: count + 1 });
  }, 120_000);

  test('are one batch', async () => {
    const entries = Array.from({ length: count }, (_, place) => get(`Basic/l${place}`));
    const { entry } = await apply('batch', entries);
    expect(entry).toHaveLength(count);
    expect(new Set(entry.map(({ response }) => response.status))).toEqual(new Set(['200 OK']));
  }, 120_000);
});

interface Failing {
  readonly rule: string;
  readonly entries: readonly Entry[];
  readonly status: number;
  readonly expression?: string;
}

const first = put(patient('must-not-stay'));
const failing: readonly Failing[] = [
  {
    rule: 'If-Match with another version',
    entries: [first, put(patient('here'), 'W/"9"')],
    status: 412,
    expression: 'Bundle.entry[1]',
  },
  {
    rule: 'two entries about one resource',
    entries: [first, first],
    status: 400,
    expression: 'Bundle.entry[1]',
  },
  {
    rule: 'an update and a deletion of one resource',
    entries: [first, put(patient('here')), remove('Patient/here')],
    status: 400,
  },
  {
    rule: 'an update and a deletion of what is not there yet',
    entries: [first, put(patient('never')), remove('Patient/never')],
    status: 400,
    expression: 'Bundle.entry[2]',
  },
  {
    rule: 'two entries with one fullUrl',
    entries: [
      first,
      post({ resourceType: 'Basic' }, 'urn:uuid:2'),
      post({ resourceType: 'Basic' }, 'urn:uuid:2'),
    ],
    status: 400,
    expression: 'Bundle.entry[2].fullUrl',
  },
  {
    rule: 'two entries with one condition',
    entries: [
      first,
      post({ resourceType: 'Basic' }, undefined, 'code=x'),
      post({ resourceType: 'Basic' }, undefined, 'code=x'),
    ],
    status: 400,
  },
  {
    rule: 'two entries with one condition in two spellings',
    entries: [
      first,
      post({ resourceType: 'Patient' }, undefined, 'identifier=s%7Cq&active=true'),
      post({ resourceType: 'Patient' }, undefined, 'Patient?active=true&identifier=s|q'),
    ],
    status: 400,
    expression: 'Bundle.entry[2]',
  },
  {
    rule: 'a conditional reference to nothing',
    entries: [first, post(observation('Patient?identifier=s|nobody'))],
    status: 412,
    expression: 'Bundle.entry[1]',
  },
  {
    rule: 'a conditional reference to several',
    entries: [first, post(observation('Patient?identifier=s|double'))],
    status: 412,
  },
  {
    rule: 'ifNoneExist with several matches',
    entries: [first, post({ resourceType: 'Patient' }, undefined, 'identifier=s|double')],
    status: 412,
  },
  {
    rule: 'a read of nothing',
    entries: [first, get('Patient/nobody')],
    status: 404,
    expression: 'Bundle.entry[1]',
  },
  {
    rule: 'a PATCH without a patch',
    entries: [first, { request: { method: 'PATCH', url: 'Patient/here' } }],
    status: 400,
    expression: 'Bundle.entry[1]',
  },
  {
    rule: 'a method that is none',
    entries: [first, { request: { method: 'STEAL', url: 'Patient/here' } }],
    status: 400,
  },
  {
    rule: 'an entry without a request',
    entries: [first, { resource: { resourceType: 'Patient' } }],
    status: 400,
  },
  {
    rule: 'an id that is not that of the url',
    entries: [first, { resource: patient('a'), request: { method: 'PUT', url: 'Patient/b' } }],
    status: 400,
    expression: 'Bundle.entry[1].resource.id',
  },
  {
    rule: 'a resource of another type than its url',
    entries: [first, { resource: patient('a'), request: { method: 'POST', url: 'Basic' } }],
    status: 400,
  },
  { rule: 'a type that is none', entries: [first, remove('Potient/1')], status: 400 },
  {
    rule: 'an unknown parameter in a condition',
    entries: [first, remove('Patient?colour=blue')],
    status: 400,
  },
];

describe('all or nothing', () => {
  beforeAll(() =>
    apply('transaction', [put(patient('here')), put(patient('d1', 'double')), put(patient('d2', 'double'))]),
  );

  test.each(failing)('$rule leaves nothing', async ({ entries, status, expression }) => {
    const answer = await apply('transaction', entries);
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status });
    const { issue } = JSON.parse(answer.text) as { issue: { expression?: string[] }[] };
    if (expression !== undefined) expect(issue[0]?.expression).toEqual([expression]);
    expect((await server.ask('Patient/must-not-stay')).status).toBe(404);
    expect(
      await server.ask('Patient?identifier=s|must-not-stay&_summary=count').then((r) => r.json()),
    ).toMatchObject({ total: 0 });
  });

  test('an error tells which parameters were asked, not their values', async () => {
    const answer = await apply('transaction', [post(observation('Patient?identifier=s|ID-12345678'))]);
    expect(answer.text).toContain('Patient?identifier=…');
    expect(answer.text).not.toContain('12345678');
  });

  test('what a listener throws undoes the change', async () => {
    let broken = true;
    const other = await startServer({
      onChange: () => {
        if (broken) throw new Error('a defect');
      },
    });
    const body = JSON.stringify(patient('undone'));
    const failed = await other.ask('Patient/undone', { method: 'PUT', body });
    expect(failed.status).toBe(500);
    expect(await failed.text()).not.toContain('a defect');
    expect(other.defects).toHaveLength(1);
    expect((await other.ask('Patient/undone')).status).toBe(404);
    broken = false;
    expect((await other.ask('Patient/undone', { method: 'PUT', body })).headers.get('etag')).toBe('W/"1"');
    await other.stop();
  });
});

describe('batch', () => {
  test('each entry stands for itself', async () => {
    const answer = await apply('batch', [
      put(patient('batched')),
      put(patient('here'), 'W/"9"'),
      get('Patient/batched'),
      get('Patient/nobody'),
      {},
      remove('Patient/never'),
    ]);
    expect(answer.status).toBe(200);
    expect(answer.entry.map(({ response }) => response.status)).toEqual([
      '201 Created',
      '412',
      '200 OK',
      '404',
      '400',
      '204 No Content',
    ]);
    expect(answer.entry[3]?.response.outcome).toMatchObject({ resourceType: 'OperationOutcome' });
  });

  test('conditional creates of one batch make one resource', async () => {
    const twin = post(
      { resourceType: 'Patient', identifier: [{ system: 's', value: 'batch-twin' }] } as {
        resourceType: string;
      },
      undefined,
      'identifier=s|batch-twin',
    );
    const answer = await apply('batch', [twin, twin]);
    expect(answer.entry.map(({ response }) => response.status)).toEqual(['201 Created', '200 OK']);
  });

  test('a Bundle of another type is refused', async () => {
    const body = JSON.stringify({ resourceType: 'Bundle', type: 'searchset' });
    expect((await server.ask('', { method: 'POST', body })).status).toBe(400);
  });
});

describe('what is made ready before a transaction begins', () => {
  const tricky = {
    resourceType: 'Patient',
    id: 'tricky',
    meta: { lastUpdated: '\u0001time', tag: [{ code: '\u0001version' }] },
    name: [{ text: '\u0001version \u0001time' }],
  };

  test('takes no text of a resource for its own', async () => {
    const { entry } = await apply('transaction', [put(tricky)]);
    expect(entry.map(({ response }) => response.status)).toEqual(['201 Created']);
    const { meta, name } = await read('Patient/tricky');
    expect(name).toEqual(tricky.name);
    expect(meta).toMatchObject({ versionId: '1', tag: tricky.meta.tag });
  });

  test('waits for what is decided in it: who refers to a conditional create is led to what was found', async () => {
    await apply('transaction', [put(patient('there'))]);
    const observation = { resourceType: 'Observation', subject: { reference: 'urn:uuid:a' } };
    const { entry } = await apply('transaction', [
      post(patient('ignored', 'there'), 'urn:uuid:a', 'identifier=s|there'),
      post(observation),
      post({ resourceType: 'Patient' }),
    ]);
    const location = entry[1]?.response.location?.split('/_history')[0] ?? '';
    expect((await read(location))['subject']).toEqual({ reference: 'Patient/there' });
  });

  test('gives each the time of the transaction, and the version after the stored one', async () => {
    await apply('transaction', [put(patient('twice'))]);
    server.clock.pass(60_000);
    await apply('transaction', [put(patient('twice', 'changed'))]);
    const { meta } = (await read('Patient/twice')) as { meta: { versionId: string; lastUpdated: string } };
    expect(meta).toEqual({ versionId: '2', lastUpdated: new Date(server.clock.now()).toISOString() });
    const found = (await read('Patient?identifier=s|changed')) as { entry?: object[] };
    expect(found.entry).toHaveLength(1);
  });
});
