// The tables of the five compartments, beside the search parameters that there are and the definitions of R4.
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { memberTypes, membershipOf } from '../../../engine/fhir/compartments.ts';
import { loadSearchIndex } from '../../../engine/search/load-index.ts';
import { describeWithSamples, sharedFile } from '../../support/shared.ts';

const index = loadSearchIndex();
const compartments = ['Device', 'Encounter', 'Patient', 'Practitioner', 'RelatedPerson'] as const;
const limits = { lenient: false, base: '', defaultCount: 1, maximumCount: 1 };

describe.each(compartments)('the compartment of a %s', (compartment) => {
  test('has members of types that there are, by parameters that can point at it', () => {
    for (const type of memberTypes(compartment)) {
      expect(index.isType(type)).toBe(true);
      for (const code of membershipOf(compartment, type) ?? []) {
        const { plan } = index.request(type, `${code}=${compartment}/1`, limits);
        expect(JSON.stringify(plan.where)).toContain(`"target":"${compartment}/1"`);
      }
    }
  });

  test('has its own resource in it', () => {
    expect(membershipOf(compartment, compartment)).toBeDefined();
    expect(memberTypes(compartment)[0]).toBe(compartment);
  });
});

test('a medication is in no compartment', () => {
  expect(compartments.filter((compartment) => membershipOf(compartment, 'Medication'))).toEqual([]);
});

interface Definition {
  readonly resourceType: string;
  readonly id: string;
  readonly code: (typeof compartments)[number];
  readonly resource: readonly { readonly code: string; readonly param?: readonly string[] }[];
}

describeWithSamples('the definitions of R4', () => {
  const definitions = (): readonly Definition[] =>
    gunzipSync(sharedFile('data/r4-examples/r4-examples.ndjson.gz'))
      .toString()
      .split('\n')
      .filter((line) => line.includes('"CompartmentDefinition"'))
      .map((line) => JSON.parse(line) as Definition)
      .filter(({ resourceType, id }) => resourceType === 'CompartmentDefinition' && id !== 'example');

  test('say the same', () => {
    for (const { code, resource } of definitions()) {
      for (const { code: type, param = [] } of resource) {
        const own = type === code ? [] : undefined;
        const parameters = param.filter((name) => name !== '{def}');
        const expected = parameters.length === 0 ? own : parameters;
        expect([code, type, membershipOf(code, type)]).toEqual([code, type, expected]);
      }
    }
    expect(definitions()).toHaveLength(5);
  });
});
