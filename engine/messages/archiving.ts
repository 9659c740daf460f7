// Retention with an archive: what is to go is read, kept in files, and only then removed; what has changed meanwhile stays for another night.
import { isDeepStrictEqual } from 'node:util';
import type {
  Delivery,
  DeliveryState,
  MessageReader,
  MessageRecord,
  MessageState,
} from '../storage/message-store.ts';
import type { Store, Transaction } from '../storage/store.ts';
import { deliveryLine, messageLine, type ArchivedLine, type ArchiveWriter } from './archive.ts';

/** What of the store is moved. */
export interface Movable<T extends { readonly id: string } = { readonly id: string }> {
  /** Ids of some that are to go. */
  pick(messages: Transaction['messages'], limit: number): Promise<readonly string[]>;
  read(messages: MessageReader, id: string): Promise<T | undefined>;
  lineOf(one: T, messages: MessageReader): Promise<ArchivedLine>;
  remove(messages: Transaction['messages'], ids: readonly string[]): Promise<number>;
}

export const messagesOf = (
  channel: string,
  before: number,
  states: readonly MessageState[],
): Movable<MessageRecord> => ({
  pick: (messages, limit) => messages.purgeable(before, states, limit, channel),
  read: (messages, id) => messages.message(id),
  lineOf: messageLine,
  remove: (messages, ids) => messages.purgeNamed(ids),
});

/** By the names that the queue has. */
export const deliveriesTo = (
  destinations: readonly string[],
  before: number,
  states: readonly DeliveryState[],
): Movable<Delivery> => ({
  pick: (messages, limit) => messages.purgeableDeliveries(before, states, limit, destinations),
  read: (messages, id) => messages.delivery(id),
  lineOf: async (delivery) => deliveryLine(delivery),
  remove: (messages, ids) => messages.purgeDeliveriesNamed(ids),
});

/** At most so many at once, and no further one is read when they have this size: they are in memory together. */
const piece = { rows: 50, characters: 16 * 1024 * 1024 };

/** Moves one piece; how many are gone. Again until that is none. */
export async function move<T extends { readonly id: string }>(
  what: Movable<T>,
  store: Pick<Store, 'transact' | 'messages'>,
  writer: ArchiveWriter,
): Promise<number> {
  const ids = await store.transact(({ messages }) => what.pick(messages, piece.rows));
  const { taken, lines } = await gathered(what, ids, store.messages);
  if (taken.length === 0) return 0;
  await writer.keep(lines);
  return store.transact(async ({ messages }) => {
    const same: string[] = [];
    for (const one of taken) {
      if (isDeepStrictEqual(await what.read(messages, one.id), one)) same.push(one.id);
    }
    return what.remove(messages, same);
  });
}

async function gathered<T extends { readonly id: string }>(
  what: Movable<T>,
  ids: readonly string[],
  messages: MessageReader,
): Promise<{ readonly taken: readonly T[]; readonly lines: readonly ArchivedLine[] }> {
  const taken: T[] = [];
  const lines: ArchivedLine[] = [];
  let characters = 0;
  for (const id of ids) {
    if (characters >= piece.characters) break;
    const one = await what.read(messages, id);
    if (one === undefined) continue;
    const line = await what.lineOf(one, messages);
    taken.push(one);
    lines.push(line);
    characters += sizeOf(line);
  }
  return { taken, lines };
}

const sizeOf = (line: ArchivedLine): number =>
  line.kind === 'message'
    ? (line.raw?.length ?? 0) + (line.mapped?.length ?? 0) + (line.answer?.length ?? 0)
    : line.payload.length + (line.response?.bytes.length ?? 0);
