// The repository inside one transaction.
import type { Actor } from '../kernel/actor.ts';
import { badRequest } from '../kernel/outcomes.ts';
import type { MessageWriter } from '../storage/message-store.ts';
import type { Transaction } from '../storage/store.ts';
import { conceptMaps } from './concept-maps.ts';
import { create } from './create.ts';
import { remove } from './delete.ts';
import { documentOf } from './document.ts';
import { uncheckedIntegrity, watchIntegrity } from './integrity.ts';
import { everything, everythingPage } from './everything.ts';
import { history } from './history.ts';
import { lastN } from './lastn.ts';
import { prepareTransaction } from './prepare-transaction.ts';
import { read, readMany, readVersion } from './read.ts';
import type { Change, ReadsResources, RepositoryUnit } from './repository.ts';
import { search } from './search.ts';
import { searchTypes } from './search-types.ts';
import { answerTransaction, applyTransaction } from './transaction.ts';
import { update } from './update.ts';
import type { Parts, Reading, Work } from './work.ts';

export type ChangeListener = (change: Change, unit: RepositoryUnit) => Promise<void>;

export interface OpenUnit {
  readonly work: Work;
  readonly unit: RepositoryUnit;
  /** Whether there is something that those who wait for commits want to know of. */
  readonly touched: () => boolean;
}

/** Opens the repository over a transaction of the store; of use as long as that. */
export function openUnit(
  parts: Parts,
  transaction: Transaction,
  actor: Actor,
  listeners: readonly ChangeListener[],
): OpenUnit {
  let touched = false;
  const touch = (): void => void (touched = true);
  const messages = noticing(transaction.messages, touch);
  const announce = async (change: Change): Promise<void> => {
    touch();
    for (const listener of listeners) await listener(change, unit);
  };
  const { resources, contents } = transaction;
  const integrity =
    parts.referentialIntegrity === false ? uncheckedIntegrity : watchIntegrity(resources, parts.base());
  const work: Work = {
    parts,
    resources,
    messages,
    contents,
    actor,
    at: parts.clock.now(),
    integrity,
    announce,
  };
  const unit = unitOf(work);
  return { work, unit, touched: () => touched };
}

function unitOf(work: Work): RepositoryUnit {
  return {
    ...readingOf(work),
    messages: work.messages,
    create: (resource, choice) => create(work, resource, choice),
    update: (resource, choice, content) => update(work, resource, choice, { content }),
    delete: (type, id, choice) => remove(work, type, id, choice),
    apply: async (bundle) => {
      if (bundle.type === 'transaction') {
        return answerTransaction(await applyTransaction(work, await prepareTransaction(work.parts, bundle)));
      }
      throw badRequest('only a transaction can be part of another transaction', 'Bundle.type');
    },
  };
}

export const readingOf = (reading: Reading): ReadsResources => ({
  read: (type, id) => read(reading, type, id),
  readMany: (type, ids) => readMany(reading, type, ids),
  readVersion: (type, id, version) => readVersion(reading, type, id, version),
  history: (asked) => history(reading, asked),
  conceptMaps: (query) => conceptMaps(reading, query),
  search: (type, query, choice) => search(reading, type, query, choice),
  everything: (asked) => everything(reading, asked),
  everythingPage: (asked, count, after) => everythingPage(reading, asked, count, after),
  document: (id, admitType) => documentOf(reading, id, admitType),
  lastN: (query, max) => lastN(reading, query, max),
  searchTypes: (types, query, choice) => searchTypes(reading, types, query, choice),
});

/** The message store as it is, but `notice` is called when deliveries are put in the queue. */
function noticing(messages: MessageWriter, notice: () => void): MessageWriter {
  return {
    message: (id) => messages.message(id),
    raw: (id) => messages.raw(id),
    mapped: (id) => messages.mapped(id),
    duplicateOf: (key, peer) => messages.duplicateOf(key, peer),
    messages: (filter) => messages.messages(filter),
    unindexed: (limit, after) => messages.unindexed(limit, after),
    dueMessages: (now, limit, except) => messages.dueMessages(now, limit, except),
    dueBehind: (record, now, limit) => messages.dueBehind(record, now, limit),
    arrivedUpTo: () => messages.arrivedUpTo(),
    delivery: (id) => messages.delivery(id),
    deliveries: (filter) => messages.deliveries(filter),
    census: () => messages.census(),
    tallies: () => messages.tallies(),
    keep: (message, raw) => messages.keep(message, raw),
    markArrived: (number) => messages.markArrived(number),
    change: (id, change) => messages.change(id, change),
    addKeys: (id, keys) => messages.addKeys(id, keys),
    indexText: (id, text) => messages.indexText(id, text),
    keepMapped: (id, bytes) => messages.keepMapped(id, bytes),
    dropBody: (id) => messages.dropBody(id),
    lease: (request) => messages.lease(request),
    settle: (id, lease, result) => messages.settle(id, lease, result),
    discardDelivery: (id, reason) => messages.discardDelivery(id, reason),
    parkDelivery: (id, reason) => {
      notice();
      return messages.parkDelivery(id, reason);
    },
    enqueue: (delivery) => {
      notice();
      return messages.enqueue(delivery);
    },
    requeue: (id, dueAt) => {
      notice();
      return messages.requeue(id, dueAt);
    },
  };
}
