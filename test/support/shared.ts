// Where the samples and data shared between projects lie, when they lie beside this one.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, test } from '@jest/globals';

const shared = resolve(process.env['SHARED_SAMPLES'] ?? '../shared');

export const sharedFolder = (path: string): string => resolve(shared, path);

export const sharedFile = (path: string): Buffer => readFileSync(resolve(shared, path));

/** A describe that runs only where the shared samples are, and says so where they are not. */
export function describeWithSamples(name: string, body: () => void): void {
  if (existsSync(resolve(shared, 'samples'))) {
    describe(name, body);
  } else {
    describe(name, () => test.skip(`no shared samples at ${shared}`, () => undefined));
  }
}
