// The stored ConceptMaps that a search finds, as $translate reads them.
import { parseResource } from '../fhir/exact-json.ts';
import type { FhirResource } from '../fhir/resource.ts';
import { search } from './search.ts';
import { remembered } from './terminology-memory.ts';
import type { Reading } from './work.ts';

/** `query` as after the `?` of a search URL. What it answers must not be changed. */
export const conceptMaps = (reading: Reading, query: string): Promise<readonly FhirResource[]> =>
  remembered(reading, `ConceptMap?${query}`, async () => {
    const { matches } = await search(reading, 'ConceptMap', query);
    const bodies = matches.map(({ body = 'null' }) => body);
    return {
      value: bodies.map(parseResource),
      weight: bodies.reduce((all, body) => all + body.length, 0),
    };
  });
