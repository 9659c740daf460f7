// Step 1 of arrival: what the outside of a message says, and its fingerprint. Nothing is written yet.
import type { MessageRecord } from '../storage/message-store.ts';
import { freshRecord } from './fresh-record.ts';
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

/** An unreadable message is kept all the same: a person may still read it. */
function describe(
  arrival: Arrival,
  envelope: Envelope,
  parts: Pick<ArrivalParts, 'clock' | 'ids' | 'tracer'>,
): Omit<MessageRecord, 'format'> {
  return {
    ...freshRecord(arrival.raw, parts),
    channel: arrival.channel,
    peer: arrival.peer,
    controlId: envelope.controlId.slice(0, longestName),
    messageType: envelope.messageType.slice(0, longestName),
    state: envelope.unreadable === undefined ? 'received' : 'dead',
    reason: envelope.unreadable,
    trace: parts.tracer?.current(),
  };
}
