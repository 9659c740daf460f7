// The limit that durable creates are measured against: one row and one fsync for each group of 32, no HTTP, no index.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sampleObservation } from '../samples.ts';

/** Rows a second, in commits of `group` rows, with WAL and synchronous=FULL. */
export function bareSqliteRowsPerSecond(group: number, seconds: number, folder = tmpdir()): number {
  const place = mkdtempSync(join(folder, 'kiungo-bare-'));
  const database = new DatabaseSync(join(place, 'bare.sqlite'));
  database.exec(
    'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE r(id TEXT PRIMARY KEY, body TEXT)',
  );
  const insert = database.prepare('INSERT INTO r VALUES (?, ?)');
  const body = JSON.stringify(sampleObservation('limit', 'Patient/limit', 0));
  const begin = performance.now();
  let rows = 0;
  while (performance.now() - begin < seconds * 1000) {
    database.exec('BEGIN');
    for (let row = 0; row < group; row += 1) insert.run(`o${rows++}`, body);
    database.exec('COMMIT');
  }
  const perSecond = rows / ((performance.now() - begin) / 1000);
  database.close();
  rmSync(place, { recursive: true });
  return perSecond;
}
