// References in all their forms. https://hl7.org/fhir/R4/references.html#literal
import { describe, expect, test } from '@jest/globals';
import {
  collectReferences,
  formatReference,
  mapReferences,
  parseReference,
  referenceTarget,
} from '../../../engine/fhir/references.ts';

describe('parseReference', () => {
  test.each([
    ['Patient/1', { kind: 'relative', type: 'Patient', id: '1', version: undefined }],
    ['Patient/1/_history/2', { kind: 'relative', type: 'Patient', id: '1', version: '2' }],
    [
      'https://h.ke/fhir/Patient/a.b-c',
      { kind: 'absolute', base: 'https://h.ke/fhir', type: 'Patient', id: 'a.b-c' },
    ],
    ['https://h.ke/fhir/Patient/1/_history/7', { kind: 'absolute', type: 'Patient', id: '1', version: '7' }],
    ['https://h.ke/other', { kind: 'absolute', url: 'https://h.ke/other', type: undefined }],
    ['urn:uuid:6b2', { kind: 'urn', urn: 'urn:uuid:6b2' }],
    ['#med', { kind: 'fragment', id: 'med' }],
    ['Patient?identifier=a|b', { kind: 'conditional', type: 'Patient', query: 'identifier=a|b' }],
    ['patient/1', { kind: 'other' }],
    ['Patient/', { kind: 'other' }],
    ['Patient/a/b', { kind: 'other' }],
    ['', { kind: 'other' }],
  ])('%s', (text, expected) => expect(parseReference(text)).toMatchObject(expected));

  test('takes linear time over hostile text', () => {
    const text = `https://${'/A/a'.repeat(100_000)}!`;
    expect(parseReference(text).kind).toBe('absolute');
  });
});

test('formatReference writes what parseReference reads', () => {
  expect(formatReference('Patient', '1')).toBe('Patient/1');
  expect(formatReference('Patient', '1', '2')).toBe('Patient/1/_history/2');
});

describe('referenceTarget: one text for all spellings', () => {
  test.each([
    ['Patient/1', 'Patient/1'],
    ['Patient/1/_history/4', 'Patient/1'],
    ['http://h/fhir/Patient/1', 'Patient/1'],
    ['http://h/fhir/Patient/1/_history/4', 'Patient/1'],
    ['http://other/fhir/Patient/1/_history/4', 'http://other/fhir/Patient/1'],
    ['http://h/fhirx/Patient/1', 'http://h/fhirx/Patient/1'],
    ['urn:uuid:1', 'urn:uuid:1'],
    ['#a', undefined],
    ['Patient?name=a', undefined],
    ['nonsense', undefined],
  ])('%s', (text, target) => expect(referenceTarget(text, 'http://h/fhir')).toBe(target));
});

describe('mapReferences', () => {
  const resource = {
    resourceType: 'Bundle',
    entry: [
      {
        resource: {
          resourceType: 'Observation',
          subject: { reference: 'urn:uuid:1' },
          code: { text: 'urn:uuid:1' },
        },
      },
      { resource: { resourceType: 'Patient', id: 'a', link: [{ other: { reference: 'Patient/2' } }] } },
    ],
  };

  test('changes references and nothing else, in a copy', () => {
    const before = structuredClone(resource);
    const mapped = mapReferences(resource, (reference) => reference.replace('urn:uuid:1', 'Patient/9'));
    expect(mapped.entry[0]?.resource.subject).toEqual({ reference: 'Patient/9' });
    expect(mapped.entry[0]?.resource.code).toEqual({ text: 'urn:uuid:1' });
    expect(mapped.entry[1]).toBe(resource.entry[1]);
    expect(resource).toEqual(before);
  });

  test('gives the same object back where nothing changes', () =>
    expect(mapReferences(resource, (reference) => reference)).toBe(resource));

  test('collectReferences finds each once', () =>
    expect(collectReferences({ ...resource, again: { reference: 'Patient/2' } })).toEqual([
      'urn:uuid:1',
      'Patient/2',
    ]));
});
