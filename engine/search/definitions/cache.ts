// Where the compiled definitions lie: a folder named by the hash of all that they are made from, so that stale ones are never read.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CompiledDefinitions } from './compiled.ts';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..', '..');

export const cacheRoot = join(root, '.cache');

/** The folder for the definitions as this code compiles them from the installed packages. */
export function definitionsFolder(): string {
  const hash = createHash('sha256');
  for (const file of ingredients()) hash.update(readFileSync(file));
  return join(cacheRoot, `definitions-${hash.digest('hex').slice(0, 16)}`);
}

function ingredients(): readonly string[] {
  const packages = ['core', 'definitions'].map((name) =>
    join(root, 'node_modules', '@medplum', name, 'package.json'),
  );
  return [...packages, ...sourcesIn(here), ...sourcesIn(join(here, '..', 'extraction'))];
}

const sourcesIn = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join(folder, name));

export const searchFile = (folder: string): string => join(folder, 'search.json');

/** The compiled search definitions. Throws when they have not been prepared. */
export function readDefinitions(): CompiledDefinitions {
  const file = searchFile(definitionsFolder());
  if (!existsSync(file)) {
    throw new Error('the FHIR definitions are not prepared: run `node scripts/prepare.mjs`');
  }
  return JSON.parse(readFileSync(file, 'utf8')) as CompiledDefinitions;
}
