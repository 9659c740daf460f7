// Where the compiled definitions lie: a folder named by the hash of all that they are made from, so that stale ones are never read.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TerminologyDefinitions } from '../../terminology/compile-definitions.ts';
import type { CompiledDefinitions } from './compiled.ts';
import type { ElementData } from './element-facts.ts';

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
  const folders = [here, join(here, '..', 'extraction'), join(here, '..', '..', 'terminology')];
  return [...packages, ...folders.flatMap(sourcesIn)];
}

const sourcesIn = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join(folder, name));

export const searchFile = (folder: string): string => join(folder, 'search.json');
export const elementsFile = (folder: string): string => join(folder, 'elements.json');
export const terminologyFile = (folder: string): string => join(folder, 'terminology.json');

/** The compiled search definitions. Throws when they have not been prepared. */
export const readDefinitions = (): CompiledDefinitions =>
  readPrepared(searchFile(definitionsFolder())) as CompiledDefinitions;

/** What is known of the elements of all types. Throws when it has not been prepared. */
export const readElements = (): ElementData => readPrepared(elementsFile(definitionsFolder())) as ElementData;

/** The code systems and value sets of R4 itself. Throws when they have not been prepared. */
export const readTerminology = (): TerminologyDefinitions =>
  readPrepared(terminologyFile(definitionsFolder())) as TerminologyDefinitions;

function readPrepared(file: string): unknown {
  if (!existsSync(file)) {
    throw new Error('the FHIR definitions are not prepared: run `node scripts/prepare.mjs`');
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}
