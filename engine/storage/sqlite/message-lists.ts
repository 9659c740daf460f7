// Lists of messages and deliveries as people ask for them: each question reads an index in its order, however many rows there are.
import type {
  DeliveryFilter,
  Listed,
  ListedDelivery,
  MessageFilter,
  MessageRecord,
} from '../message-store.ts';
import { allOf, valued, whereOf } from './asked.ts';
import type { Connection, SqlValue } from './connection.ts';
import { countOf } from './message-census.ts';
import {
  listedDelivery,
  listedOf,
  messageOf,
  type ListedDeliveryRow,
  type MessageRow,
} from './message-rows.ts';
import { choosePlaces, orderOf, type Places } from './message-places.ts';
import { readContinue, walk } from './message-walk.ts';

interface Page {
  readonly limit: number;
  readonly offset: number;
}

/** Where more rows fit, the total says so and is not counted on. */
const countLimit = 10_000;

/**
 * What one index knows is a page of it; what few fit by one index is read and sorted out; anything else is walked through for a limited
 * time, and goes on where it ended.
 */
export async function listMessages(
  connection: Connection,
  filter: MessageFilter,
): Promise<Listed<MessageRecord>> {
  const begun = filter.continue === undefined ? undefined : readContinue(filter.continue);
  const { places, few } = choosePlaces(connection, filter, begun?.order);
  if (few !== undefined) return sortedOut(connection, places, few, filter);
  if (places.others.length === 0 && begun === undefined) return pageOf(connection, places, filter);
  return walk(connection, places, filter, begun);
}

/** Of few places all that fit are found, so that they can be counted. */
function sortedOut(
  connection: Connection,
  { others }: Places,
  few: readonly number[],
  { limit, offset }: Page,
): Listed<MessageRecord> {
  const from = 'json_each(?) AS place CROSS JOIN message ON message.sequence = place.value';
  const fitting = connection.rows<{ place: number }>(
    `SELECT message.sequence AS place FROM ${from} ${whereOf(others)} ORDER BY place.key`,
    JSON.stringify(few),
    ...allOf(others),
  );
  const page = fitting.slice(offset, offset + limit).map(({ place }) => place);
  const rows = connection.rows<MessageRow>(
    `SELECT message.* FROM ${from} ORDER BY place.key`,
    JSON.stringify(page),
  );
  return { total: fitting.length, items: rows.map(messageOf) };
}

function pageOf(connection: Connection, places: Places, filter: MessageFilter): Listed<MessageRecord> {
  const { sql, values } = places.select();
  const rows = connection.rows<MessageRow>(
    `SELECT message.* FROM (${sql} ORDER BY ${orderOf(places)} LIMIT ? OFFSET ?) AS place
      CROSS JOIN message ON message.sequence = place.sequence ORDER BY ${orderOf(places, 'place.')}`,
    ...values,
    filter.limit,
    filter.offset,
  );
  const items = rows.map(messageOf);
  if (places.isCounted) return { total: countOf(connection, 'message', filter.channel, filter.state), items };
  return { ...atLeast(connection, sql, values), items };
}

export function listDeliveries(connection: Connection, filter: DeliveryFilter): Listed<ListedDelivery> {
  const asked = valued([
    { sql: 'destination = ?', value: filter.destination },
    { sql: 'state = ?', value: filter.state },
    { sql: 'cause = ?', value: filter.cause },
  ]);
  const rows = connection.rows<ListedDeliveryRow>(
    `SELECT ${listedDelivery} FROM delivery ${whereOf(asked)} ORDER BY sequence LIMIT ? OFFSET ?`,
    ...allOf(asked),
    filter.limit,
    filter.offset,
  );
  const total =
    filter.cause === undefined
      ? { total: countOf(connection, 'delivery', filter.destination, filter.state) }
      : atLeast(connection, `SELECT 1 FROM delivery ${whereOf(asked)}`, allOf(asked));
  return { ...total, items: rows.map(listedOf) };
}

function atLeast(
  connection: Connection,
  sql: string,
  values: readonly SqlValue[],
): { readonly total: number; readonly isAtLeast?: true } {
  const counting = `SELECT count(*) AS total FROM (${sql} LIMIT ${countLimit + 1})`;
  const total = connection.row<{ total: number }>(counting, ...values)?.total ?? 0;
  return total > countLimit ? { total: countLimit, isAtLeast: true } : { total };
}
