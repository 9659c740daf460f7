// An inbox that keeps what it is given in memory and answers AA: the port as the listener meets it.
import type { Arrival, Clock, Ids, Inbox, Receipt } from '../../../../engine/index.ts';
import { hl7Format } from '../../../../adapters/hl7/format.ts';

export const fixedClock: Clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5) };

export function countingIds(prefix = 'id'): Ids {
  let count = 0;
  return {
    next: () => `${prefix}-${++count}`,
    secret: (bytes) => 'x'.repeat(bytes),
  };
}

export interface RecordingInbox extends Inbox {
  readonly arrivals: readonly Arrival[];
  /** Control ids whose answers were sent, and those that were not, in order. */
  readonly sent: readonly string[];
  readonly undelivered: readonly string[];
  /** The most that were being kept at the same time. */
  readonly peak: () => number;
}

/** `keeping` runs before a message counts as kept; what it throws is the failure to keep it. */
export function recordingInbox(
  keeping: (controlId: string) => Promise<unknown> = async () => undefined,
): RecordingInbox {
  const arrivals: Arrival[] = [];
  const fates = { sent: [] as string[], undelivered: [] as string[] };
  const ids = countingIds('ack');
  let underWay = 0;
  let peak = 0;
  return {
    arrivals,
    ...fates,
    peak: () => peak,
    receive: async (arrival): Promise<Receipt> => {
      arrivals.push(arrival);
      const { controlId, isAnswer } = hl7Format.identify(arrival.raw, arrival.charset);
      peak = Math.max(peak, ++underWay);
      await keeping(controlId).finally(() => (underWay -= 1));
      const answer = hl7Format.renderAcknowledgement(
        arrival.raw,
        { code: 'AA', reason: undefined },
        fixedClock.now(),
        ids.next(),
      );
      return {
        messageId: controlId,
        answers: isAnswer ? [] : [answer],
        answered: (outcome) => fates[outcome].push(controlId),
      };
    },
  };
}
