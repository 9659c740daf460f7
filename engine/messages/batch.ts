// The arrival of several messages as one piece: all of them become durable in one commit, each with a state of its own, and are answered
// together. HL7 2.5.1, 2.10.3.3.
import type { MessageRecord } from '../storage/message-store.ts';
import { tellFates } from './acknowledge.ts';
import { answerQuery } from './answer-query.ts';
import { joinAnswers, splitAnswers } from './answer-bytes.ts';
import { freshRecord } from './fresh-record.ts';
import { identify } from './identify.ts';
import { keepAll, keepOne, wordsOf } from './keep.ts';
import type { Arrival, BatchAnswers, MessageBatch, MessageFormat, Receipt } from './ports.ts';
import type { ArrivalParts, Identified } from './stages.ts';

/** Undefined when the bytes are one message: `pipeline.ts` takes it. */
export async function arriveAsBatch(arrival: Arrival, parts: ArrivalParts): Promise<Receipt | undefined> {
  const format = parts.formats.of(arrival.mediaType);
  const batch = format.openBatch?.(arrival.raw, arrival.isFile);
  if (batch === undefined) return undefined;
  const takesMessages = batch.fault === undefined && batch.messages.length > 0;
  return takesMessages ? arriveOneByOne(arrival, batch, parts) : arriveWhole(arrival, batch, format, parts);
}

async function arriveOneByOne(arrival: Arrival, batch: MessageBatch, parts: ArrivalParts): Promise<Receipt> {
  const batchId = parts.ids.next();
  const identified: Identified[] = [];
  for (const raw of batch.messages) {
    const message = await answerQuery(identify({ ...arrival, raw }, parts), parts);
    identified.push({ ...message, record: { ...message.record, batch: batchId } });
  }
  const kept = await keepAll(identified, parts);
  const answers = kept.map((one) => splitAnswers(one.answers));
  const refused = identified.map(({ envelope }) => envelope.unreadable !== undefined);
  return {
    messageId: kept[0]?.record.id ?? '',
    batchId: kept[0]?.record.batch ?? batchId,
    answers: batchAnswer(arrival, batch, answers, refused, parts),
    answered: (outcome) => kept.forEach(({ record }) => tellFates(record, outcome, parts)),
  };
}

/** What of the answers goes back. */
const chosen: Readonly<Record<BatchAnswers, (isRefused: boolean) => boolean>> = {
  all: () => true,
  refused: (isRefused) => isRefused,
  none: () => false,
};

/** Where only refusals are told, a batch without any says that all were taken. */
function batchAnswer(
  arrival: Arrival,
  batch: MessageBatch,
  answers: readonly (readonly Uint8Array[])[],
  refused: readonly boolean[],
  parts: ArrivalParts,
): readonly Uint8Array[] {
  const { batchAnswers = 'all' } = parts.settingsOf(arrival.channel);
  if (batchAnswers === 'none' || answers.every((given) => given.length === 0)) return [];
  const told = answers.map((given, index) => (chosen[batchAnswers](refused[index] ?? false) ? given : []));
  return [batch.renderAnswer(told, parts.clock.now(), parts.ids.secret(12))];
}

/** A batch that is empty, or is not what was sent: kept as it came, in one piece. */
async function arriveWhole(
  arrival: Arrival,
  batch: MessageBatch,
  format: MessageFormat,
  parts: ArrivalParts,
): Promise<Receipt> {
  const described = wholeRecord(arrival, batch, format, parts);
  const answer = wholeAnswer(described, arrival, batch, format, parts);
  const acknowledgement = answer === undefined ? 'not-owed' : 'pending';
  const record: MessageRecord = { ...described, acknowledgement, answer };
  const kept = await keepOne({ record, raw: arrival.raw, ...whole }, parts);
  parts.logger.info({ messageId: kept.record.id, channel: kept.record.channel }, wordsOf(kept));
  return {
    messageId: kept.record.id,
    answers: splitAnswers(kept.answers),
    answered: (outcome) => tellFates(kept.record, outcome, parts),
  };
}

/** A batch as a piece asks nothing. */
const whole = { isOnce: true, isQuery: false, follow: undefined } as const;

const empty = { code: 'batch-empty', text: 'the batch holds no message' } as const;

function wholeRecord(
  arrival: Arrival,
  batch: MessageBatch,
  format: MessageFormat,
  parts: ArrivalParts,
): MessageRecord {
  return {
    ...freshRecord(arrival.raw, parts),
    channel: arrival.channel,
    peer: arrival.peer,
    controlId: batch.controlId.slice(0, 200),
    messageType: 'batch',
    format: parts.formats.nameOf(format),
    state: batch.fault === undefined ? 'set-aside' : 'dead',
    reason: batch.fault ?? empty,
  };
}

/** Each message that can be recognised is told why none was taken. */
function wholeAnswer(
  { receivedAt }: MessageRecord,
  arrival: Arrival,
  batch: MessageBatch,
  format: MessageFormat,
  parts: ArrivalParts,
): Uint8Array | undefined {
  if (
    batch.isAnswer ||
    arrival.isOneWay === true ||
    parts.settingsOf(arrival.channel).batchAnswers === 'none'
  ) {
    return undefined;
  }
  const refusals = batch.messages.map((raw) => {
    if (format.identify(raw, arrival.charset).isAnswer) return [];
    const refusal = { code: 'AR', reason: batch.fault } as const;
    return [format.renderAcknowledgement(raw, refusal, receivedAt, parts.ids.secret(12))];
  });
  return joinAnswers([batch.renderAnswer(refusals, receivedAt, parts.ids.secret(12))]);
}
