// The current resources of a type, for a look beside an engine that may be running.
import { Connection } from './connection.ts';
import { requireLayout } from './migrations.ts';
import { Names, NumberCache } from './names.ts';

/** In the order of their last change. Throws Refusal `unavailable` when the file's layout is another. */
export function storedBodies(file: string, type: string): readonly string[] {
  const options = { cacheKiB: 4_096, mapBytes: 0, busyTimeoutMs: 5_000, readOnly: true };
  const connection = new Connection(file, options);
  try {
    requireLayout(connection.database);
    const number = new Names(connection, new NumberCache()).find('type', type);
    const sql = 'SELECT body FROM resource WHERE type = ? AND live = 1 ORDER BY updated';
    return connection.rows<{ body: string }>(sql, number).map(({ body }) => body);
  } finally {
    connection.close();
  }
}
