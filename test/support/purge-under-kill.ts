// A process of its own that archives and purges a store, so that a test can end it at any moment. Arguments: the database file, the
// archive's folder, the time in ms since 1970 that it is taken to be.
import { randomUUID } from 'node:crypto';
import { silentLogger } from '../../engine/kernel/logger.ts';
import { createArchive } from '../../engine/messages/archive.ts';
import { createRetention } from '../../engine/messages/retention.ts';
import { openSqliteStore } from '../../engine/storage/sqlite/open.ts';

const [file = '', folder = '', at = ''] = process.argv.slice(2);
const clock = { now: () => Number(at) };
const store = await openSqliteStore({ file, clock, logger: silentLogger });
const ids = { next: () => randomUUID() };
const retention = createRetention({
  ...{ store, clock, logger: silentLogger, archive: createArchive(folder, ids) },
  settingsOf: () => ({ acknowledgements: 'as-asked', charset: undefined, retention: { archive: 'lab' } }),
});
process.stdout.write('begun\n');
await retention.run();
process.stdout.write('finished\n');
await store.close();
