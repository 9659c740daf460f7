// What a receiver answered, taken in as a message of the channel that its destination names: kept, and as a rule mapped and stored too, in the
// commit that ends the delivery. So it is there once, however often the delivery was tried.
import type { Actor } from '../kernel/actor.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Repository, RepositoryUnit } from '../repository/repository.ts';
import type { Delivery, MessageRecord, MessageWriter, Reason, Settlement } from '../storage/message-store.ts';
import { identify } from './identify.ts';
import { processOrBury } from './pipeline.ts';
import type { SendResult } from './ports.ts';
import type { ProcessingParts } from './stages.ts';

export interface ResponsesOptions extends Omit<ProcessingParts, 'unit' | 'listeners'> {
  readonly repository: Pick<Repository, 'transact'>;
  readonly listeners: () => ProcessingParts['listeners'];
  /** Channels whose messages wait. */
  readonly held: () => readonly string[];
  readonly logger: Logger;
  /** A message may be waiting: the processor's. */
  readonly wake: () => void;
}

export interface ToSettle {
  readonly delivery: Delivery;
  readonly lease: string;
  readonly settlement: Settlement;
}

export interface Responses {
  /**
   * Settles the delivery, and takes its response in on `channel`. What the maps cannot do with it does not touch the delivery: the message
   * waits, or is among the dead. Throws Refusal `conflict` as settling does.
   */
  settle(toSettle: ToSettle, channel: string): Promise<void>;
}

/** Under this key a message is found that answers a delivery. */
export const responseKey = 'answers';
const peerPrefix = 'delivery:';

/** The delivery that a message answers. */
export const answeredBy = ({ peer }: Pick<MessageRecord, 'peer'>): string | undefined =>
  peer.startsWith(peerPrefix) ? peer.slice(peerPrefix.length) : undefined;

/** Only what ended has its last response: that of a try in between is one of several. */
export const isResponse = (result: SendResult, { state }: Settlement): boolean =>
  state !== 'waiting' && result.code !== undefined && (result.response?.bytes.byteLength ?? 0) > 0;

export function createResponses(options: ResponsesOptions): Responses {
  const { repository, logger, wake } = options;
  const transact = (channel: string, work: (unit: RepositoryUnit) => Promise<void>): Promise<void> => {
    const actor: Actor = { kind: 'device', id: channel, scopes: ['system/*.cruds'] };
    return repository.transact(actor, work);
  };
  return {
    settle: async (toSettle, channel) => {
      const { delivery } = toSettle;
      const record = recordOf(toSettle, channel, options);
      if ('code' in record) {
        await transact(channel, ({ messages }) => settleIn(messages, toSettle, record));
        logger.warn({ deliveryId: delivery.id, reason: record.code }, 'a response was not taken in');
        return;
      }
      try {
        await transact(channel, (unit) => takeIn(toSettle, record, unit, options));
      } catch (error) {
        // Its maps failed, or somebody else was writing: kept by itself, it is tried as any message is.
        if (!(error instanceof Refusal)) {
          logger.error({ messageId: record.id }, 'a defect stopped a response', error);
        }
        await transact(channel, ({ messages }) => keepOnly(toSettle, record, messages));
      }
      wake();
    },
  };
}

async function keepOnly(toSettle: ToSettle, record: MessageRecord, messages: MessageWriter): Promise<void> {
  await settleIn(messages, toSettle);
  await messages.keep(record, toSettle.settlement.response?.bytes ?? new Uint8Array());
  await messages.addKeys(record.id, [{ name: responseKey, value: toSettle.delivery.id }]);
}

/** Where others of its channel wait, or the channel is paused, it takes its turn. */
async function takeIn(
  toSettle: ToSettle,
  record: MessageRecord,
  unit: RepositoryUnit,
  options: ResponsesOptions,
): Promise<void> {
  const { channel } = record;
  const waiting = await unit.messages.messages({ channel, state: 'received', limit: 1, offset: 0 });
  await keepOnly(toSettle, record, unit.messages);
  if (record.state !== 'received' || waiting.items.length > 0 || options.held().includes(channel)) return;
  const raw = toSettle.settlement.response?.bytes ?? new Uint8Array();
  await processOrBury({ record, raw }, { ...options, listeners: options.listeners(), unit });
}

const settleIn = (
  messages: MessageWriter,
  { delivery, lease, settlement }: ToSettle,
  reason?: Reason,
): Promise<void> =>
  messages.settle(
    delivery.id,
    lease,
    reason === undefined || settlement.state !== 'done' ? settlement : { ...settlement, reason },
  );

/** Or why it is no message. */
function recordOf(
  { delivery, settlement }: ToSettle,
  channel: string,
  options: ResponsesOptions,
): MessageRecord | Reason {
  const {
    contentType: mediaType = '',
    bytes: raw = new Uint8Array(),
    isCut = false,
  } = settlement.response ?? {};
  if (isCut) return notTaken('it is larger than what is read of an answer');
  try {
    const arrival = { channel, peer: `${peerPrefix}${delivery.id}`, mediaType, raw };
    return identify(arrival, options).record;
  } catch (error) {
    if (error instanceof Refusal) return notTaken('nothing here reads its content type');
    throw error;
  }
}

const notTaken = (why: string): Reason => ({
  code: 'response-not-taken',
  text: `the response was not taken in as a message: ${why}; its beginning is kept with the delivery`,
});
