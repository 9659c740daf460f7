// What a person does with messages and deliveries that wait for one: replay, mend, discard, requeue.
import type { Actor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import { badRequest, conflict, notFound } from '../kernel/outcomes.ts';
import type { Repository } from '../repository/repository.ts';
import type {
  Delivery,
  MessageReader,
  MessageRecord,
  MessageState,
  MessageWriter,
  Reason,
} from '../storage/message-store.ts';
import type { Formats } from './formats.ts';
import { freshRecord } from './fresh-record.ts';
import { usualSettings, type SettingsOf } from './stages.ts';

export interface DeadLettersOptions {
  readonly repository: Pick<Repository, 'transact'>;
  readonly formats: Formats;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Called when a message waits again: the processor's. */
  readonly wake: () => void;
  /** Called when a delivery waits again: the outbox's and the flows'. */
  readonly wakeDeliveries: () => void;
  readonly settingsOf?: SettingsOf;
}

/** Each is one transaction, by a named actor. Refusals: `not-found`; `conflict` where the state does not allow it. */
export interface DeadLetters {
  /**
   * Processed once more, as it is. Maps make the same ids of the same message, so that what is already there gets no new version; flows that
   * listen for the message are told again.
   */
  replay(id: string, actor: Actor): Promise<MessageRecord>;
  /** Processes `raw` in its place; the old one is discarded with the reason `mended-as`. Answers the new message. */
  mend(id: string, raw: Uint8Array, actor: Actor): Promise<MessageRecord>;
  discard(id: string, why: string, actor: Actor): Promise<MessageRecord>;
  requeueDelivery(id: string, actor: Actor): Promise<Delivery>;
  /** Takes a waiting delivery out of its lane, which goes on; requeue puts it back. */
  parkDelivery(id: string, actor: Actor): Promise<Delivery>;
  /** Takes a message that holds up its channel out of the way; replay puts it back. */
  park(id: string, actor: Actor): Promise<MessageRecord>;
  discardDelivery(id: string, why: string, actor: Actor): Promise<Delivery>;
}

/** Which states allow what, and what to say to the others. */
const allowed = {
  replay: {
    states: ['processed', 'set-aside', 'dead', 'discarded'],
    otherwise: 'the message is waiting to be processed already',
  },
  mend: {
    states: ['set-aside', 'dead'],
    otherwise: 'only a message that is dead or set aside can be mended; what a processed one caused stays',
  },
  park: {
    states: ['received'],
    otherwise: 'only a message that waits to be processed can be parked',
  },
  discard: {
    states: ['received', 'set-aside', 'dead'],
    otherwise: 'the message is processed or discarded already',
  },
} as const satisfies Record<string, { states: readonly MessageState[]; otherwise: string }>;

export function createDeadLetters(options: DeadLettersOptions): DeadLetters {
  const { repository, clock, wake, wakeDeliveries } = options;

  const change = async (
    action: keyof typeof allowed,
    id: string,
    actor: Actor,
    work: (message: MessageRecord, messages: MessageWriter) => Promise<string>,
  ): Promise<MessageRecord> => {
    const changed = await repository.transact(actor, async ({ messages }) => {
      const message = await messageIn(messages, id);
      admit(action, message);
      return messageIn(messages, await work(message, messages));
    });
    wake();
    return changed;
  };
  const changeDelivery = async (
    id: string,
    actor: Actor,
    work: (messages: MessageWriter) => Promise<void>,
  ): Promise<Delivery> => {
    const changed = await repository.transact(actor, async ({ messages }) => {
      await work(messages);
      return deliveryIn(messages, id);
    });
    wakeDeliveries();
    return changed;
  };

  return {
    replay: (id, actor) =>
      change('replay', id, actor, async (message, messages) => {
        if ((await messages.raw(message.id)) === undefined) throw conflict(bodyGone);
        const now = clock.now();
        const again = { state: 'received', reason: undefined, attempts: 0, dueAt: now } as const;
        await messages.change(message.id, { ...again, changedBy: actor.id });
        return message.id;
      }),
    mend: (id, raw, actor) =>
      change('mend', id, actor, async (message, messages) => {
        const mended = mendedCopy(message, raw, actor, options);
        const reason = { code: 'mended-as', text: mended.id };
        await messages.keep(mended, raw);
        await messages.change(message.id, { state: 'discarded', reason, changedBy: actor.id });
        return mended.id;
      }),
    discard: (id, why, actor) =>
      change('discard', id, actor, async (message, messages) => {
        const reason = { code: 'discarded-by-person', text: why };
        await messages.change(message.id, { state: 'discarded', reason, changedBy: actor.id });
        return message.id;
      }),
    park: (id, actor) =>
      change('park', id, actor, async (message, messages) => {
        await messages.change(message.id, { state: 'dead', reason: parked(actor), changedBy: actor.id });
        return message.id;
      }),
    parkDelivery: (id, actor) =>
      changeDelivery(id, actor, (messages) => messages.parkDelivery(id, parked(actor))),
    requeueDelivery: (id, actor) =>
      changeDelivery(id, actor, (messages) => messages.requeue(id, clock.now())),
    discardDelivery: (id, why, actor) =>
      changeDelivery(id, actor, (messages) =>
        messages.discardDelivery(id, { code: 'discarded-by-person', text: `${why} (${actor.id})` }),
      ),
  };
}

const bodyGone = "the message's bytes were let go of, as its channel's storage level says";

const parked = ({ id }: Actor): Reason => ({
  code: 'parked-by-person',
  text: `taken out of the way by ${id}; replay or requeue puts it back`,
});

async function messageIn(messages: MessageReader, id: string): Promise<MessageRecord> {
  const message = await messages.message(id);
  if (message === undefined) throw notFound('message', id);
  return message;
}

async function deliveryIn(messages: MessageReader, id: string): Promise<Delivery> {
  const delivery = await messages.delivery(id);
  if (delivery === undefined) throw notFound('delivery', id);
  return delivery;
}

function admit(action: keyof typeof allowed, { state, reason }: MessageRecord): void {
  if (state === 'discarded' && reason?.code === 'mended-as') {
    throw conflict(`the message was mended: see message ${reason.text}`);
  }
  const { states, otherwise } = allowed[action];
  if (!(states as readonly MessageState[]).includes(state)) throw conflict(otherwise);
}

/** The mended bytes must at least show what they are; what the maps say of them is told by their own fate. */
function mendedCopy(
  old: MessageRecord,
  raw: Uint8Array,
  actor: Actor,
  parts: DeadLettersOptions,
): MessageRecord {
  const { formats, settingsOf = usualSettings } = parts;
  const { charset } = settingsOf(old.channel);
  const { unreadable, controlId, messageType } = formats.of(old.format).identify(raw, charset);
  if (unreadable !== undefined) throw badRequest(`the mended message cannot be read: ${unreadable.text}`);
  return {
    ...old,
    ...freshRecord(raw, parts),
    controlId,
    messageType,
    replayOf: old.id,
    changedBy: actor.id,
  };
}
