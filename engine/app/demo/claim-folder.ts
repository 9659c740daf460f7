// The demo writes made-up patients: never into a folder where an engine keeps real ones.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from '../../kernel/outcomes.ts';

/** Marks a new folder as the demo's. Throws Refusal `conflict` for a folder with the data of another engine. */
export function claimFolder(folder: string): void {
  const mark = join(folder, 'demo');
  if (existsSync(mark)) return;
  if (existsSync(join(folder, 'store'))) {
    throw new Refusal(
      'conflict',
      `${folder} holds the data of an engine; the demo brings made-up patients: set KIUNGO_DATA to another folder`,
    );
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(mark, 'Made by npm run demo: nothing in this folder is about a real person.\n');
}
