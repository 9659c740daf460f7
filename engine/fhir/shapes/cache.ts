// Where the compiled shapes lie: a file named by the hash of all that it is made from, so that a stale one is never read.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shapesOf, type CompiledShapes, type Shapes } from './shape.ts';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..', '..');

export const cacheRoot = join(root, '.cache');

/** The file for the shapes as this code compiles them from the installed package. */
export function shapesFile(): string {
  const hash = createHash('sha256');
  const sources = readdirSync(here).filter((name) => name.endsWith('.ts'));
  const ingredients = [
    join(root, 'node_modules', '@medplum', 'definitions', 'package.json'),
    ...sources.sort().map((name) => join(here, name)),
  ];
  for (const file of ingredients) hash.update(readFileSync(file));
  return join(cacheRoot, `shapes-${hash.digest('hex').slice(0, 16)}.json`);
}

/** The shapes, read once. Throws when they have not been prepared. */
export function loadShapes(): Shapes {
  const file = shapesFile();
  if (!existsSync(file)) {
    throw new Error('the FHIR shapes are not prepared: run `node scripts/prepare.mjs`');
  }
  return shapesOf(JSON.parse(readFileSync(file, 'utf8')) as CompiledShapes);
}

/** The shapes, read when they are first asked for: who speaks whole JSON alone never waits for them. */
export function lazyShapes(): () => Shapes {
  let loaded: Shapes | undefined;
  return () => (loaded ??= loadShapes());
}
