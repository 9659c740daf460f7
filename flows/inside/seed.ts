// The shipped flows: on the first start they are the flows; at every start they lie in the editor's local library, to be imported.
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Fails when a library file is no list of nodes. Leaves a `flows.json` that is there as it is. */
export async function seedFlows(userDir: string, libraryDir: string): Promise<void> {
  const files = (await readdir(libraryDir)).filter((file) => file.endsWith('.json')).sort();
  await copyLibrary(userDir, libraryDir, files);
  const flows = await Promise.all(
    files.map(
      async (file) => JSON.parse(await readFile(join(libraryDir, file), 'utf8')) as readonly object[],
    ),
  );
  try {
    await writeFile(join(userDir, 'flows.json'), JSON.stringify(flows.flat(), undefined, 4), {
      flag: 'wx',
      mode: 0o600,
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

async function copyLibrary(userDir: string, libraryDir: string, files: readonly string[]): Promise<void> {
  const shelf = join(userDir, 'lib', 'flows', 'Kiungo');
  await mkdir(shelf, { recursive: true, mode: 0o700 });
  for (const file of files) await copyFile(join(libraryDir, file), join(shelf, file));
}
