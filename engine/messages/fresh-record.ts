// What every message is when it is kept: these bytes, and nothing has become of them yet.
import { hash } from 'node:crypto';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { MessageRecord } from '../storage/message-store.ts';

type FreshRecord = Omit<MessageRecord, 'channel' | 'peer' | 'controlId' | 'messageType' | 'format' | 'trace'>;

export function freshRecord(
  raw: Uint8Array,
  { clock, ids }: { readonly clock: Clock; readonly ids: Ids },
): FreshRecord {
  const now = clock.now();
  return {
    id: ids.next(),
    receivedAt: now,
    digest: hash('sha256', raw),
    size: raw.byteLength,
    state: 'received',
    reason: undefined,
    attempts: 0,
    dueAt: now,
    acknowledgement: 'not-owed',
    answer: undefined,
    map: undefined,
    effects: [],
    replayOf: undefined,
    batch: undefined,
    changedBy: undefined,
  };
}
