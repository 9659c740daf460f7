// The thread that writes the log back to the file, on a connection of its own: its reads, writes and fsyncs hold up no one.
// https://sqlite.org/wal.html#avoiding_excessively_large_wal_files
// JavaScript, and nothing imported, because a thread that has to strip types holds 25 MB more. Told 'checkpoint' it answers what went
// wrong, or undefined; told 'close' it ends.
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

const database = new DatabaseSync(workerData.file, { timeout: workerData.busyTimeoutMs });
// What it writes back is not read here again.
database.exec('PRAGMA synchronous = FULL; PRAGMA cache_size = -64');
const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');

parentPort.on('message', (order) => {
  if (order === 'checkpoint') {
    parentPort.postMessage(problemOf(() => checkpoint.get()));
    return;
  }
  database.close();
  parentPort.close();
});

function problemOf(work) {
  try {
    work();
    return undefined;
  } catch (error) {
    return String(error);
  }
}
