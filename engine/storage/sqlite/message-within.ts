// Conditions on what is inside of messages: what a text asks for, and what a message caused. The index of words is asked where it knows
// enough; the bytes are asked otherwise.
import type { MessageFilter } from '../message-store.ts';
import { valued, type Asked } from './asked.ts';
import type { Connection } from './connection.ts';
import { countOf } from './message-census.ts';
import { readTerms } from './message-terms.ts';
import { indexQuery } from './message-words.ts';

const rawOf = 'SELECT bytes FROM message_raw WHERE message_raw.sequence = message.sequence';

/** What is looked for inside of messages. */
export interface Within {
  /** Of any message. */
  readonly others: readonly Asked[];
  /** What the index of words finds, with what is not in it; and what has to hold of that then. */
  readonly indexed: { readonly match: string; readonly others: readonly Asked[] } | undefined;
}

/** Where more wait, the messages are walked through from the newest on, whatever the index knows of those that do not wait. */
const mostWaiting = 5_000;

const isIndexed = `(state <> 'received'
  AND NOT EXISTS (SELECT 1 FROM message_unindexed WHERE message_unindexed.sequence = message.sequence))`;
const isMatched =
  'EXISTS (SELECT 1 FROM message_words WHERE message_words MATCH ? AND rowid = message.sequence)';

export function withinOf(connection: Connection, { effect, text = '' }: MessageFilter): Within {
  const caused = valued([
    { sql: 'instr(effects, ?) > 0', value: effect === undefined ? undefined : JSON.stringify(effect) },
  ]);
  const terms = readTerms(text);
  if (terms.length === 0) return { others: caused, indexed: undefined };
  const asked = JSON.stringify(terms);
  const bytes = `has_terms((${rawOf}), ?)`;
  const held: Asked = { sql: `${bytes} IS 1`, values: [asked] };
  const waiting = countOf(connection, 'message', undefined, 'received');
  const query = waiting > mostWaiting ? undefined : indexQuery(connection, terms);
  if (query === undefined) return { others: [...caused, held], indexed: undefined };
  const { match, isExact } = query;
  if (!isExact) return { others: [...caused, held], indexed: { match, others: [...caused, held] } };
  const known: Asked = { sql: `(${isIndexed} OR ${held.sql})`, values: held.values };
  const told: Asked = { sql: `coalesce(${bytes}, ${isMatched})`, values: [asked, match] };
  return { others: [...caused, told], indexed: { match, others: [...caused, known] } };
}
