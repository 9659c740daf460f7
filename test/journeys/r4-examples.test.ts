// Every example of the R4 specification is stored over REST by the real process, and comes back as it was sent, decimals and all.
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseResource, writeJson } from '../../engine/fhir/exact-json.ts';
import type { FhirResource } from '../../engine/fhir/resource.ts';
import { startEngine, type RunningEngine } from '../support/engine-process.ts';
import { describeWithSamples, sharedFile } from '../support/shared.ts';

/** Everything but what the server gives each version, members in one order. */
function content(text: string, id?: string): string {
  const { meta, ...elements } = { ...parseResource(text), ...(id !== undefined && { id }) };
  const own = Object.entries(meta ?? {}).filter(([name]) => name !== 'versionId' && name !== 'lastUpdated');
  const all = own.length === 0 ? elements : { ...elements, meta: Object.fromEntries(own) };
  return writeJson(Object.fromEntries(Object.entries(all).sort(([one], [other]) => (one < other ? -1 : 1))));
}

/** What R4's own rules keep from being stored: a type without an endpoint, and an id of more than 64 characters. */
const refused: readonly string[] = [
  'Parameters/undefined 404',
  'SearchParameter/questionnaireresponse-extensions-QuestionnaireResponse-item-subject 400',
];

describeWithSamples('the examples of R4', () => {
  let engine: RunningEngine;
  // They refer to each other in any order, and some to what is nowhere.
  beforeAll(async () => {
    engine = await startEngine(undefined, { KIUNGO_REFERENTIAL_INTEGRITY: 'off' });
  }, 120_000);
  afterAll(async () => {
    await engine.stop();
  }, 60_000);

  /** Under its id, or under a new one where it has none. */
  const store = (path: string, id: string | undefined, body: string): Promise<Response> => {
    const headers = { 'content-type': 'application/fhir+json' };
    if (id === undefined) return engine.fetch(path, { method: 'POST', body, headers });
    return engine.fetch(`${path}/${id}`, { method: 'PUT', body, headers });
  };
  const created = (answer: Response): string => answer.headers.get('location')?.split('/').at(-3) ?? '';

  test('each is stored under its id and read back equal', async () => {
    const lines = gunzipSync(sharedFile('data/r4-examples/r4-examples.ndjson.gz'))
      .toString()
      .trim()
      .split('\n');
    const differing: string[] = [];
    let equal = 0;
    for (const line of lines) {
      const { resourceType, id } = parseResource(line) as FhirResource & { readonly id?: string };
      const put = await store(`/fhir/R4/${resourceType}`, id, line);
      const path = `/fhir/R4/${resourceType}/${id ?? created(put)}`;
      const read = await engine.fetch(path, { headers: { accept: 'application/fhir+json' } });
      if (put.ok && content(await read.text()) === content(line, read.url.split('/').at(-1))) equal += 1;
      else differing.push(`${resourceType}/${id} ${put.status}`);
    }
    expect(differing).toEqual(refused);
    expect(equal).toBe(2_457);
  }, 240_000);
});
