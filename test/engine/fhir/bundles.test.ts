// Bundles made as text around stored bodies. https://hl7.org/fhir/R4/bundle.html
import { expect, test } from '@jest/globals';
import {
  historyPieces,
  responseText,
  searchsetPieces,
  type BundledVersion,
} from '../../../engine/fhir/bundles.ts';

const body = '{"resourceType":"Observation","id":"1","valueQuantity":{"value":2.780}}';
const stored: BundledVersion = {
  type: 'Observation',
  id: '1',
  version: 2,
  lastUpdated: 0,
  method: 'PUT',
  body,
};
const links = { base: 'http://h/fhir', self: 'http://h/fhir/Observation?code=a&b="c"', next: undefined };

const whole = (pieces: Iterable<string>): string => [...pieces].join('');

test('a searchset carries the bodies as they were stored', () => {
  const parts = {
    ...links,
    next: 'http://h/next',
    total: 1,
    matches: [stored],
    included: [{ ...stored, type: 'Patient', body: '{"resourceType":"Patient"}' }],
    outcome: '{"resourceType":"OperationOutcome"}',
  };
  const text = whole(searchsetPieces(parts));
  expect(text).toContain(body);
  expect(JSON.parse(text)).toMatchObject({
    resourceType: 'Bundle',
    type: 'searchset',
    total: 1,
    link: [
      { relation: 'self', url: links.self },
      { relation: 'next', url: 'http://h/next' },
    ],
    entry: [
      { fullUrl: 'http://h/fhir/Observation/1', search: { mode: 'match' } },
      { fullUrl: 'http://h/fhir/Patient/1', search: { mode: 'include' } },
      { resource: { resourceType: 'OperationOutcome' }, search: { mode: 'outcome' } },
    ],
  });
});

test('a searchset without results has no empty arrays', () => {
  const text = whole(searchsetPieces({ ...links, total: 0, matches: [], included: [] }));
  expect(JSON.parse(text)).toEqual({
    resourceType: 'Bundle',
    type: 'searchset',
    total: 0,
    link: [{ relation: 'self', url: links.self }],
  });
});

test('a history tells how each version came to be; a deletion has no resource', () => {
  const versions: readonly BundledVersion[] = [
    { ...stored, version: 3, method: 'DELETE', body: undefined },
    stored,
    { ...stored, version: 1, method: 'POST' },
  ];
  const bundle = JSON.parse(whole(historyPieces({ ...links, total: 3, versions }))) as { entry: object[] };
  expect(bundle.entry).toMatchObject([
    {
      request: { method: 'DELETE', url: 'Observation/1' },
      response: { status: '204 No Content', etag: 'W/"3"' },
    },
    {
      request: { method: 'PUT', url: 'Observation/1' },
      response: { status: '200 OK', lastModified: '1970-01-01T00:00:00.000Z' },
    },
    { request: { method: 'POST', url: 'Observation' }, response: { status: '201 Created' } },
  ]);
  expect(bundle.entry[0]).not.toHaveProperty('resource');
});

test('a response tells what became of each entry', () => {
  const text = responseText('transaction-response', [
    {
      status: '201 Created',
      location: 'Observation/1/_history/2',
      etag: 'W/"2"',
      body,
      fullUrl: 'http://h/fhir/Observation/1',
    },
    { status: '400 Bad Request', outcome: '{"resourceType":"OperationOutcome"}' },
  ]);
  expect(text).toContain(`"resource":${body}`);
  expect((JSON.parse(text) as { entry: object[] }).entry).toMatchObject([
    { fullUrl: 'http://h/fhir/Observation/1', response: { status: '201 Created', etag: 'W/"2"' } },
    { response: { status: '400 Bad Request', outcome: { resourceType: 'OperationOutcome' } } },
  ]);
});
