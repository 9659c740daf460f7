// Rules over messages that go out: what is told, what is refused and why, and that a message comes back as it was meant.
import { describe, expect, test } from '@jest/globals';
import type { FhirResource } from '../../../../engine/fhir/resource.ts';
import { context, goldenPairs, mapMessage, parse, shippedMapper } from '../../../support/maps.ts';
import { hl7Format } from '../../../../adapters/hl7/format.ts';
import { exactTexts } from '../../../../engine/mapping/outbound/exact-texts.ts';
import type { ReadReference } from '../../../../engine/mapping/outbound/render.ts';
import type { OutgoingSegment } from '../../../../engine/mapping/outgoing-message.ts';
import { outboundCase, readFrom, textOf, type OutboundCase } from '../../../support/outbound.ts';

const mapper = await shippedMapper();

const changed = (name: string, change: object, more: Partial<OutboundCase> = {}): OutboundCase => {
  const asked = outboundCase(name);
  return { ...asked, ...more, resource: { ...asked.resource, ...change } };
};
const refusal = async (asked: OutboundCase): Promise<string> =>
  textOf(mapper, asked).then(
    () => 'told',
    (error: unknown) => (error as Error).message,
  );
const field = (text: string, segment: string, number: number): string =>
  parse(text)
    .segments.find(({ name }) => name === segment)
    ?.text(number) ?? '';

describe('what cannot be told is refused, with the reason', () => {
  test.each([
    ['an order that is a draft', 'oml-o21-new', { status: 'draft' }, 'tells nothing of this step'],
    [
      'a completed order cannot be released',
      'oml-o21-done',
      { status: 'unknown' },
      'tells nothing of this step',
    ],
    ['an order for nothing', 'oml-o21-new', { code: undefined }, 'OBR-4 would be empty'],
    ['an order of nobody', 'oml-o21-new', { subject: undefined }, 'of no patient that is known here'],
    ['a report whose status is not known', 'oru-r01-final', { status: 'unknown' }, 'OBR-25 would be empty'],
    ['a visit that is planned', 'adt-a01-admit', { status: 'planned' }, 'tells nothing of this step'],
    ['an appointment that is proposed', 'siu-s12-book', { status: 'proposed' }, 'tells nothing of this step'],
    ['another type', 'siu-s12-book', { resourceType: 'Basic' }, 'is of a Appointment'],
  ])('%s', async (_rule, name, change, reason) => {
    expect(await refusal(changed(name, change))).toContain(reason);
  });

  test('a patient without a number', async () => {
    const asked = outboundCase('oml-o21-new');
    const known = asked.known.map((resource) =>
      resource.resourceType === 'Patient' ? { ...resource, identifier: undefined } : resource,
    );
    expect(await refusal({ ...asked, known })).toBe('PID-3 would be empty, and the message needs it');
  });

  test('no reason holds what a resource says', async () => {
    const asked = changed('oru-r01-final', { status: 'unknown' });
    expect(await refusal(asked)).not.toMatch(/Wanjiru|6\.30|7393670/);
  });

  test('a map that is not there', async () => {
    const told = { resource: outboundCase('siu-s12-book').resource, previous: undefined };
    await expect(mapper.render('ORU-R99', told, readFrom([]))).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('never F unless final', () => {
  test.each([
    'registered',
    'partial',
    'preliminary',
    'amended',
    'corrected',
    'appended',
    'cancelled',
    'entered-in-error',
  ])('a %s report', async (status) => {
    const text = await textOf(mapper, changed('oru-r01-final', { status }));
    expect(field(text, 'OBR', 25)).toMatch(/^[IRPCX]$/);
  });

  test('the results of a report that was a mistake are wrong', async () => {
    const text = await textOf(mapper, changed('oru-r01-final', { status: 'entered-in-error' }));
    const codes = parse(text).segments.filter(({ name }) => name === 'OBX');
    expect(codes.map((segment) => segment.text(11))).toEqual(['W', 'W', 'W', 'W']);
  });
});

/** The same row of texts each time: what delimiters, line ends, frames and nulls could break. */
const pieces = [
  '|',
  '^',
  '~',
  '\\',
  '&',
  '\n',
  '""',
  'é',
  '漢',
  '😀',
  '\\F\\',
  '\\.br\\',
  '\u0000',
  '\u000b',
  '\u001c',
  'MSH|',
  'a',
  ' b',
  '\t',
];
function* texts(count: number): Generator<string> {
  let seed = 7;
  const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let made = 0; made < count; made++) {
    yield `x${Array.from({ length: next(12) }, () => pieces[next(pieces.length)]).join('')}y`;
  }
}

test('any text comes back as it was, and no byte of it ends a segment or a frame', async () => {
  for (const text of texts(300)) {
    const made = await textOf(mapper, changed('oml-o21-new', { note: [{ text }] }));
    expect(field(made, 'NTE', 3)).toBe(text);
    expect(parse(made).segments.map(({ name }) => name)).toEqual([
      'MSH',
      'PID',
      'PV1',
      'ORC',
      'TQ1',
      'OBR',
      'NTE',
      'SPM',
    ]);
    expect(made).not.toMatch(/[\u0000\u000b\u001c\n]/);
  }
});

test('a text of two double quotes deletes nothing at the receiver', async () => {
  const made = await textOf(mapper, changed('oml-o21-new', { note: [{ text: '""' }] }));
  expect(made).toContain('NTE|1||\\X2222\\\r');
});

const hl7Of = (segments: readonly OutgoingSegment[]): Uint8Array =>
  hl7Format.renderMessage?.(segments) ?? new Uint8Array();

/** What a receiver acts on. */
const facts = (resources: readonly FhirResource[]): readonly unknown[] =>
  resources
    .filter(({ resourceType }) => resourceType === 'Observation')
    .map((resource) => {
      const { code, valueQuantity, valueString, effectiveDateTime, status } = JSON.parse(
        // Digits as they are, and not the nearest number.
        JSON.stringify(exactTexts(resource)),
      ) as Result;
      const { value, comparator, code: unit } = valueQuantity ?? {};
      return { code: code.coding[0]?.code, value, comparator, unit, valueString, effectiveDateTime, status };
    });

interface Result {
  readonly code: { readonly coding: readonly { readonly code: string }[] };
  readonly valueQuantity?: Readonly<Record<'value' | 'comparator' | 'code', string>>;
  readonly valueString?: string;
  readonly effectiveDateTime?: string;
  readonly status: string;
}

/** HL7 asks for a name. */
const named = (resource: FhirResource | undefined): FhirResource | undefined =>
  resource?.resourceType === 'Patient' && !('name' in resource)
    ? { ...resource, ...{ name: [{ family: 'Wanjiru' }] } }
    : resource;

const oru = goldenPairs().filter(({ raw }) => raw.includes('ORU^R01'));
test.each(oru)(
  '$name: what an ORU made, told again and read again, says the same',
  async ({ raw, answers }) => {
    const made = mapMessage(mapper, raw, answers, context).bundle?.entry ?? [];
    const resources = made.flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
    const stored = [...resources, ...Object.values(answers).flat()] as readonly FhirResource[];
    const read: ReadReference = (reference) =>
      Promise.resolve(
        named(
          (made.find(({ fullUrl }) => fullUrl === reference)?.resource as FhirResource | undefined) ??
            stored.find(({ resourceType, id = '' }) => reference === `${resourceType}/${id}`),
        ),
      );
    for (const report of resources) {
      if (report.resourceType !== 'DiagnosticReport' || report.subject?.reference === undefined) continue;
      const meta = { ...report.meta, versionId: '1', lastUpdated: '2026-03-20T06:00:00Z' };
      const told = { resource: { ...report, meta }, previous: undefined };
      const { segments } = await mapper.render('ORU-R01', told, read);
      const again = mapMessage(mapper, hl7Of(segments), {}, context).bundle?.entry ?? [];
      const results = await Promise.all((report.result ?? []).map(({ reference = '' }) => read(reference)));
      const here = results.flatMap((result) => (result === undefined ? [] : [result]));
      const there = again.flatMap(({ resource }) =>
        resource === undefined ? [] : [resource as FhirResource],
      );
      expect(facts(here).length).toBeGreaterThan(0);
      expect(facts(there)).toEqual(facts(here));
    }
  },
);
