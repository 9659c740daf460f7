// A file that is complete or not there at all: written aside, forced to the disk, then renamed.
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';

/** Makes the folder when absent; replaces a file of that name. */
export async function writeWhole(folder: string, name: string, content: Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const aside = join(folder, `.${name}.part`);
  const file = await open(aside, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, join(folder, name));
}
