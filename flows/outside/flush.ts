// Makes deployed flows durable. The flows process runs under Node's permission model, which takes fsync from it.
import { open } from 'node:fs/promises';
import { join } from 'node:path';

const deployed = ['flows.json', 'flows_cred.json', '.'];

/** The files that a deployment wrote, and the folder's list of them. Those that are not there are passed over. */
export async function flushDeployment(userDir: string): Promise<void> {
  for (const name of deployed) {
    const file = await open(join(userDir, name), 'r').catch(() => undefined);
    try {
      await file?.sync();
    } finally {
      await file?.close();
    }
  }
}
