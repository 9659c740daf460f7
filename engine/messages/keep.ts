// Step 3 of arrival: the bytes and the answer that they are owed become durable together, once.
import type { MessageRecord, MessageWriter } from '../storage/message-store.ts';
import { acknowledgementsOwed, type Verdict } from './acknowledge.ts';
import { joinAnswers } from './answer-bytes.ts';
import type { Envelope } from './ports.ts';
import type { ArrivalParts, GivenAnswer, Identified, Kept } from './stages.ts';

/**
 * A message with the channel, type, control id and bytes of an earlier one is its retransmission: it is not kept again, and gets the
 * answer that the earlier one got. The same control id over other bytes is another message: device counters start again.
 */
export async function keep(message: Identified, parts: ArrivalParts): Promise<Kept> {
  const toKeep = prepared(message, parts);
  const kept = await parts.fates.writtenAlongWith((messages) => keepOnce(toKeep, messages, parts));
  if (toKeep.follow !== undefined) parts.queries?.sent();
  const facts = { messageId: kept.record.id, channel: kept.record.channel, size: kept.record.size };
  parts.logger.info(facts, wordsOf(kept));
  return kept;
}

export const wordsOf = ({ duplicate }: Kept): string =>
  duplicate ? 'message was here before: answered again' : 'message kept';

/** The same for messages that came together: all of them in one commit, or none. */
export async function keepAll(
  messages: readonly Identified[],
  parts: ArrivalParts,
): Promise<readonly Kept[]> {
  const toKeep = messages.map((message) => prepared(message, parts));
  const kept = await parts.fates.writtenAlongWith(async (writer) => {
    const all: Kept[] = [];
    for (const one of toKeep) all.push(await keepOnce(one, writer, parts));
    return all;
  });
  if (toKeep.some(({ follow }) => follow !== undefined)) parts.queries?.sent();
  const news = kept.filter(({ duplicate }) => !duplicate).length;
  const channel = kept[0]?.record.channel;
  parts.logger.info({ channel, messages: kept.length, news }, 'batch of messages kept');
  return kept;
}

interface ToKeep {
  readonly record: MessageRecord;
  readonly raw: Uint8Array;
  readonly answers: Uint8Array | undefined;
  /** The same bytes are the same message, whenever they come. */
  readonly isOnce: boolean;
  /** A query is asked anew unless its control id says that it is a retransmission. */
  readonly isQuery: boolean;
  readonly follow: GivenAnswer['follow'];
  /** Only what came from here can be the same message: a file without control ids. */
  readonly onlyFrom?: string | undefined;
}

function prepared(message: Identified, parts: ArrivalParts): ToKeep {
  const { record, arrival } = message;
  const hasId = record.controlId !== '';
  const isFile = arrival.isFile === true;
  const onlyFrom = isFile && !hasId ? record.peer : undefined;
  return {
    record,
    raw: arrival.raw,
    answers: renderAnswers(message, parts),
    isOnce: hasId || isFile,
    isQuery: message.given !== undefined,
    follow: message.given?.follow,
    onlyFrom,
  };
}

export async function keepOnce(
  { record, raw, answers, isOnce, isQuery, follow, onlyFrom }: ToKeep,
  messages: MessageWriter,
  parts: ArrivalParts,
): Promise<Kept> {
  const earlier = isOnce || !isQuery ? await messages.duplicateOf(record, onlyFrom) : undefined;
  if (earlier !== undefined && (isOnce || isSoon(record, earlier, parts.anonymousDuplicateMs))) {
    return { record: earlier, duplicate: true, answers: earlier.answer ?? answers };
  }
  const acknowledgement = answers === undefined ? 'not-owed' : 'pending';
  const kept: MessageRecord = { ...record, acknowledgement, answer: answers };
  await messages.keep(kept, raw);
  if (follow !== undefined) await messages.enqueue({ ...follow, cause: kept.id });
  return { record: kept, duplicate: false, answers };
}

/**
 * Without a control id only the bytes tell. A device that missed our answer comes back within minutes; the same bytes much later are
 * asked for by a person (a manual retransmission, a host query repeated), and are taken as new: results that are the same make no new versions.
 */
const isSoon = (record: MessageRecord, earlier: MessageRecord, anonymousMs: number): boolean =>
  record.receivedAt - earlier.receivedAt <= anonymousMs;

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
