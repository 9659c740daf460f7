// Compiles the shapes of R4 once into .cache/shapes-<hash>.json: run by scripts/prepare.mjs before start, test and check.
// Where they are there already it only looks, and ends at once.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cacheRoot, shapesFile } from './cache.ts';

const file = shapesFile();
if (!existsSync(file)) await prepare();

async function prepare(): Promise<void> {
  const { compileShapes } = await import('./compile-shapes.ts');
  const made = join(cacheRoot, `making-shapes-${process.pid}`);
  mkdirSync(cacheRoot, { recursive: true });
  writeFileSync(made, JSON.stringify(compileShapes()));
  renameSync(made, file);
  removeOthers();
}

function removeOthers(): void {
  for (const name of readdirSync(cacheRoot)) {
    if (name.startsWith('shapes-') && name !== basename(file)) rmSync(join(cacheRoot, name), { force: true });
  }
}
