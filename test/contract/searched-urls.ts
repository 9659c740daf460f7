// Random resources and random search URLs: a store finds what the plain model finds, page by page, both ways, in an order that the
// sort keys allow, and counts the same.
import { describe, test } from '@jest/globals';
import fc from 'fast-check';
import { loadSearchIndex } from '../../engine/search/load-index.ts';
import type { OpenStore } from './opened-store.ts';
import { withStore } from './opened-store.ts';
import { Both } from './searched-store.ts';

const index = loadSearchIndex();
const limits = { lenient: false, base: '', defaultCount: 3, maximumCount: 1000 };

const ucum = 'http://unitsofmeasure.org';
const names = ['Wanjirũ', 'Wanjiro', "Ng'ang'a", 'Otieno', 'Odhiambo'] as const;
const days = ['2025', '2026-02', '2026-11-20', '2026-11-20T10:00:00Z', '2026-11-21T23:30:00+03:00'] as const;
const units = ['mg', 'g', 'mmol/L', '10*9/L', '{INR}'] as const;
const codes = ['HB', 'WBC', 'K'] as const;
const ids = ['1', '2', '3', '4'] as const;

const one = <T>(of: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...of);
const some = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined });
const few = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(of, { minLength: 1, maxLength: 2 });
const to = (type: string): fc.Arbitrary<object> =>
  fc.record({ reference: one(ids).map((id) => `${type}/${id}`), display: some(one(names)) });

const coding = fc.record({
  system: some(one(['urn:a', 'urn:b'])),
  code: one(codes),
  display: some(one(names)),
});
const concept = fc.record({ coding: fc.array(coding, { maxLength: 2 }), text: some(one(names)) });
const quantity = fc.record({
  value: one([0.0054, 1, 5, 5.4, 540]),
  comparator: some(one(['<', '>='])),
  system: some(fc.constant(ucum)),
  code: some(one(units)),
  unit: some(one(['mg', 'tablets'])),
});

const observation = fc.record({
  resourceType: fc.constant('Observation'),
  status: one(['final', 'amended']),
  code: concept,
  subject: some(to('Patient')),
  effectiveDateTime: some(one(days)),
  valueQuantity: some(quantity),
  valueString: some(one(names)),
  component: some(few(fc.record({ code: concept, valueQuantity: some(quantity) }))),
});
const patient = fc.record({
  resourceType: fc.constant('Patient'),
  name: some(few(fc.record({ family: some(one(names)), given: some(few(one(names))) }))),
  birthDate: some(one(['1990', '1990-05', '1990-05-01', '2001-12-31'])),
  gender: some(one(['male', 'female'])),
  identifier: some(
    few(fc.record({ system: some(one(['urn:a', 'urn:b'])), value: one(ids), type: some(concept) })),
  ),
  managingOrganization: some(to('Organization')),
});
const organization = fc.record({
  resourceType: fc.constant('Organization'),
  name: some(one(names)),
  partOf: some(to('Organization')),
});
const location = fc.record({
  resourceType: fc.constant('Location'),
  name: some(one(names)),
  position: some(
    fc.record({ latitude: one([-1.3, -1.2, 0, 89.9]), longitude: one([36.8, 37, 179.9, -179.9]) }),
  ),
});
const resources = fc.array(fc.tuple(one(ids), fc.oneof(observation, patient, organization, location)), {
  minLength: 1,
  maxLength: 14,
});

const token = one(['HB', 'WBC', 'urn:a|HB', '|K', 'urn:b|', 'HB,K']);
const prefixed = (of: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(one(['', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap']), one(of))
    .map((both) => both.join(''));
const amount = fc
  .tuple(
    prefixed(['5.4', '5', '0.0054', '1e0', '540']),
    one(['', ...units.flatMap((unit) => [`||${unit}`, `|${ucum}|${unit}`])]),
  )
  .map((both) => both.join(''));
const word = one(['wan', 'ode', 'nganga', 'Wanjirũ', 'ieno']);

/** What each type can be asked: the keys and their values. */
const questions: Readonly<Record<string, readonly (readonly [key: string, value: fc.Arbitrary<string>])[]>> =
  {
    Observation: [
      ['code', token],
      ['code:not', token],
      ['code:text', word],
      ['combo-code', token],
      ['component-code', token],
      ['status', one(['final', 'http://hl7.org/fhir/observation-status|amended'])],
      ['date', prefixed(days)],
      ['value-quantity', amount],
      ['combo-value-quantity', amount],
      ['value-string', word],
      ['value-string:contains', word],
      ['code-value-quantity', fc.tuple(one(codes), amount).map((both) => both.join('$'))],
      ['component-code-value-quantity', fc.tuple(one(codes), amount).map((both) => both.join('$'))],
      [
        'combo-code-value-quantity',
        fc.tuple(token, amount).map((both) => both.join('$').replace(/,.*\$/, '$')),
      ],
      ['subject', one(['Patient/1', '2', 'Patient/3,Patient/4'])],
      ['subject:text', word],
      ['patient:missing', one(['true', 'false'])],
      ['value-quantity:missing', one(['true', 'false'])],
      ['component-code-value-quantity:missing', one(['true', 'false'])],
      ['subject:Patient.family', word],
      ['patient.organization.name', word],
      ['patient._has:Observation:subject:status', one(['final', 'amended'])],
      ['_content', one(['wanjiru', 'wan', 'wan*', 'otieno odh*'])],
      ['_id', one(['1', '1,2'])],
      [
        '_filter',
        one([
          'code eq HB or status eq amended',
          'not (code eq HB)',
          'value-string ew "ino"',
          'date po 2026-11-20',
        ]),
      ],
    ],
    Patient: [
      ['name', word],
      ['family:exact', word],
      ['given:contains', word],
      ['phonetic', word],
      ['birthdate', prefixed(['1990', '1990-05', '2001-12-31'])],
      ['gender', one(['male', 'female,male'])],
      ['gender:missing', one(['true', 'false'])],
      ['identifier', one(['1', 'urn:a|2', '|3', 'urn:b|'])],
      ['identifier:of-type', one(['urn:a|HB|1', 'urn:b|K|2'])],
      ['organization', one(['Organization/1', '2'])],
      ['organization.partof.name', word],
      ['_has:Observation:patient:code', token],
      [
        '_has:Observation:patient:code-value-quantity',
        fc.tuple(one(codes), amount).map((both) => both.join('$')),
      ],
      ['_content', one(['wanjiru', 'wan*', 'nganga'])],
    ],
    Location: [
      ['near', one(['-1.3|36.8|30|km', '-1.3|36.8|5', '90|0|20', '0|180|30|[mi_i]', '0|-180|9000'])],
      ['near:missing', one(['true', 'false'])],
      ['name', word],
    ],
  };

const sorts: Readonly<Record<string, readonly string[]>> = {
  Observation: [
    '',
    'date',
    '-date',
    'code,-date',
    'value-quantity',
    '-value-quantity,_id',
    'value-string',
    '-_id',
  ],
  Patient: ['', 'family', '-birthdate,given', 'gender,-family', 'organization', '-_lastUpdated'],
  Location: ['', 'name', '-name,_id'],
};

const search = one(Object.keys(questions)).chain((type) =>
  fc
    .tuple(
      fc.array(
        fc.oneof(
          ...(questions[type] ?? []).map(([key, values]) => values.map((value) => [key, value] as const)),
        ),
        { minLength: 1, maxLength: 3 },
      ),
      one(sorts[type] ?? ['']),
    )
    .map(([pairs, sort]) => {
      const query = new URLSearchParams(pairs.map(([key, value]): [string, string] => [key, value]));
      if (sort !== '') query.set('_sort', sort);
      return { type, query: query.toString() };
    }),
);

/** A resource is known by type and id: a later one takes the place of an earlier one. */
export function searchedUrlsContract(name: string, open: OpenStore): void {
  describe(`${name}: searches by URL`, () => {
    test(
      'find what the plain model finds, whatever is stored and asked',
      withStore(open, async (store) => {
        const both = new Both(store);
        await fc.assert(
          fc.asyncProperty(
            resources,
            fc.array(search, { minLength: 5, maxLength: 15 }),
            async (stored, asked) => {
              for (const type of ['Observation', 'Patient', 'Organization', 'Location']) {
                for (const id of ids) {
                  if (both.model.get(type, id)?.version.body !== undefined) await both.delete(type, id);
                }
              }
              for (const [id, resource] of stored) {
                await both.put(resource.resourceType, id, index.entries({ ...resource, id }));
              }
              for (const { type, query } of asked) {
                await both.expectAsModel(index.request(type, query, limits).plan);
              }
            },
          ),
          { numRuns: 60 },
        );
      }),
      120_000,
    );
  });
}
