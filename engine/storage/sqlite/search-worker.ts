// The thread of one reader of the pool: carries out the searches that it is sent, one after the other, on a connection of its own.
import { parentPort, workerData } from 'node:worker_threads';
import { Refusal } from '../../kernel/outcomes.ts';
import { Connection } from './connection.ts';
import { NumberCache, Names } from './names.ts';
import { runSearch, runSystemSearch } from './run-search.ts';
import type { SearchAnswer, SearchError, SearchTask, WorkerStart } from './search-task.ts';
import { TimeIsUp } from './time-limit.ts';

const { file, connection: options, limitMs } = workerData as WorkerStart;
const connection = new Connection(file, options);
const names = new Names(connection, new NumberCache());

parentPort?.on('message', (task: SearchTask) => {
  parentPort?.postMessage(answerOf(task));
});

function answerOf(task: SearchTask): SearchAnswer {
  try {
    const page = connection.within(limitMs, () =>
      'system' in task ? runSystemSearch(names, task.system) : runSearch(names, task.plan),
    );
    return { id: task.id, page };
  } catch (error) {
    return { id: task.id, error: errorOf(error instanceof TimeIsUp ? tooCostly : error) };
  }
}

const tooCostly = new Refusal(
  'too-costly',
  `the search was stopped after ${limitMs / 1_000} s: ask for less, or add a condition that fewer resources match`,
);

function errorOf(error: unknown): SearchError {
  if (error instanceof Refusal) {
    const [expression] = error.outcome.issue[0]?.expression ?? [];
    return { code: error.code, message: error.message, expression };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: undefined, message, expression: undefined };
}
