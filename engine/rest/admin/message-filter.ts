// What messages are searched by: the parameters of the list, and of a replay.
import { badRequest } from '../../kernel/outcomes.ts';
import type { MessageFilter, MessageState } from '../../storage/message-store.ts';
import { readSpan, readState, readText } from './query.ts';

export const messageFilterNames = [
  'controlId',
  'state',
  'channel',
  'type',
  'batch',
  'reason',
  'text',
  'patient',
  'barcode',
  'key',
  'from',
  'to',
] as const;

const states: readonly MessageState[] = ['received', 'processed', 'set-aside', 'dead', 'discarded'];

/** Throws Refusal `bad-request` for a value that is none. */
export function readMessageFilter(query: URLSearchParams): Omit<MessageFilter, 'limit' | 'offset'> {
  return {
    ...readText(query, 'controlId', 'controlId'),
    ...readText(query, 'channel', 'channel'),
    ...readText(query, 'type', 'messageType'),
    ...readText(query, 'batch', 'batch'),
    ...readText(query, 'reason', 'reason'),
    ...readText(query, 'text', 'text'),
    ...readKeys(query),
    ...readState(query, states),
    ...readSpan(query),
  };
}

/** `patient=…`, `barcode=…`, and `key=name:value` for what a channel indexes. */
function readKeys(query: URLSearchParams): Pick<MessageFilter, 'keys'> {
  const [, name, value] = /^([a-z][a-z0-9-]*):(.+)$/s.exec(query.get('key') ?? '') ?? [];
  if (query.has('key') && (name === undefined || value === undefined)) {
    throw badRequest('key is a name, a colon and a value: key=ward:ICU', 'key');
  }
  const keys = [
    { name: 'patient', value: query.get('patient') },
    { name: 'barcode', value: query.get('barcode') },
    { name: name ?? '', value: value ?? null },
  ].flatMap(({ name: one, value: text }) => (text === null ? [] : [{ name: one, value: text }]));
  return keys.length === 0 ? {} : { keys };
}
