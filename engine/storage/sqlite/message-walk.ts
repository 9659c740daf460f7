// A walk through many messages, newest first, for those that fit what no index knows: in steps that hold nobody up, for a limited time,
// and from where an earlier walk ended.
import type { Listed, MessageFilter, MessageRecord } from '../message-store.ts';
import { allOf, whereOf } from './asked.ts';
import type { Connection } from './connection.ts';
import { noSuchPlace, placesAfter, type Place, type Places } from './message-places.ts';
import { messageOf, type MessageRow } from './message-rows.ts';

/** A step takes a few ms. */
const step = 500;
/** Whichever is reached first ends it. Of the time, others' work between the steps does not count. */
const limits = { ms: 100, looked: 50_000 };

/** `begun`: where an earlier one ended. */
export async function walk(
  connection: Connection,
  places: Places,
  filter: MessageFilter,
  begun: Beginning = { last: undefined, skip: 0 },
): Promise<Listed<MessageRecord>> {
  const offset = begun.skip + filter.offset;
  const wanted = offset + filter.limit;
  const found: MessageRow[] = [];
  let { last } = begun;
  const spent = { ms: 0, looked: 0 };
  let isAtEnd = false;
  while (!isAtEnd && found.length <= wanted && spent.ms < limits.ms && spent.looked < limits.looked) {
    const begin = performance.now();
    const next = placesAfter(connection, places, last, step);
    found.push(...fittingOf(connection, places, next));
    isAtEnd = next.length < step;
    last = next.at(-1) ?? last;
    spent.looked += next.length;
    spent.ms += performance.now() - begin;
    await new Promise((others) => setImmediate(others));
  }
  const items = found.slice(offset, wanted);
  const hasMore = found.length > wanted;
  const counted = { total: Math.min(found.length, wanted + 1), items: items.map(messageOf) };
  if (isAtEnd && !hasMore) return counted;
  const end = hasMore ? items.at(-1) : last;
  const skip = Math.max(offset - found.length, 0);
  return { ...counted, isAtLeast: true, ...(end === undefined ? {} : endOf(connection, places, end, skip)) };
}

function fittingOf(
  connection: Connection,
  { others }: Places,
  places: readonly Place[],
): readonly MessageRow[] {
  const sql = `SELECT message.* FROM json_each(?) AS place CROSS JOIN message ON message.sequence = place.value
    ${whereOf(others)} ORDER BY place.key`;
  const sequences = JSON.stringify(places.map(({ sequence }) => sequence));
  return connection.rows<MessageRow>(sql, sequences, ...allOf(others));
}

function endOf(
  connection: Connection,
  { order }: Places,
  { sequence }: Place,
  skip: number,
): Pick<Listed<MessageRecord>, 'next' | 'searchedUntil'> {
  const sql = 'SELECT received_at, sequence FROM message WHERE sequence = ?';
  const place = connection.row<Place>(sql, sequence);
  if (place === undefined) return {};
  return { next: `${order}-${place.received_at}-${sequence}-${skip}`, searchedUntil: place.received_at };
}

/** `skip`: how many that fit are still to be passed over, where the walk ended before it had come to the offset. */
export interface Beginning {
  readonly last: Place | undefined;
  readonly skip: number;
}

/** What an earlier walk gave as `next`. Throws Refusal `bad-request` where it is nothing of the kind. */
export function readContinue(token: string): Beginning & Pick<Places, 'order'> {
  const [, order, at, sequence, skip] = /^(arrival|time)-(\d{1,15})-(\d{1,15})-(\d{1,9})$/.exec(token) ?? [];
  if (order === undefined) throw noSuchPlace();
  return {
    order: order === 'arrival' ? order : 'time',
    last: { received_at: Number(at), sequence: Number(sequence) },
    skip: Number(skip),
  };
}
