// The secret under which Node-RED encrypts the credentials of nodes: made once, kept in a file that only its owner reads.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ids } from '../../engine/index.ts';

/** Makes the folder and the secret where they are not there yet. */
export function credentialSecretIn(userDir: string, ids: Ids): string {
  mkdirSync(userDir, { recursive: true, mode: 0o700 });
  const file = join(userDir, 'credential-secret');
  try {
    writeFileSync(file, ids.secret(32), { flag: 'wx', mode: 0o600, flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8');
}
