// Steps of the file's layout that are about messages, channels and deliveries; in their order in migrations.ts.

/** Messages know the batch that they came in. */
export const messagesOfBatches = `
  ALTER TABLE message ADD COLUMN batch TEXT;
  CREATE INDEX message_by_batch ON message (batch, sequence) WHERE batch IS NOT NULL;
`;

/** Counts by channel and destination instead of over all: the same cost, and each channel's figures are there. */
const countedByOwner = (table: string, owner: string): string => {
  const add = (row: string, by: number): string => `
      INSERT INTO census VALUES ('${table}/' || ${row}.${owner}, ${row}.state, ${by})
        ON CONFLICT DO UPDATE SET count = count + excluded.count;`;
  return `
  DROP TRIGGER ${table}_kept; DROP TRIGGER ${table}_left; DROP TRIGGER ${table}_moved;
  INSERT INTO census SELECT '${table}/' || ${owner}, state, count(*) FROM ${table} GROUP BY ${owner}, state;
  CREATE TRIGGER ${table}_kept AFTER INSERT ON ${table} BEGIN ${add('new', 1)} END;
  CREATE TRIGGER ${table}_left AFTER DELETE ON ${table} BEGIN ${add('old', -1)} END;
  CREATE TRIGGER ${table}_moved AFTER UPDATE OF state ON ${table} WHEN new.state <> old.state
    BEGIN ${add('old', -1)} ${add('new', 1)} END;`;
};

export const messagesOfChannels = `
  CREATE TABLE configuration (
    kind TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL,
    comment TEXT NOT NULL, body TEXT, PRIMARY KEY (kind, name, version)
  ) STRICT, WITHOUT ROWID;

  DELETE FROM census;
  ${countedByOwner('message', 'channel')}
  ${countedByOwner('delivery', 'destination')}

  DROP INDEX message_by_channel;
  CREATE INDEX message_by_channel ON message (channel, state, received_at);
  DROP INDEX delivery_by_destination;
  CREATE INDEX delivery_by_destination ON delivery (destination, state, created_at);

  -- Under what a message is found besides: patient numbers, barcodes, and the paths that its channel indexes.
  CREATE TABLE message_key (
    name TEXT NOT NULL, value TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (name, value, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX message_key_by_sequence ON message_key (sequence);

  CREATE INDEX message_by_type ON message (message_type, received_at);
  CREATE INDEX message_by_reason ON message (reason_code, received_at) WHERE reason_code IS NOT NULL;
  CREATE INDEX message_by_replay ON message (replay_of) WHERE replay_of IS NOT NULL;

  -- What the maps made of a message, where its channel keeps it.
  CREATE TABLE message_mapped (sequence INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;

  ALTER TABLE delivery ADD COLUMN response BLOB;
  ALTER TABLE delivery ADD COLUMN response_type TEXT;
  ALTER TABLE delivery ADD COLUMN settled_at INTEGER;
`;

/** Of what arrival or processing a message or delivery is the work: the traceparent of W3C. */
export const tracesOfMessages = `
  ALTER TABLE message ADD COLUMN trace TEXT;
  ALTER TABLE delivery ADD COLUMN trace TEXT;
`;

/** The words of messages: see message-words.ts. What is there already is looked through until it has been indexed. */
export const wordsOfMessages = `
  CREATE VIRTUAL TABLE message_words USING fts5(
    words, content = '', contentless_delete = 1, detail = none,
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* P* S* C*'"
  );
  CREATE VIRTUAL TABLE message_word USING fts5vocab(message_words, instance);
  CREATE TABLE message_unindexed (sequence INTEGER PRIMARY KEY) STRICT;
  INSERT INTO message_unindexed SELECT sequence FROM message WHERE state <> 'received';
`;

/** Large payloads lie beside their deliveries, so that what changes a delivery or looks for what is due does not touch them. */
export const payloadsBesideDeliveries = `
  CREATE TABLE delivery_payload (sequence INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  INSERT INTO delivery_payload SELECT sequence, payload FROM delivery WHERE length(payload) > 2000;
  UPDATE delivery SET payload = x'' WHERE length(payload) > 2000;
  CREATE TRIGGER delivery_payload_left AFTER DELETE ON delivery
    BEGIN DELETE FROM delivery_payload WHERE sequence = old.sequence; END;
`;

/** So do large answers: to a batch, to a query, and what receivers say in many words. */
export const answersBeside = `
  CREATE TABLE message_answer (sequence INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  INSERT INTO message_answer SELECT sequence, answer FROM message WHERE length(answer) > 2000;
  UPDATE message SET answer = x'' WHERE length(answer) > 2000;
  CREATE TRIGGER message_answer_left AFTER DELETE ON message
    BEGIN DELETE FROM message_answer WHERE sequence = old.sequence; END;
  CREATE TABLE delivery_response (sequence INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
  INSERT INTO delivery_response SELECT sequence, response FROM delivery WHERE length(response) > 2000;
  UPDATE delivery SET response = x'' WHERE length(response) > 2000;
  CREATE TRIGGER delivery_response_left AFTER DELETE ON delivery
    BEGIN DELETE FROM delivery_response WHERE sequence = old.sequence; END;
`;
