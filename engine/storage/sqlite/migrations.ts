// The layout of the database file, as numbered steps. A step that was released is never changed: add another one.
// What each table is for and what it costs: docs/decisions/0003-index-rows-by-number.md.
import type { DatabaseSync } from 'node:sqlite';
import { unavailable } from '../../kernel/outcomes.ts';
import {
  answersBeside,
  messagesOfBatches,
  messagesOfChannels,
  payloadsBesideDeliveries,
  tracesOfMessages,
  wordsOfMessages,
} from './message-steps.ts';

/** Resources and the index tables under which they are found. */
const resources = `
  -- Types, search parameters, code systems and units, by number.
  CREATE TABLE name (
    kind INTEGER NOT NULL, number INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (kind, number), UNIQUE (kind, text)
  ) STRICT, WITHOUT ROWID;

  -- The current version of each resource. rid = type number * 2^40 + a count, so that a rid tells its type. A resource that
  -- is only referred to has a row of version 0, so that references are numbers and chains never touch text.
  CREATE TABLE resource (
    rid INTEGER PRIMARY KEY, type INTEGER NOT NULL, id TEXT NOT NULL, live INTEGER NOT NULL, version INTEGER NOT NULL,
    updated INTEGER NOT NULL, method TEXT NOT NULL, body TEXT
  ) STRICT;
  CREATE UNIQUE INDEX resource_by_id ON resource (type, id);
  CREATE INDEX resource_by_updated ON resource (type, live, updated);

  -- Versions that were replaced.
  CREATE TABLE history (
    rid INTEGER NOT NULL, version INTEGER NOT NULL, updated INTEGER NOT NULL, method TEXT NOT NULL, body TEXT
  ) STRICT;
  CREATE UNIQUE INDEX history_by_version ON history (rid, version);

  CREATE TABLE token_index (
    parameter INTEGER NOT NULL, code TEXT NOT NULL, rid INTEGER NOT NULL, system INTEGER NOT NULL,
    PRIMARY KEY (parameter, code, rid, system)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE reference_index (
    parameter INTEGER NOT NULL, target INTEGER NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY (parameter, target, rid)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX reference_by_rid ON reference_index (rid, parameter, target);

  CREATE TABLE uri_index (
    parameter INTEGER NOT NULL, value TEXT NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY (parameter, value, rid)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE string_index (
    parameter INTEGER NOT NULL, folded TEXT NOT NULL, rid INTEGER NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (parameter, folded, rid, value)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX string_by_rid ON string_index (rid, parameter, folded);

  -- Dates (ms since 1970), numbers and quantities. Whole numbers are kept short, so these tables are not STRICT.
  CREATE TABLE range_index (
    parameter INTEGER NOT NULL, low NUMERIC NOT NULL, rid INTEGER NOT NULL, high NUMERIC NOT NULL,
    unit INTEGER NOT NULL, system INTEGER NOT NULL,
    PRIMARY KEY (parameter, low, rid, high, unit, system)
  ) WITHOUT ROWID;
  -- How wide the widest range of a parameter is: how far before an asked time a range may begin that reaches beyond it.
  CREATE TABLE range_width (parameter INTEGER PRIMARY KEY, widest NUMERIC NOT NULL);
  CREATE INDEX range_by_rid ON range_index (rid, parameter, low, high, unit, system);
`;

/** Messages and deliveries; counts by state are kept by triggers, so that they are right whatever rolls back. */
const messages = `
  CREATE TABLE message (
    sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, peer TEXT NOT NULL,
    received_at INTEGER NOT NULL, control_id TEXT NOT NULL, message_type TEXT NOT NULL, format TEXT NOT NULL,
    digest TEXT NOT NULL, size INTEGER NOT NULL, state TEXT NOT NULL, reason_code TEXT, reason_text TEXT,
    attempts INTEGER NOT NULL, due_at INTEGER NOT NULL, acknowledgement TEXT NOT NULL, answer BLOB, map TEXT,
    effects TEXT NOT NULL, replay_of TEXT, changed_by TEXT
  ) STRICT;
  CREATE INDEX message_by_control_id ON message (control_id, channel, message_type, digest);
  CREATE INDEX message_by_channel ON message (channel, received_at);
  CREATE INDEX message_by_state ON message (state, received_at);
  CREATE INDEX message_by_time ON message (received_at);
  CREATE INDEX message_received ON message (channel, sequence) WHERE state = 'received';
  CREATE TABLE message_raw (sequence INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;

  -- head = 1: the one delivery of its lane that may be handed out; ready_at: when (its due time, or the end of its lease).
  CREATE TABLE delivery (
    sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, destination TEXT NOT NULL, lane TEXT NOT NULL,
    created_at INTEGER NOT NULL, state TEXT NOT NULL, head INTEGER NOT NULL, ready_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL, leases INTEGER NOT NULL, due_at INTEGER NOT NULL, leased_until INTEGER NOT NULL,
    lease TEXT, reason_code TEXT, reason_text TEXT, content_type TEXT NOT NULL, cause TEXT NOT NULL, payload BLOB NOT NULL
  ) STRICT;
  CREATE INDEX delivery_open ON delivery (lane, sequence) WHERE state IN ('waiting', 'leased');
  CREATE INDEX delivery_ready ON delivery (destination, ready_at) WHERE head = 1;
  CREATE INDEX delivery_by_destination ON delivery (destination, state);
  CREATE INDEX delivery_by_state ON delivery (state, created_at);
  CREATE INDEX delivery_by_cause ON delivery (cause);

  CREATE TABLE census (kind TEXT NOT NULL, state TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (kind, state))
    STRICT, WITHOUT ROWID;
  ${countedTable('message')}
  ${countedTable('delivery')}
`;

function countedTable(table: string): string {
  const add = (row: string, by: number): string => `
      INSERT INTO census VALUES ('${table}', ${row}.state, ${by})
        ON CONFLICT DO UPDATE SET count = count + excluded.count;`;
  return `
  CREATE TRIGGER ${table}_kept AFTER INSERT ON ${table} BEGIN ${add('new', 1)} END;
  CREATE TRIGGER ${table}_left AFTER DELETE ON ${table} BEGIN ${add('old', -1)} END;
  CREATE TRIGGER ${table}_moved AFTER UPDATE OF state ON ${table} WHEN new.state <> old.state
    BEGIN ${add('old', -1)} ${add('new', 1)} END;`;
}

const jobs = `
  CREATE TABLE job (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, priority INTEGER NOT NULL, next_run_at INTEGER,
    locked_at INTEGER, disabled INTEGER NOT NULL, details TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX job_single ON job (name) WHERE type = 'single';
  CREATE INDEX job_by_name ON job (name, next_run_at);
  CREATE TABLE readiness (only INTEGER PRIMARY KEY CHECK (only = 1), checked_at INTEGER NOT NULL) STRICT;
`;

/** The replaced versions of a type, newest first (a rid's high bits are its type); the current ones have resource_by_updated. */
const typeHistory = 'CREATE INDEX history_by_type ON history (rid >> 40, updated, rid, version);';

/** What a search asks beyond single values: values that belong together, and words; and what makes ranges quick to find. */
const widerSearch = `
  -- The unit before the value, so that a quantity's values of one unit lie together. Dates, numbers and positions have unit 0.
  CREATE TABLE range_by_unit (
    parameter INTEGER NOT NULL, unit INTEGER NOT NULL, low NUMERIC NOT NULL, rid INTEGER NOT NULL, high NUMERIC NOT NULL,
    system INTEGER NOT NULL, PRIMARY KEY (parameter, unit, low, rid, high, system)
  ) WITHOUT ROWID;
  INSERT INTO range_by_unit (parameter, unit, low, rid, high, system)
    SELECT parameter, unit, low, rid, high, system FROM range_index ORDER BY parameter, unit, low, rid;
  DROP TABLE range_index;
  ALTER TABLE range_by_unit RENAME TO range_index;
  CREATE INDEX range_by_rid ON range_index (rid, parameter, low, high, unit, system);

  -- Whether a resource may have several ranges (or strings) of a parameter: nobody looked before.
  ALTER TABLE range_width RENAME TO parameter_fact;
  ALTER TABLE parameter_fact ADD COLUMN repeats INTEGER NOT NULL DEFAULT 0;
  UPDATE parameter_fact SET repeats = 1;
  INSERT OR IGNORE INTO parameter_fact (parameter, widest, repeats) SELECT number, 0, 1 FROM name WHERE kind = 2;

  -- Values that belong together (one component's code and value), each as value, high, unit and system: see composite-parts.ts.
  CREATE TABLE composite_index (
    parameter INTEGER NOT NULL, value1 ANY NOT NULL, value2 ANY NOT NULL, rid INTEGER NOT NULL,
    system1 INTEGER NOT NULL, high1 ANY NOT NULL, unit1 INTEGER NOT NULL,
    system2 INTEGER NOT NULL, high2 ANY NOT NULL, unit2 INTEGER NOT NULL,
    value3 ANY NOT NULL, system3 INTEGER NOT NULL, high3 ANY NOT NULL, unit3 INTEGER NOT NULL,
    PRIMARY KEY (
      parameter, value1, value2, rid, system1, high1, unit1, system2, high2, unit2, value3, system3, high3, unit3
    )
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX composite_by_rid ON composite_index (rid, parameter);

  -- Words of human text, by rid: see text-index.ts. Only which resource has which word is kept. All that is not a space is
  -- part of a word, because the words come folded. https://sqlite.org/fts5.html#contentless_delete_tables
  CREATE VIRTUAL TABLE text_index USING fts5(
    words, content = '', contentless_delete = 1, detail = none,
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* P* S* C*'"
  );
`;

/** How far the index of each type has been brought to what the definitions say: `place` counts its rids. */
const reindexing = `
  CREATE TABLE reindex_task (
    type TEXT PRIMARY KEY, place INTEGER NOT NULL, total INTEGER NOT NULL, seen INTEGER NOT NULL, mended INTEGER NOT NULL,
    requested_at INTEGER NOT NULL, finished_at INTEGER
  ) STRICT, WITHOUT ROWID;
`;

/**
 * Large contents, in pieces (a content's number * 2^24 + the place of the piece), and which versions name them. A number is never given again, so
 * that who reads a content that is taken away meets none of another resource.
 */
const largeContents = `
  CREATE TABLE content (number INTEGER PRIMARY KEY AUTOINCREMENT, size INTEGER NOT NULL, digest TEXT NOT NULL) STRICT;
  CREATE TABLE content_piece (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  CREATE TABLE content_use (
    rid INTEGER NOT NULL, version INTEGER NOT NULL, content INTEGER NOT NULL, PRIMARY KEY (rid, version)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX content_use_by_content ON content_use (content);
`;

/** How much of what is in the journal of arrivals is kept here too. */
const arrivals = `
  CREATE TABLE arrival_mark (only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER NOT NULL) STRICT;
`;

const steps: readonly string[] = [
  resources + messages + jobs,
  typeHistory,
  widerSearch,
  messagesOfBatches,
  messagesOfChannels,
  reindexing,
  tracesOfMessages,
  largeContents,
  wordsOfMessages,
  payloadsBesideDeliveries,
  answersBeside,
  arrivals,
];

/**
 * Brings the file to the newest layout, or to an earlier one, each step in one transaction. A file of a newer engine is refused
 * untouched.
 */
export function migrate(database: DatabaseSync, layout = steps.length): void {
  const version = versionOf(database);
  if (version > steps.length) {
    throw unavailable(
      `the data was written by a newer version of the engine (layout ${version}, known here: ${steps.length}); start that version`,
    );
  }
  for (const [index, step] of steps.entries()) {
    if (index >= version && index < layout) {
      database.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${index + 1}; COMMIT`);
    }
  }
}

/** For those that only read: throws Refusal `unavailable` unless the file has the newest layout. */
export function requireLayout(database: DatabaseSync): void {
  const version = versionOf(database);
  if (version !== steps.length) {
    throw unavailable(
      `the data has layout ${version}, known here: ${steps.length}; start the engine of this version once`,
    );
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}
