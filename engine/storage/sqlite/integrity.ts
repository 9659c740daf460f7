// Whether a database file is sound: asked after a crash or before a restored copy is trusted.
import { DatabaseSync } from 'node:sqlite';

/** What SQLite finds wrong with the file and its indexes; empty when it is sound. https://sqlite.org/pragma.html#pragma_integrity_check */
export function integrityProblems(file: string): readonly string[] {
  const database = new DatabaseSync(file);
  try {
    const findings = database.prepare('PRAGMA integrity_check').all();
    return findings.map((row) => String(row['integrity_check'])).filter((finding) => finding !== 'ok');
  } finally {
    database.close();
  }
}
