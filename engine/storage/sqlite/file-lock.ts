// Holds a database file for one engine: two engines on one file would both work on the same messages.
import { DatabaseSync } from 'node:sqlite';
import { unavailable } from '../../kernel/outcomes.ts';

export interface FileLock {
  release(): void;
}

/**
 * Takes the lock that lies beside the file as `<file>.lock`. The operating system lets go of it when the process ends, however
 * that comes about. Throws Refusal `unavailable` when another engine holds it.
 */
export function lockFile(file: string): FileLock {
  const database = new DatabaseSync(`${file}.lock`, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw Object.assign(
      unavailable(`${file} is in use by another engine: stop that one first, or give this one its own data`),
      { cause: error },
    );
  }
  return { release: () => database.close() };
}
