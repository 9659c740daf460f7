// Lists of messages and deliveries as people ask for them: each question reads an index in its order, however many rows there are.
import type { Delivery, DeliveryFilter, Listed, MessageFilter, MessageRecord } from '../message-store.ts';
import type { Connection, SqlValue } from './connection.ts';
import { countOf } from './message-census.ts';
import { deliveryOf, messageOf, type DeliveryRow, type MessageRow } from './message-rows.ts';

interface Criterion {
  readonly sql: string;
  readonly value: SqlValue | undefined;
}

interface Page {
  readonly limit: number;
  readonly offset: number;
}

/** Where more rows fit, the total says so and is not counted on. */
const countLimit = 10_000;

export function listMessages(connection: Connection, filter: MessageFilter): Listed<MessageRecord> {
  const criteria = [
    { sql: 'control_id = ?', value: filter.controlId },
    { sql: 'state = ?', value: filter.state },
    { sql: 'channel = ?', value: filter.channel },
    { sql: 'message_type = ?', value: filter.messageType },
    { sql: 'batch = ?', value: filter.batch },
    { sql: 'reason_code = ?', value: filter.reason },
    { sql: 'replay_of = ?', value: filter.replayOf },
    { sql: 'received_at >= ?', value: filter.from },
    { sql: 'received_at < ?', value: filter.to },
  ];
  const asked = valued(criteria);
  const [key, ...others] = filter.keys ?? [];
  if (key !== undefined) {
    const more = others.map(({ name, value }) => [
      { sql: 'EXISTS (SELECT 1 FROM message_key WHERE name = ?', value: name },
      { sql: 'value = ? AND sequence = one.sequence)', value },
    ]);
    const all = [
      { sql: 'one.name = ?', value: key.name },
      { sql: 'one.value = ?', value: key.value },
    ];
    const from = 'message_key AS one JOIN message ON message.sequence = one.sequence';
    const rows = page<MessageRow>(
      connection,
      from,
      [...all, ...more.flat(), ...asked],
      'one.sequence DESC',
      filter,
    );
    return { ...rows, items: rows.items.map(messageOf) };
  }
  const within = [
    {
      sql: 'instr(effects, ?) > 0',
      value: filter.effect === undefined ? undefined : JSON.stringify(filter.effect),
    },
    { sql: `instr((${rawOf}), CAST(? AS BLOB)) > 0`, value: filter.text },
  ];
  if (valued(within).length > 0) return lookWithin(connection, asked, valued(within), filter);
  const order = 'received_at DESC, sequence DESC';
  const isChannelAlone = asked.length === 1 && filter.channel !== undefined;
  const items = isChannelAlone
    ? newestOfChannel(connection, filter.channel, filter)
    : connection.rows<MessageRow>(
        `SELECT * FROM message ${whereOf(asked)} ORDER BY ${order} LIMIT ? OFFSET ?`,
        ...asked.map(({ value }) => value),
        filter.limit,
        filter.offset,
      );
  const isCounted = asked.every(({ sql }) => sql === 'state = ?' || sql === 'channel = ?');
  const total = isCounted
    ? { total: countOf(connection, 'message', filter.channel, filter.state) }
    : totalOf(connection, 'message', asked);
  return { ...total, items: items.map(messageOf) };
}

const rawOf = 'SELECT bytes FROM message_raw WHERE message_raw.sequence = one.sequence';
/** So many bodies are read in a fraction of a second. */
const lookLimit = 20_000;

/** What no index knows is looked for in the newest messages that fit otherwise. */
function lookWithin(
  connection: Connection,
  asked: readonly Asked[],
  within: readonly Asked[],
  { limit, offset }: Page,
): Listed<MessageRecord> {
  const newest = `SELECT * FROM message ${whereOf(asked)} ORDER BY received_at DESC, sequence DESC LIMIT ${lookLimit}`;
  const sql = `SELECT * FROM (${newest}) AS one ${whereOf(within)} LIMIT ? OFFSET ?`;
  const values = [...asked, ...within].map(({ value }) => value);
  const rows = connection.rows<MessageRow>(sql, ...values, limit + 1, offset);
  const items = rows.slice(0, limit).map(messageOf);
  const total = offset + rows.length;
  return { total, ...(rows.length > limit ? { isAtLeast: true } : {}), items };
}

/** The index has a channel's messages by state and time: the newest of each state, merged. */
function newestOfChannel(
  connection: Connection,
  channel: string,
  { limit, offset }: Page,
): readonly MessageRow[] {
  const states = ['received', 'processed', 'set-aside', 'dead', 'discarded'];
  const arms = states.map(
    (state) => `SELECT * FROM (SELECT * FROM message WHERE channel = ?1 AND state = '${state}'
      ORDER BY received_at DESC, sequence DESC LIMIT ?2)`,
  );
  const sql = `${arms.join(' UNION ALL ')} ORDER BY received_at DESC, sequence DESC LIMIT ?3 OFFSET ?4`;
  return connection.rows<MessageRow>(sql, channel, limit + offset, limit, offset);
}

export function listDeliveries(connection: Connection, filter: DeliveryFilter): Listed<Delivery> {
  const asked = valued([
    { sql: 'destination = ?', value: filter.destination },
    { sql: 'state = ?', value: filter.state },
    { sql: 'cause = ?', value: filter.cause },
  ]);
  const { items, ...counted } = page<DeliveryRow>(connection, 'delivery', asked, 'sequence', filter);
  const total =
    filter.cause === undefined
      ? { total: countOf(connection, 'delivery', filter.destination, filter.state) }
      : counted;
  return { ...total, items: items.map(deliveryOf) };
}

interface Asked {
  readonly sql: string;
  readonly value: SqlValue;
}

const valued = (criteria: readonly Criterion[]): readonly Asked[] =>
  criteria.flatMap(({ sql, value }) => (value === undefined ? [] : [{ sql, value }]));

const whereOf = (asked: readonly Asked[]): string =>
  asked.length === 0 ? '' : `WHERE ${asked.map(({ sql }) => sql).join(' AND ')}`;

// The caller names the table, so it knows the row.

function page<Row>(
  connection: Connection,
  from: string,
  asked: readonly Asked[],
  order: string,
  { limit, offset }: Page,
): Listed<Row> {
  const values = asked.map(({ value }) => value);
  const columns = from.includes('JOIN') ? 'message.*' : '*';
  const sql = `SELECT ${columns} FROM ${from} ${whereOf(asked)} ORDER BY ${order} LIMIT ? OFFSET ?`;
  const items = connection.rows<Row>(sql, ...values, limit, offset);
  return { ...totalOf(connection, from, asked), items };
}

function totalOf(
  connection: Connection,
  from: string,
  asked: readonly Asked[],
): { readonly total: number; readonly isAtLeast?: true } {
  const sql = `SELECT count(*) AS total FROM (SELECT 1 FROM ${from} ${whereOf(asked)} LIMIT ${countLimit + 1})`;
  const total = connection.row<{ total: number }>(sql, ...asked.map(({ value }) => value))?.total ?? 0;
  return total > countLimit ? { total: countLimit, isAtLeast: true } : { total };
}
