// Steps of the file's layout that are about messages, channels and deliveries; in their order in migrations.ts.

/** Messages know the batch that they came in. */
export const messagesOfChannels = `
  ALTER TABLE message ADD COLUMN batch TEXT;
  CREATE INDEX message_by_batch ON message (batch, sequence) WHERE batch IS NOT NULL;
`;
