// Whether a store agrees with itself: index rows with resources, histories without gaps, counts with what they count, contents with
// what was kept, messages with what they are found by.
import type { FindableOf } from '../findable.ts';
import { messageProblems, messageQuestions } from './check-messages.ts';
import { Connection } from './connection.ts';
import { isSound } from './content-rows.ts';
import { IndexComparison, type EntriesOf, type IndexDifference } from './index-comparison.ts';
import { indexTables } from './index-tables.ts';
import { requireLayout } from './migrations.ts';
import { kinds, NumberCache, Names, ridSpan } from './names.ts';

/** Resources whose rows are compared at a time. */
const slice = 50_000;

/**
 * Every difference as a sentence, without values of resources. Looks at one state of the file, beside an engine that may be running on it.
 * Throws Refusal `unavailable` when the file's layout is another.
 */
export function* checkStore(file: string, entriesOf: EntriesOf, findableOf: FindableOf): Iterable<string> {
  const connection = new Connection(file, {
    cacheKiB: 65_536,
    mapBytes: 0,
    busyTimeoutMs: 5_000,
    readOnly: true,
  });
  try {
    requireLayout(connection.database);
    connection.run('BEGIN');
    yield* unsoundPages(connection);
    for (const { sql, problem } of questions) yield* answers(connection, sql, problem);
    yield* unsoundContents(connection);
    yield* messageProblems(connection, findableOf);
    yield* indexProblems(new Names(connection, new NumberCache()), entriesOf);
    connection.run('COMMIT');
  } finally {
    connection.close();
  }
}

function* unsoundPages(connection: Connection): Iterable<string> {
  for (const { found } of connection.rows<{ found: string }>(
    'SELECT integrity_check AS found FROM pragma_integrity_check',
  )) {
    if (found !== 'ok') yield `the file is damaged: ${found}`;
  }
}

/** Contents that a version names, each read once. What nobody names is on its way in, or out. */
function* unsoundContents(connection: Connection): Iterable<string> {
  const sql = `SELECT content, ${named} FROM content_use JOIN resource USING (rid) GROUP BY content`;
  for (const { content, name } of connection.rows<{ content: number; name: string }>(sql)) {
    if (!isSound(connection, content)) yield `${name} has a content that is not what was kept`;
  }
}

/** `name` is the resource, or what is counted. */
interface Question {
  readonly sql: string;
  readonly problem: string;
}

const named = `(SELECT text FROM name WHERE kind = ${kinds.type} AND number = resource.type) || '/' || resource.id AS name`;

const questions: readonly Question[] = [
  {
    sql: `SELECT ${named} FROM resource WHERE rid >> 40 <> type`,
    problem: 'has a number of another type',
  },
  {
    sql: `SELECT ${named} FROM resource WHERE live <> (body IS NOT NULL) OR (version = 0 AND body IS NOT NULL)`,
    problem: 'is marked as there without a body, or as gone with one',
  },
  {
    sql: `SELECT ${named} FROM resource WHERE live = 1 AND (body ->> 'id' <> id OR body ->> '$.meta.versionId' <> version
      OR body ->> 'resourceType' <> (SELECT text FROM name WHERE kind = ${kinds.type} AND number = resource.type))`,
    problem: 'has another type, id or version in its body',
  },
  {
    sql: `SELECT ${named} FROM resource JOIN (SELECT rid, min(version) AS least, max(version) AS greatest, count(*) AS versions
      FROM history GROUP BY rid) AS replaced USING (rid)
      WHERE greatest <> resource.version - 1 OR versions <> greatest - least + 1`,
    problem: 'has a gap in its history',
  },
  {
    sql: `SELECT 'number ' || rid AS name FROM history WHERE rid NOT IN (SELECT rid FROM resource WHERE version > 0) GROUP BY rid`,
    problem: 'has a history and no current version',
  },
  {
    sql: `SELECT 'number ' || rid AS name FROM content_use WHERE NOT EXISTS (SELECT 1 FROM resource
      WHERE resource.rid = content_use.rid AND resource.version = content_use.version AND body IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM history
      WHERE history.rid = content_use.rid AND history.version = content_use.version AND body IS NOT NULL)`,
    problem: 'has a content for a version that is not there',
  },
  ...indexTables.map(({ name }) => ({
    sql: `SELECT 'number ' || rid AS name FROM ${name} WHERE rid NOT IN (SELECT rid FROM resource WHERE live = 1) GROUP BY rid`,
    problem: `is not there, but in ${name}`,
  })),
  {
    sql: `SELECT 'number ' || id AS name FROM text_index_docsize WHERE id NOT IN (SELECT rid FROM resource WHERE live = 1)`,
    problem: 'is not there, but in text_index',
  },
  ...Object.entries({ message: 'channel', delivery: 'destination' }).map(([table, owner]) => ({
    sql: `SELECT kind || ', ' || state AS name FROM (
        SELECT '${table}/' || ${owner} AS kind, state, count(*) AS counted FROM ${table} GROUP BY 1, 2
        UNION ALL SELECT kind, state, -count FROM census WHERE kind >= '${table}/' AND kind < '${table}0'
      ) GROUP BY kind, state HAVING sum(counted) <> 0`,
    problem: 'is counted wrongly',
  })),
  ...messageQuestions,
];

function* answers(connection: Connection, sql: string, problem: string): Iterable<string> {
  for (const { name } of connection.each<{ name: string }>(sql)) yield `${name} ${problem}`;
}

function* indexProblems(names: Names, entriesOf: EntriesOf): Iterable<string> {
  const comparison = new IndexComparison(names, entriesOf);
  const sql = 'SELECT number FROM name WHERE kind = ?';
  for (const { number } of names.connection.rows<{ number: number }>(sql, kinds.type)) {
    const { low } = ridSpan(number);
    const last = low + names.countedRids(number);
    for (let first = low + 1; first <= last; first += slice) {
      for (const difference of comparison.differences(first, Math.min(last, first + slice - 1))) {
        yield `${nameOf(names, difference.rid)} ${problemOf(names, difference)}`;
      }
    }
  }
}

function problemOf(names: Names, difference: IndexDifference): string {
  switch (difference.kind) {
    case 'missing':
    case 'stale': {
      const { table, values } = difference.row;
      const verb = difference.kind === 'missing' ? 'lacks a row' : 'has a row too many';
      return `${verb} of ${parameterName(names, Number(values[table.columns.indexOf('parameter')]))} in ${table.name}`;
    }
    case 'words':
      return 'has other words in text_index';
    case 'fact':
      return `goes beyond what parameter_fact says of ${difference.parameter}`;
  }
}

function parameterName(names: Names, number: number): string {
  const sql = 'SELECT text FROM name WHERE kind = ? AND number = ?';
  return names.connection.row<{ text: string }>(sql, kinds.parameter, number)?.text ?? 'a new parameter';
}

function nameOf(names: Names, rid: number): string {
  const sql = `SELECT ${named} FROM resource WHERE rid = ?`;
  return names.connection.row<{ name: string }>(sql, rid)?.name ?? `number ${rid}`;
}
