// The thread that writes the log back to the file, on a connection of its own: its reads, writes and fsyncs hold up no one.
// https://sqlite.org/wal.html#avoiding_excessively_large_wal_files
import { parentPort, workerData } from 'node:worker_threads';
import type { CheckpointStart, CheckpointTold } from './checkpoint-task.ts';
import { Connection } from './connection.ts';

const { file, connection: options } = workerData as CheckpointStart;
const connection = new Connection(file, options);

parentPort?.on('message', (order: 'checkpoint' | 'close') => {
  if (order === 'checkpoint') {
    parentPort?.postMessage(checkpointed());
    return;
  }
  connection.close();
  parentPort?.close();
});

function checkpointed(): CheckpointTold {
  try {
    connection.run('PRAGMA wal_checkpoint(PASSIVE)');
    return {};
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
