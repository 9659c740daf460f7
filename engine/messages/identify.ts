// Step 1 of arrival: what the outside of a message says, and its fingerprint. Nothing is written yet.
import { hash } from 'node:crypto';
import type { MessageRecord } from '../storage/message-store.ts';
import type { Arrival, Envelope } from './ports.ts';
import type { ArrivalParts, Identified } from './stages.ts';

/** What a sender may make us index: MSH-10 has 199 characters at most in any version. */
const longestName = 200;

export function identify(
  arrival: Arrival,
  parts: Pick<ArrivalParts, 'formats' | 'settingsOf' | 'clock' | 'ids' | 'tracer'>,
): Identified {
  const format = parts.formats.of(arrival.mediaType);
  const charset = arrival.charset ?? parts.settingsOf(arrival.channel).charset;
  const envelope = format.identify(arrival.raw, charset);
  const record = { ...describe(arrival, envelope, parts), format: parts.formats.nameOf(format) };
  return { arrival, format, envelope, record };
}

export const digestOf = (raw: Uint8Array): string => hash('sha256', raw);

/** An unreadable message is kept all the same: a person may still read it. */
function describe(
  arrival: Arrival,
  envelope: Envelope,
  { clock, ids, tracer }: Pick<ArrivalParts, 'clock' | 'ids' | 'tracer'>,
): Omit<MessageRecord, 'format'> {
  const now = clock.now();
  return {
    id: ids.next(),
    channel: arrival.channel,
    peer: arrival.peer,
    receivedAt: now,
    controlId: envelope.controlId.slice(0, longestName),
    messageType: envelope.messageType.slice(0, longestName),
    digest: digestOf(arrival.raw),
    size: arrival.raw.byteLength,
    state: envelope.unreadable === undefined ? 'received' : 'dead',
    reason: envelope.unreadable,
    attempts: 0,
    dueAt: now,
    acknowledgement: 'not-owed',
    answer: undefined,
    map: undefined,
    effects: [],
    replayOf: undefined,
    batch: undefined,
    changedBy: undefined,
    trace: tracer?.current(),
  };
}
