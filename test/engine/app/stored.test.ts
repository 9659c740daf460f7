// By which base the index is made: references under it are references to what is stored here.
import { expect, test } from '@jest/globals';
import { readConfig } from '../../../engine/app/read-config.ts';
import { publicUrlOf, recipeOf } from '../../../engine/app/stored.ts';

const clock = { now: () => 0 };

test.each([
  ['the public URL', { KIUNGO_PUBLIC_URL: 'https://fhir.example.org' }, 'https://fhir.example.org'],
  ['where it listens, when none is set', {}, 'http://127.0.0.1:8080'],
  [
    'the address and port that are set',
    { KIUNGO_BIND: '10.0.0.5', KIUNGO_HTTP_PORT: '9090' },
    'http://10.0.0.5:9090',
  ],
  ['nothing, when a free port is to be taken', { KIUNGO_HTTP_PORT: '0' }, undefined],
])('%s', (_what, given, url) => {
  const config = readConfig(given, 'none.yaml');
  expect(publicUrlOf(config)).toBe(url);
  expect(recipeOf(config, clock).base).toBe(url === undefined ? '' : `${url}/fhir/R4`);
});
