// Pages that deletions have left free inside the file, given back to the disk while the engine runs. https://sqlite.org/pragma.html#pragma_incremental_vacuum
import type { Connection } from './connection.ts';

/** At once: some milliseconds, so that an acknowledgement does not wait for it. */
const step = 256;
/** What stays for the rows of the next hours: 4 MB. */
const reserve = 1_000;

/** Inside a transaction. Whether there is more to give back; never in a file that was not made for it. */
export function giveBackPages(connection: Connection): boolean {
  if (pragma(connection, 'auto_vacuum') !== 2) return false;
  const free = pragma(connection, 'freelist_count') - reserve;
  if (free <= 0) return false;
  connection.database.exec(`PRAGMA incremental_vacuum(${Math.min(step, free)})`);
  return free > step;
}

const pragma = (connection: Connection, name: 'auto_vacuum' | 'freelist_count'): number =>
  Object.values(connection.row<Record<string, number>>(`PRAGMA ${name}`) ?? {})[0] ?? 0;
