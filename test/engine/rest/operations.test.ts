// $meta, $meta-add, $meta-delete and $expunge over a real socket: https://hl7.org/fhir/R4/resource-operations.html#meta
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startServer, type RunningServer } from './running-server.ts';

let server: RunningServer;
beforeAll(async () => void (server = await startServer({ referentialIntegrity: true })));
beforeEach(() => void (server.events.length = 0));
afterAll(() => server.stop());

type Fields = Readonly<Record<string, unknown>>;
interface Parameters {
  readonly parameter: readonly [{ readonly name: string; readonly valueMeta?: Fields; readonly valueInteger?: number }];
} // prettier-ignore

const put = (name: string, more: Fields = {}): Promise<Response> => {
  const [resourceType, id] = name.split('/');
  return server.ask(name, { method: 'PUT', body: JSON.stringify({ resourceType, id, ...more }) });
};
const ask = (path: string, parameter?: readonly Fields[], headers: Record<string, string> = {}) =>
  server.ask(path, {
    headers,
    ...(parameter && { method: 'POST', body: JSON.stringify({ resourceType: 'Parameters', parameter }) }),
  });
const metaOf = async (response: Response): Promise<Fields | undefined> =>
  ((await response.json()) as Parameters).parameter[0].valueMeta;
const change = (path: string, valueMeta: Fields, headers = {}): Promise<Response> =>
  ask(path, [{ name: 'meta', valueMeta }], headers);
const remove = (name: string): Promise<Response> => server.ask(name, { method: 'DELETE' });

const vip = { system: 'urn:t', code: 'vip' };
const local = { system: 'urn:t', code: 'local' };
const restricted = { system: 'urn:s', code: 'R' };

describe('$meta', () => {
  beforeAll(async () => {
    await put('Patient/m1', { meta: { tag: [{ ...vip, display: 'Very' }], profile: ['http://p'] } });
    await put('Patient/m2', { meta: { tag: [vip, local] } });
    await put('Observation/m3', { meta: { security: [restricted] } });
  });

  test('of a resource is its whole meta', async () => {
    expect(await metaOf(await ask('Patient/m1/$meta'))).toMatchObject({
      versionId: '1',
      tag: [{ ...vip, display: 'Very' }],
      profile: ['http://p'],
    });
  });

  test('of a type, and of the system, is what is in use, each once; by POST too', async () => {
    const patients = { profile: ['http://p'], tag: [local, vip] };
    expect(await metaOf(await ask('Patient/$meta'))).toEqual(patients);
    expect(await metaOf(await ask('Patient/$meta', []))).toEqual(patients);
    expect(await metaOf(await ask('$meta'))).toEqual({ ...patients, security: [restricted] });
    expect(await metaOf(await ask('Group/$meta'))).toEqual({});
  });

  test.each([
    ['a resource that is not there', 'Patient/nobody/$meta', 404, 'everything'],
    ['a type that is none', 'Potient/$meta', 404, 'everything'],
    ['a type that the scopes leave out', 'Patient/$meta', 403, 'reader'],
    ['a resource that the scopes leave out', 'Patient/m1/$meta', 403, 'reader'],
    ['the system, where the scopes leave out anything', '$meta', 403, 'reader'],
  ])('of %s', async (_rule, path, status, client) => {
    const authorization = `Bearer ${await server.tokenOf(client)}`;
    expect((await ask(path, undefined, { authorization })).status).toBe(status);
  });
});

interface Changing {
  readonly rule: string;
  readonly given: Fields;
  readonly operation: 'meta-add' | 'meta-delete';
  readonly change: Fields;
  readonly then: Fields;
  readonly version: number;
}

const changes: readonly Changing[] = [
  {
    rule: 'adds to each set',
    given: { tag: [vip] },
    operation: 'meta-add',
    change: { tag: [local], security: [restricted], profile: ['http://p'] },
    then: { tag: [vip, local], security: [restricted], profile: ['http://p'] },
    version: 2,
  },
  {
    rule: 'adds nothing twice: system and code are the identity, display is not looked at',
    given: { tag: [{ ...vip, display: 'first' }], profile: ['http://p'] },
    operation: 'meta-add',
    change: { tag: [{ ...vip, display: 'second', version: '2' }], profile: ['http://p'] },
    then: { tag: [{ ...vip, display: 'first' }], profile: ['http://p'] },
    version: 1,
  },
  {
    rule: 'the same twice in one request is once',
    given: {},
    operation: 'meta-add',
    change: { tag: [local, local] },
    then: { tag: [local] },
    version: 2,
  },
  {
    rule: 'deletes by system and code, and leaves no empty list',
    given: { tag: [{ ...vip, display: 'first' }], profile: ['http://p', 'http://q'] },
    operation: 'meta-delete',
    change: { tag: [{ ...vip, display: 'other' }], profile: ['http://q'] },
    then: { profile: ['http://p'] },
    version: 2,
  },
  {
    rule: 'deletes what is not there by doing nothing',
    given: { tag: [vip] },
    operation: 'meta-delete',
    change: { tag: [{ code: 'vip' }] },
    then: { tag: [vip] },
    version: 1,
  },
];

describe('$meta-add and $meta-delete', () => {
  test.each(changes.map((one, place) => ({ ...one, name: `Patient/c${place}` })))(
    '$operation $rule',
    async ({ name, given, operation, change: sent, then, version }) => {
      await put(name, { meta: given, active: true });
      const response = await change(`${name}/$${operation}`, sent);
      const { versionId, lastUpdated, ...sets } = (await metaOf(response)) ?? {};
      expect({ versionId, sets }).toEqual({ versionId: String(version), sets: then });
      expect(lastUpdated).toBeDefined();
      expect(response.headers.get('etag')).toBe(`W/"${version}"`);
      expect(await (await ask(name)).json()).toMatchObject({ active: true, meta: then });
    },
  );

  test('decimals of the resource stay exact', async () => {
    const body = '{"resourceType":"Observation","id":"exact","valueQuantity":{"value":2.780}}';
    await server.ask('Observation/exact', { method: 'PUT', body });
    await change('Observation/exact/$meta-add', { tag: [vip] });
    expect(await (await ask('Observation/exact')).text()).toContain('"value":2.780');
  });

  test.each([
    ['what is not there', 'Patient/nobody/$meta-add', { tag: [vip] }, {}, 404],
    ['nothing at all', 'Patient/c0/$meta-add', {}, {}, 400],
    ['a set that is no list', 'Patient/c0/$meta-add', { tag: vip }, {}, 400],
    ['another version', 'Patient/c0/$meta-add', { tag: [{ code: 'x' }] }, { 'if-match': 'W/"9"' }, 412],
  ])('%s is refused', async (_rule, path, meta, headers, status) => {
    expect((await change(path, meta, headers)).status).toBe(status);
  });

  test('need the right to update', async () => {
    const authorization = `Bearer ${await server.tokenOf('reader')}`;
    await put('Observation/read-only');
    const answer = await change('Observation/read-only/$meta-add', { tag: [vip] }, { authorization });
    expect(answer.status).toBe(403);
  });
});

const on = (...names: readonly string[]): readonly Fields[] =>
  names.map((name) => ({ name, valueBoolean: true }));
const countOf = async (response: Response): Promise<number | undefined> =>
  ((await response.json()) as Parameters).parameter[0].valueInteger;

describe('$expunge', () => {
  const give = async (name: string, versions: number): Promise<void> => {
    for (let version = 1; version <= versions; version += 1) await put(name, { active: version % 2 === 0 });
  };

  test('takes previous versions away, and the current one stays', async () => {
    await give('Patient/x1', 3);
    expect(await countOf(await ask('Patient/x1/$expunge', on('expungePreviousVersions')))).toBe(2);
    expect((await ask('Patient/x1/_history/2')).status).toBe(404);
    expect((await ask('Patient/x1')).headers.get('etag')).toBe('W/"3"');
  });

  test('takes a deleted resource away with all its versions', async () => {
    await give('Patient/x2', 2);
    expect(await countOf(await ask('Patient/x2/$expunge', on('expungeDeletedResources')))).toBe(0);
    await remove('Patient/x2');
    expect(await countOf(await ask('Patient/x2/$expunge', on('expungeDeletedResources')))).toBe(3);
    expect((await ask('Patient/x2')).status).toBe(404);
    expect((await ask('Patient/x2/_history')).status).toBe(404);
    const said = { actor: 'everything', type: 'Patient', id: 'x2', versions: 3 };
    expect(server.warnings.at(-1)).toEqual(said);
  });

  test('takes a living one away where everything is asked for, and no search finds it', async () => {
    await put('Patient/x3', { identifier: [{ system: 's', value: 'x3' }] });
    expect(await countOf(await ask('Patient/x3/$expunge', on('expungeEverything')))).toBe(2);
    expect((await ask('Patient/x3')).status).toBe(404);
    expect(await (await ask('Patient?identifier=s|x3')).json()).not.toHaveProperty('entry');
    expect(server.events).toEqual(['created Patient/x3/_history/1', 'deleted Patient/x3/_history/2']);
  });

  test('does not take away what others refer to', async () => {
    await put('Patient/x4');
    await put('Observation/x4', { subject: { reference: 'Patient/x4' } });
    expect((await ask('Patient/x4/$expunge', on('expungeEverything'))).status).toBe(409);
    expect((await ask('Patient/x4')).status).toBe(200);
  });

  test('of a type goes over its resources, up to a limit', async () => {
    for (const id of ['a', 'b', 'c']) {
      await give(`Group/${id}`, 2);
      if (id !== 'c') await remove(`Group/${id}`);
    }
    const limited = [...on('expungeDeletedResources'), { name: 'limit', valueInteger: 1 }];
    expect(await countOf(await ask('Group/$expunge', limited))).toBe(3);
    const both = on('expungeDeletedResources', 'expungePreviousVersions');
    expect(await countOf(await ask('Group/$expunge', both))).toBe(4);
    expect((await ask('Group/c')).status).toBe(200);
    expect(await countOf(await ask('Group/$expunge', both))).toBe(0);
  });

  test.each([
    ['nothing is said', 'Patient/x1/$expunge', [], 400],
    ['all is switched off', 'Patient/x1/$expunge', [{ name: 'expungePreviousVersions', valueBoolean: false }], 400],
    ['a switch is no boolean', 'Patient/x1/$expunge', [{ name: 'expungePreviousVersions', valueString: 'yes' }], 400],
    ['a parameter is unknown', 'Patient/x1/$expunge', [{ name: 'force', valueBoolean: true }], 400],
    ['a whole living type is meant', 'Patient/$expunge', on('expungeEverything'), 400],
    ['the limit is too high', 'Patient/$expunge', [...on('expungeDeletedResources'), { name: 'limit', valueInteger: 1e6 }], 400],
    ['it never was', 'Patient/nobody/$expunge', on('expungePreviousVersions'), 404],
  ])('is refused where %s', async (_rule, path, parameters, status) => {
    expect((await ask(path, parameters)).status).toBe(status);
  }); // prettier-ignore

  test('is for administrators alone', async () => {
    const authorization = `Bearer ${await server.tokenOf('patients')}`;
    const answer = await ask('Patient/x1/$expunge', on('expungePreviousVersions'), { authorization });
    expect(answer.status).toBe(403);
  });
});

test('the operations stand in the CapabilityStatement', async () => {
  const statement = (await (await ask('metadata')).json()) as {
    rest: [{ operation: object[]; resource: { type: string; operation: { name: string }[] }[] }];
  };
  const names = statement.rest[0].resource[0]?.operation.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['meta', 'meta-add', 'meta-delete', 'expunge']));
  expect(statement.rest[0].operation).toContainEqual({
    name: 'meta',
    definition: 'http://hl7.org/fhir/OperationDefinition/Resource-meta',
  });
});
