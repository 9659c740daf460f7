// A process of its own that indexes a store again, so that a test can end it at any moment. Argument: the database file.
import { silentLogger } from '../../engine/kernel/logger.ts';
import { createReindexing } from '../../engine/repository/reindex.ts';
import { loadSearchIndex } from '../../engine/search/load-index.ts';
import { openSqliteStore } from '../../engine/storage/sqlite/open.ts';

const [file = ''] = process.argv.slice(2);
const clock = { now: () => Date.now() };
const store = await openSqliteStore({ file, clock, logger: silentLogger });
const recipe = { base: '', zoneOffsetMinutes: 0 };
const index = loadSearchIndex(recipe);
const logger = { ...silentLogger, info: () => void process.stdout.write('slice\n') };
const reindexing = createReindexing({ store, index, clock, logger, recipe });
await reindexing.request(undefined);
process.stdout.write('begun\n');
await reindexing.idle();
process.stdout.write('finished\n');
await store.close();
