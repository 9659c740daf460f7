// What every ResourceStore promises about what is referred to, what values are in use, and what is forgotten. One test a promise.
import { describe, expect, test } from '@jest/globals';
import type { IndexEntry } from '../../engine/search/index-entry.ts';
import type { Forgettable, ResourceName } from '../../engine/storage/resource-store.ts';
import type { Store } from '../../engine/storage/store.ts';
import { withStore, type OpenStore } from './opened-store.ts';
import { version, write } from './resource-store.ts';

const patient = (id: string): ResourceName => ({ type: 'Patient', id });
const observation = (id: string): ResourceName => ({ type: 'Observation', id });

const pointing = (target: string, parameter = 'Observation.subject'): IndexEntry => ({
  kind: 'reference',
  parameter,
  target,
});
const writeObservation = (store: Store, id: string, entries: readonly IndexEntry[]): Promise<void> =>
  write(store, version(id, 1, { type: 'Observation' }), entries);
const deletePatient = (store: Store, id: string, number: number): Promise<void> =>
  write(store, version(id, number, { method: 'DELETE', body: undefined }));
const forget = (store: Store, name: ResourceName, what: Forgettable): Promise<number> =>
  store.transact(({ resources }) => resources.forget(name, what));

const asked = { exceptTypes: [], limit: 10 };
const referrers = async (store: Store, name: ResourceName, more = {}): Promise<readonly string[]> => {
  const found = await store.resources.referrers(name, { ...asked, ...more });
  return found.map(({ type, id }) => `${type}/${id}`).toSorted();
};

export function resourceReferencesContract(name: string, open: OpenStore): void {
  describe(`${name}: what is missing`, () => {
    test(
      'what never was, is deleted, or is only referred to; in the order asked',
      withStore(open, async (store) => {
        await write(store, version('here'));
        await write(store, version('gone'));
        await deletePatient(store, 'gone', 2);
        await writeObservation(store, 'o', [pointing('Patient/referred')]);
        const names = ['never', 'here', 'referred', 'gone'].map(patient);
        const all = [{ type: 'Unheard', id: 'of' }, ...names, observation('o')];
        expect(await store.resources.missing(all)).toEqual([all[0], names[0], names[2], names[3]]);
        expect(await store.resources.missing([])).toEqual([]);
      }),
    );

    test(
      'a transaction sees its own writes; many are asked at once',
      withStore(open, async (store) => {
        const names = Array.from({ length: 5000 }, (_, place) => patient(`p${place}`));
        const missing = await store.transact(async ({ resources }) => {
          await resources.write(version('p7'), [], []);
          return resources.missing(names);
        });
        expect(missing).toHaveLength(4999);
      }),
    );
  });

  describe(`${name}: who points at it`, () => {
    test(
      'each once, by whatever parameter; never itself',
      withStore(open, async (store) => {
        await write(store, version('a'), [pointing('Patient/a', 'Patient.link')]);
        const twice = [pointing('Patient/a'), pointing('Patient/a', 'Observation.performer')];
        await writeObservation(store, 'o1', twice);
        await writeObservation(store, 'o2', [pointing('Patient/a', 'Observation.performer')]);
        await writeObservation(store, 'o3', [pointing('Patient/b')]);
        expect(await referrers(store, patient('a'))).toEqual(['Observation/o1', 'Observation/o2']);
        expect(await referrers(store, patient('b'))).toEqual(['Observation/o3']);
        expect(await referrers(store, patient('unheard-of'))).toEqual([]);
        expect(await referrers(store, { type: 'Unheard', id: 'of' })).toEqual([]);
      }),
    );

    test(
      'not those that point elsewhere now, or are deleted',
      withStore(open, async (store) => {
        const entries = [pointing('Patient/a')];
        await writeObservation(store, 'moved', entries);
        await writeObservation(store, 'deleted', entries);
        const next = { type: 'Observation' };
        await write(store, version('moved', 2, next), [pointing('Patient/b')], entries);
        await write(store, version('deleted', 2, { ...next, body: undefined }), [], entries);
        expect(await referrers(store, patient('a'))).toEqual([]);
      }),
    );

    test(
      'up to a limit, and without the types that are left out',
      withStore(open, async (store) => {
        for (const id of ['1', '2', '3']) await writeObservation(store, id, [pointing('Patient/a')]);
        await write(store, version('1', 1, { type: 'Provenance' }), [
          pointing('Patient/a', 'Provenance.target'),
        ]);
        expect(await referrers(store, patient('a'), { limit: 2 })).toHaveLength(2);
        expect(await referrers(store, patient('a'), { exceptTypes: ['Observation', 'Unheard'] })).toEqual([
          'Provenance/1',
        ]);
      }),
    );
  });

  test(`${name}: who points at it is known after closing and opening again`, async () => {
    const opened = await open();
    await write(opened.store, version('a'));
    await writeObservation(opened.store, 'o1', [pointing('Patient/a')]);
    await writeObservation(opened.store, 'o2', [
      pointing('Observation/o1', 'Observation.derived-from'),
      pointing('Patient/a', 'Observation.performer'),
      pointing('http://elsewhere.example/Patient/a', 'Observation.focus'),
    ]);
    const again = await opened.reopen();
    try {
      expect(await referrers(again.store, patient('a'))).toEqual(['Observation/o1', 'Observation/o2']);
      expect(await referrers(again.store, observation('o1'))).toEqual(['Observation/o2']);
      expect(await referrers(again.store, observation('o2'))).toEqual([]);
    } finally {
      await again.close();
    }
  });

  describe(`${name}: values in use`, () => {
    test(
      'each token and uri once, in order, up to a limit',
      withStore(open, async (store) => {
        const token = (system: string, code: string): IndexEntry => ({
          kind: 'token',
          parameter: 'Patient._tag',
          system,
          code,
        });
        const uri = (value: string): IndexEntry => ({ kind: 'uri', parameter: 'Patient._profile', value });
        await write(store, version('a'), [token('urn:s', 'x'), token('', 'plain'), uri('http://p')]);
        await write(store, version('b'), [token('urn:s', 'x'), uri('http://p'), uri('http://q')]);
        expect(await store.resources.distinctCodes('Patient._tag', 'token', 10)).toEqual([
          { system: '', code: 'plain' },
          { system: 'urn:s', code: 'x' },
        ]);
        const [profile] = await store.resources.distinctCodes('Patient._profile', 'uri', 1);
        expect(profile).toEqual({ system: '', code: 'http://p' });
        expect(await store.resources.distinctCodes('Patient.unheard', 'token', 10)).toEqual([]);
      }),
    );
  });

  describe(`${name}: forgetting`, () => {
    test(
      'previous versions go for good, the current one stays',
      withStore(open, async (store) => {
        for (const number of [1, 2, 3]) await write(store, version('a', number));
        await write(store, version('b'));
        expect(await store.resources.forgettable('Patient', 'previous-versions', 10)).toEqual(['a']);
        expect(await forget(store, patient('a'), 'previous-versions')).toBe(2);
        expect(await store.resources.read('Patient', 'a')).toEqual(version('a', 3));
        expect(await store.resources.readVersion('Patient', 'a', 2)).toBeUndefined();
        expect(await store.resources.forgettable('Patient', 'previous-versions', 10)).toEqual([]);
        await write(store, version('a', 4));
        expect((await store.resources.readVersion('Patient', 'a', 3))?.version).toBe(3);
      }),
    );

    test(
      'a deleted resource goes whole, and its id is free again from version 1',
      withStore(open, async (store) => {
        await write(store, version('a'));
        await deletePatient(store, 'a', 2);
        expect(await store.resources.forgettable('Patient', 'deleted-resources', 10)).toEqual(['a']);
        expect(await forget(store, patient('a'), 'deleted-resources')).toBe(2);
        expect(await store.resources.read('Patient', 'a')).toBeUndefined();
        expect(await store.resources.readVersion('Patient', 'a', 1)).toBeUndefined();
        expect(await store.resources.forgettable('Patient', 'deleted-resources', 10)).toEqual([]);
        await write(store, version('a'));
        expect(await store.resources.read('Patient', 'a')).toEqual(version('a'));
      }),
    );

    test(
      'references to what was forgotten, before and after, lead to what comes under the same name',
      withStore(open, async (store) => {
        await writeObservation(store, 'before', [pointing('Patient/a'), pointing('Patient/b')]);
        for (const id of ['a', 'c']) {
          await write(store, version(id));
          await deletePatient(store, id, 2);
          await forget(store, patient(id), 'deleted-resources');
        }
        await writeObservation(store, 'after', [pointing('Patient/a'), pointing('Patient/c')]);
        for (const id of ['a', 'c']) await write(store, version(id));
        expect(await referrers(store, patient('a'))).toEqual(['Observation/after', 'Observation/before']);
        expect(await referrers(store, patient('c'))).toEqual(['Observation/after']);
      }),
    );

    test(
      'a forgetting that was undone changed nothing',
      withStore(open, async (store) => {
        await writeObservation(store, 'o', [pointing('Patient/a')]);
        await write(
          store,
          version('o', 2, { type: 'Observation', body: undefined }),
          [],
          [pointing('Patient/a')],
        );
        await write(store, version('a'));
        await deletePatient(store, 'a', 2);
        const undone = store.transact(async ({ resources }) => {
          await resources.forget(patient('a'), 'deleted-resources');
          throw new Error('no');
        });
        await expect(undone).rejects.toThrow('no');
        expect((await store.resources.read('Patient', 'a'))?.version).toBe(2);
        await writeObservation(store, 'later', [pointing('Patient/a')]);
        expect(await referrers(store, patient('a'))).toEqual(['Observation/later']);
      }),
    );

    test.each([
      ['a living resource, as deleted', 'deleted-resources', patient('live')],
      ['what never was', 'deleted-resources', patient('never')],
      ['the history of what never was', 'previous-versions', patient('never')],
      ['of a type unheard of', 'previous-versions', { type: 'Unheard', id: 'of' }],
    ] as const)('nothing to forget: %s', (_rule, what, resource) =>
      withStore(open, async (store) => {
        await write(store, version('live'));
        expect(await forget(store, resource, what)).toBe(0);
        expect((await store.resources.read('Patient', 'live'))?.version).toBe(1);
      })(),
    );
  });
}
