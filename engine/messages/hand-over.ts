// One try of one delivery: handed to its sender, in the trace of what caused it, with a word in the log about what became of it.
import type { Logger } from '../kernel/logger.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { Tracer } from '../kernel/tracer.ts';
import type { Delivery, Settlement } from '../storage/message-store.ts';
import type { Sender, SendResult } from './ports.ts';
import { retryClassOf } from './retry.ts';

interface HandOverParts {
  readonly logger: Logger;
  readonly tracer?: Tracer | undefined;
}

const prefix = 'send:';

/** Of a destination, as the queue knows it. */
export const queueName = (destination: string): string => `${prefix}${destination}`;

export const destinationOf = (delivery: Delivery): string => delivery.destination.slice(prefix.length);

export const unknownDestination: SendResult = {
  state: 'failed',
  retry: 'permanent',
  reason: {
    code: 'unknown-destination',
    text: 'no destination of this name is set up: add it, then requeue',
  },
};

/** Never rejects. */
export function handOver(
  sender: Sender,
  delivery: Delivery,
  { logger, tracer }: HandOverParts,
): Promise<SendResult> {
  if (tracer === undefined) return sendBy(sender, delivery, undefined, logger);
  const { id, attempts, trace: parent } = delivery;
  const facts = { 'kiungo.delivery': id, 'kiungo.attempts': attempts };
  const start = { kind: 'client', facts, parent } as const;
  return tracer.span(`send ${destinationOf(delivery)}`, start, async (span) => {
    const result = await sendBy(sender, delivery, span.traceparent, logger);
    if (result.code !== undefined) span.note({ 'kiungo.answer': result.code });
    if (result.state === 'failed') span.fail(result.reason.code);
    return result;
  });
}

/** A sender that throws anything but a refusal is defective: nobody knows whether it has sent. */
async function sendBy(
  sender: Sender,
  { id, contentType, payload }: Delivery,
  traceparent: string | undefined,
  logger: Logger,
): Promise<SendResult> {
  const trace = traceparent === undefined ? {} : { traceparent };
  try {
    return await sender.send({ id, contentType, payload, ...trace });
  } catch (error) {
    if (!(error instanceof Refusal)) logger.error({ deliveryId: id }, 'a defect stopped a delivery', error);
    const reason =
      error instanceof Refusal
        ? { code: error.code, text: error.message }
        : { code: 'defect', text: 'the sender failed over this delivery; the log has the cause' };
    return { state: 'failed', retry: retryClassOf(error), reason };
  }
}

export function logSettlement(delivery: Delivery, settlement: Settlement, logger: Logger): void {
  const facts = {
    deliveryId: delivery.id,
    destination: delivery.destination,
    attempts: delivery.attempts,
    state: settlement.state,
    reason: settlement.reason?.code,
  };
  if (settlement.state === 'done' && settlement.reason === undefined) {
    logger.info(facts, 'delivery handed over');
  } else {
    logger.warn(
      facts,
      settlement.state === 'done' ? 'delivery handed over, with an odd answer' : 'delivery failed',
    );
  }
}
