// Gives space that deleted rows have left inside the file back to the disk. https://sqlite.org/lang_vacuum.html
import { statSync } from 'node:fs';
import { Connection } from './connection.ts';
import { lockFile } from './file-lock.ts';
import { requireLayout } from './migrations.ts';

export interface Compacted {
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/**
 * Needs as much free disk as the file will have, and takes about a minute for each GB. Throws Refusal `unavailable` while an engine
 * holds the file.
 */
export function compactStore(file: string): Compacted {
  const lock = lockFile(file);
  try {
    const bytesBefore = statSync(file).size;
    const connection = new Connection(file, { cacheKiB: 65_536, mapBytes: 0, busyTimeoutMs: 5_000 });
    requireLayout(connection.database);
    // The words' many small segments become one.
    connection.database.exec(`INSERT INTO text_index (text_index) VALUES ('optimize');
      INSERT INTO message_words (message_words) VALUES ('optimize')`);
    // A file of an earlier release gives pages back by itself from then on.
    connection.database.exec('PRAGMA auto_vacuum = INCREMENTAL; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)');
    connection.close();
    return { bytesBefore, bytesAfter: statSync(file).size };
  } finally {
    lock.release();
  }
}
