// Compiles the FHIR definitions once into .cache/definitions-<hash>/: run by scripts/prepare.mjs before start, test and check.
// Where they are there already it only looks, and ends at once.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cacheRoot, definitionsFolder, elementsFile, searchFile, terminologyFile } from './cache.ts';

const folder = definitionsFolder();
if (!existsSync(searchFile(folder))) await prepare();

async function prepare(): Promise<void> {
  const started = performance.now();
  const { compileDefinitions } = await import('./compile-definitions.ts');
  const { compileTerminology, systemsOf } = await import('../../terminology/compile-definitions.ts');
  const terminology = compileTerminology();
  const { definitions, elements, summary } = compileDefinitions((valueSet) =>
    systemsOf(terminology, valueSet),
  );
  const made = join(cacheRoot, `making-${process.pid}`);
  mkdirSync(made, { recursive: true });
  writeFileSync(elementsFile(made), JSON.stringify(elements));
  writeFileSync(terminologyFile(made), JSON.stringify(terminology));
  writeFileSync(searchFile(made), JSON.stringify(definitions));
  putInPlace(made);
  removeOthers();
  console.log(
    `Compiled the FHIR definitions: ${summary} (${((performance.now() - started) / 1000).toFixed(1)} s).`,
  );
}

/** Another process may have been faster: its folder has the same content. */
function putInPlace(made: string): void {
  try {
    renameSync(made, folder);
  } catch (error) {
    rmSync(made, { recursive: true });
    if (!existsSync(searchFile(folder))) throw error;
  }
}

function removeOthers(): void {
  for (const name of readdirSync(cacheRoot)) {
    if (name.startsWith('definitions-') && name !== basename(folder)) {
      rmSync(join(cacheRoot, name), { recursive: true, force: true });
    }
  }
}
