// Counts of messages and deliveries, from the table that triggers keep.
import type {
  Census,
  ChannelTally,
  DeliveryState,
  DestinationTally,
  MessageState,
  Tallies,
} from '../message-store.ts';
import type { Connection } from './connection.ts';

const noMessages: Readonly<Record<MessageState, number>> = {
  received: 0,
  processed: 0,
  'set-aside': 0,
  dead: 0,
  discarded: 0,
};
const noDeliveries: Readonly<Record<DeliveryState, number>> = {
  waiting: 0,
  leased: 0,
  done: 0,
  dead: 0,
  discarded: 0,
};

interface Count {
  readonly kind: string;
  readonly state: string;
  readonly count: number;
}

type Table = 'message' | 'delivery';

/** '0' follows '/' in ASCII: what lies between are the names that begin so. */
const range = (table: Table): readonly [string, string] => [`${table}/`, `${table}0`];

const countsOf = (connection: Connection, table: Table): readonly Count[] =>
  connection.rows<Count>(
    'SELECT kind, state, count FROM census WHERE kind >= ? AND kind < ?',
    ...range(table),
  );

/** How many there are, of one owner (a channel, a destination) and in one state where these are named. */
export function countOf(
  connection: Connection,
  table: Table,
  owner: string | undefined,
  state: string | undefined,
): number {
  const [from, to] = owner === undefined ? range(table) : [`${table}/${owner}`, `${table}/${owner}\0`];
  const sql = `SELECT coalesce(sum(count), 0) AS total FROM census
    WHERE kind >= ?1 AND kind < ?2 AND (?3 IS NULL OR state = ?3)`;
  return connection.row<{ total: number }>(sql, from, to, state ?? null)?.total ?? 0;
}

export function censusOf(connection: Connection): Census {
  return {
    messages: summed(noMessages, countsOf(connection, 'message')),
    deliveries: summed(noDeliveries, countsOf(connection, 'delivery')),
    oldestReceivedAt: least(
      connection,
      'SELECT min(received_at) AS least FROM message WHERE state = ?',
      'received',
    ),
    oldestWaitingAt: least(
      connection,
      'SELECT min(created_at) AS least FROM delivery WHERE state = ?',
      'waiting',
    ),
  };
}

export function talliesOf(connection: Connection): Tallies {
  const channels = byOwner(countsOf(connection, 'message')).map(([name, counts]): [string, ChannelTally] => [
    name,
    {
      messages: summed(noMessages, counts),
      oldestReceivedAt: least(
        connection,
        "SELECT min(received_at) AS least FROM message WHERE state = 'received' AND channel = ?",
        name,
      ),
      newestAt: newest(connection, name),
    },
  ]);
  const destinations = byOwner(countsOf(connection, 'delivery')).map(
    ([name, counts]): [string, DestinationTally] => [
      name,
      {
        deliveries: summed(noDeliveries, counts),
        oldestWaitingAt: least(
          connection,
          "SELECT min(created_at) AS least FROM delivery WHERE state = 'waiting' AND destination = ?",
          name,
        ),
      },
    ],
  );
  return { channels: Object.fromEntries(channels), destinations: Object.fromEntries(destinations) };
}

function summed<State extends string>(
  none: Readonly<Record<State, number>>,
  counts: readonly Count[],
): Readonly<Record<State, number>> {
  const sums: Record<string, number> = { ...none };
  for (const { state, count } of counts) sums[state] = (sums[state] ?? 0) + count;
  return sums as Record<State, number>;
}

function byOwner(counts: readonly Count[]): readonly (readonly [string, readonly Count[]])[] {
  const owners = new Map<string, Count[]>();
  for (const count of counts) {
    const name = count.kind.slice(count.kind.indexOf('/') + 1);
    owners.set(name, [...(owners.get(name) ?? []), count]);
  }
  return [...owners];
}

function least(connection: Connection, sql: string, value: string): number | undefined {
  return connection.row<{ least: number | null }>(sql, value)?.least ?? undefined;
}

/** One look at the end of the index for each state. */
function newest(connection: Connection, channel: string): number | undefined {
  const times = Object.keys(noMessages).map((state) =>
    connection.row<{ at: number | null }>(
      'SELECT max(received_at) AS at FROM message WHERE channel = ? AND state = ?',
      channel,
      state,
    ),
  );
  const known = times.flatMap((row) => row?.at ?? []);
  return known.length === 0 ? undefined : Math.max(...known);
}
