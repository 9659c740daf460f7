// Step 3 of arrival: the bytes and the answer that they are owed become durable together, once.
import { acknowledgementsOwed, type Verdict } from './acknowledge.ts';
import { joinAnswers } from './answer-bytes.ts';
import type { Envelope } from './ports.ts';
import type { ArrivalParts, Identified, Kept, ToKeep } from './stages.ts';

export async function keep(message: Identified, parts: ArrivalParts): Promise<Kept> {
  const kept = await keepOne(prepared(message, parts), parts);
  const facts = { messageId: kept.record.id, channel: kept.record.channel, size: kept.record.size };
  parts.logger.info(facts, wordsOf(kept));
  return kept;
}

export const wordsOf = ({ duplicate }: Kept): string =>
  duplicate ? 'message was here before: answered again' : 'message kept';

export async function keepOne(message: ToKeep, { arrivals }: ArrivalParts): Promise<Kept> {
  const [kept] = await arrivals.keep([message]);
  if (kept === undefined) throw new Error('a message was kept and nothing is known of it');
  return kept;
}

/** The same for messages that came together: all of them become durable, or none. */
export async function keepAll(
  messages: readonly Identified[],
  parts: ArrivalParts,
): Promise<readonly Kept[]> {
  const kept = await parts.arrivals.keep(messages.map((message) => prepared(message, parts)));
  const news = kept.filter(({ duplicate }) => !duplicate).length;
  const channel = kept[0]?.record.channel;
  parts.logger.info({ channel, messages: kept.length, news }, 'batch of messages kept');
  return kept;
}

function prepared(message: Identified, parts: ArrivalParts): ToKeep {
  const { record, arrival } = message;
  const hasId = record.controlId !== '';
  const isFile = arrival.isFile === true;
  const answer = renderAnswers(message, parts);
  return {
    record: { ...record, acknowledgement: answer === undefined ? 'not-owed' : 'pending', answer },
    raw: arrival.raw,
    isOnce: hasId || isFile,
    isQuery: message.given !== undefined,
    follow: message.given?.follow,
    onlyFrom: isFile && !hasId ? record.peer : undefined,
  };
}

function renderAnswers(message: Identified, parts: ArrivalParts): Uint8Array | undefined {
  const { envelope, format, arrival, record } = message;
  if (arrival.isOneWay === true) return undefined;
  const mode = parts.settingsOf(arrival.channel).acknowledgements;
  const owed = acknowledgementsOwed(envelope, verdictOf(envelope), mode);
  // 16 characters: HL7 2.3.1 gives a control id no more than 20.
  const render = (acknowledgement: (typeof owed)[number]): Uint8Array =>
    format.renderAcknowledgement(arrival.raw, acknowledgement, record.receivedAt, parts.ids.secret(12));
  const { given } = message;
  if (given === undefined) return joinAnswers(owed.map(render));
  const commits = owed.filter(({ code }) => code.startsWith('C'));
  return joinAnswers([...commits.map(render), given.bytes]);
}

/**
 * The application acknowledgement is given once the bytes are durable: what a map cannot do with a well-formed message is
 * for a person here to mend, and a device that is told AE drops the result or stops.
 */
function verdictOf({ unreadable }: Envelope): Verdict {
  return unreadable === undefined ? { kind: 'accepted' } : { kind: 'rejected', reason: unreadable };
}
