// Messages in SQLite: kept, found, changed. Raw bytes lie in a table of their own, so that lists never read them.
import { conflict, notFound } from '../../kernel/outcomes.ts';
import type {
  Census,
  Delivery,
  DeliveryFilter,
  DeliveryState,
  LeaseRequest,
  Listed,
  MessageChange,
  MessageFilter,
  MessageReader,
  MessageRecord,
  MessageState,
  MessageWriter,
  NewDelivery,
  PurgesMessages,
  Reason,
  Settlement,
} from '../message-store.ts';
import type { Connection, SqlValue } from './connection.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import {
  columnsOfChange,
  columnsOfMessage,
  deliveryOf,
  messageOf,
  type DeliveryRow,
  type MessageRow,
} from './message-rows.ts';
import type { Scope } from './scope.ts';

interface Criterion {
  readonly sql: string;
  readonly value: SqlValue | undefined;
}

export class SqliteMessageReader implements MessageReader {
  protected readonly connection: Connection;
  protected readonly scope: Scope;

  constructor(connection: Connection, scope: Scope) {
    this.connection = connection;
    this.scope = scope;
  }

  async message(id: string): Promise<MessageRecord | undefined> {
    this.scope.check();
    const row = this.connection.row<MessageRow>('SELECT * FROM message WHERE id = ?', id);
    return row && messageOf(row);
  }

  async raw(id: string): Promise<Uint8Array | undefined> {
    this.scope.check();
    const sql = 'SELECT bytes FROM message_raw WHERE sequence = (SELECT sequence FROM message WHERE id = ?)';
    return this.connection.row<{ bytes: Uint8Array }>(sql, id)?.bytes;
  }

  async duplicateOf(
    key: Pick<MessageRecord, 'channel' | 'messageType' | 'controlId' | 'digest'>,
    peer?: string,
  ): Promise<MessageRecord | undefined> {
    this.scope.check();
    const sql = `SELECT * FROM message WHERE control_id = ?1 AND channel = ?2 AND message_type = ?3 AND digest = ?4
      AND (?5 IS NULL OR peer = ?5) ORDER BY sequence LIMIT 1`;
    const { controlId, channel, messageType, digest } = key;
    const values = [controlId, channel, messageType, digest, peer ?? null];
    const row = this.connection.row<MessageRow>(sql, ...values);
    return row && messageOf(row);
  }

  async messages(filter: MessageFilter): Promise<Listed<MessageRecord>> {
    this.scope.check();
    const criteria = [
      { sql: 'control_id = ?', value: filter.controlId },
      { sql: 'state = ?', value: filter.state },
      { sql: 'channel = ?', value: filter.channel },
      { sql: 'message_type = ?', value: filter.messageType },
      { sql: 'batch = ?', value: filter.batch },
      { sql: 'received_at >= ?', value: filter.from },
      { sql: 'received_at < ?', value: filter.to },
    ];
    return this.#list('message', criteria, 'received_at DESC, sequence DESC', filter, messageOf);
  }

  /** Steps from channel to channel in the index of what is received: costs what there are channels, not what waits. */
  async dueMessages(now: number, limit: number): Promise<readonly MessageRecord[]> {
    this.scope.check();
    const sql = `WITH RECURSIVE channels (channel) AS (
        SELECT min(channel) FROM message WHERE state = 'received'
        UNION ALL
        SELECT (SELECT min(channel) FROM message WHERE state = 'received' AND channel > channels.channel)
          FROM channels WHERE channel IS NOT NULL)
      SELECT message.* FROM channels JOIN message ON message.sequence = (
          SELECT min(sequence) FROM message WHERE state = 'received' AND channel = channels.channel)
        WHERE due_at <= ? ORDER BY sequence LIMIT ?`;
    return this.connection.rows<MessageRow>(sql, now, limit).map(messageOf);
  }

  async delivery(id: string): Promise<Delivery | undefined> {
    this.scope.check();
    const row = this.connection.row<DeliveryRow>('SELECT * FROM delivery WHERE id = ?', id);
    return row && deliveryOf(row);
  }

  async deliveries(filter: DeliveryFilter): Promise<Listed<Delivery>> {
    this.scope.check();
    const criteria = [
      { sql: 'destination = ?', value: filter.destination },
      { sql: 'state = ?', value: filter.state },
      { sql: 'cause = ?', value: filter.cause },
    ];
    return this.#list('delivery', criteria, 'sequence', filter, deliveryOf);
  }

  async census(): Promise<Census> {
    this.scope.check();
    const messages = { received: 0, processed: 0, 'set-aside': 0, dead: 0, discarded: 0 };
    const deliveries = { waiting: 0, leased: 0, done: 0, dead: 0, discarded: 0 };
    return {
      messages: { ...messages, ...this.#counts('message') },
      deliveries: { ...deliveries, ...this.#counts('delivery') },
      oldestReceivedAt: this.#least(
        'SELECT min(received_at) AS least FROM message WHERE state = ?',
        'received',
      ),
      oldestWaitingAt: this.#least(
        'SELECT min(created_at) AS least FROM delivery WHERE state = ?',
        'waiting',
      ),
    };
  }

  #counts(kind: 'message' | 'delivery'): Readonly<Record<string, number>> {
    const rows = this.connection.rows<{ state: string; count: number }>(
      'SELECT state, count FROM census WHERE kind = ?',
      kind,
    );
    return Object.fromEntries(rows.map((row) => [row.state, row.count]));
  }

  #least(sql: string, state: string): number | undefined {
    return this.connection.row<{ least: number | null }>(sql, state)?.least ?? undefined;
  }

  // The row's type follows from the table, and `read` says which one is meant.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  #list<Row, Item>(
    table: 'message' | 'delivery',
    criteria: readonly Criterion[],
    order: string,
    page: { readonly limit: number; readonly offset: number },
    read: (row: Row) => Item,
  ): Listed<Item> {
    const asked = criteria.flatMap(({ sql, value }) => (value === undefined ? [] : [{ sql, value }]));
    const where = asked.length === 0 ? '' : `WHERE ${asked.map(({ sql }) => sql).join(' AND ')}`;
    const values = asked.map(({ value }) => value);
    const sql = `SELECT * FROM ${table} ${where} ORDER BY ${order} LIMIT ? OFFSET ?`;
    const rows = this.connection.rows<Row>(sql, ...values, page.limit, page.offset);
    return { total: this.#total(table, where, values), items: rows.map(read) };
  }

  /** Without criteria the counters know it. */
  #total(table: 'message' | 'delivery', where: string, values: readonly SqlValue[]): number {
    const sql =
      where === ''
        ? `SELECT coalesce(sum(count), 0) AS total FROM census WHERE kind = '${table}'`
        : `SELECT count(*) AS total FROM ${table} ${where}`;
    return this.connection.row<{ total: number }>(sql, ...values)?.total ?? 0;
  }
}

export class SqliteMessageWriter extends SqliteMessageReader implements MessageWriter, PurgesMessages {
  readonly #queue: DeliveryQueue;

  constructor(connection: Connection, scope: Scope) {
    super(connection, scope);
    this.#queue = new DeliveryQueue(connection);
  }

  /** Throws Refusal `conflict` when there is a message with this id. */
  async keep(message: MessageRecord, raw: Uint8Array): Promise<void> {
    this.scope.check();
    const columns = columnsOfMessage(message);
    const names = columns.map(([name]) => name).join(', ');
    const sql = `INSERT OR IGNORE INTO message (${names}) VALUES (${columns.map(() => '?').join(', ')}) RETURNING sequence`;
    const row = this.connection.row<{ sequence: number }>(sql, ...columns.map(([, value]) => value));
    if (row === undefined) throw conflict(`message ${message.id} is kept already`);
    this.connection.run('INSERT INTO message_raw (sequence, bytes) VALUES (?, ?)', row.sequence, raw);
  }

  async change(id: string, change: MessageChange): Promise<void> {
    this.scope.check();
    const columns = columnsOfChange(change);
    const sets = ['id = id', ...columns.map(([name]) => `${name} = ?`)].join(', ');
    const values = columns.map(([, value]) => value);
    if (this.connection.run(`UPDATE message SET ${sets} WHERE id = ?`, ...values, id) === 0) {
      throw notFound('message', id);
    }
  }

  async enqueue(delivery: NewDelivery): Promise<void> {
    this.scope.check();
    this.#queue.enqueue(delivery);
  }

  async lease(request: LeaseRequest): Promise<readonly Delivery[]> {
    this.scope.check();
    return this.#queue.lease(request);
  }

  async settle(id: string, lease: string, result: Settlement): Promise<void> {
    this.scope.check();
    this.#queue.settle(id, lease, result);
  }

  async requeue(id: string, dueAt: number): Promise<void> {
    this.scope.check();
    this.#queue.requeue(id, dueAt);
  }

  async discardDelivery(id: string, reason: Reason): Promise<void> {
    this.scope.check();
    this.#queue.discard(id, reason);
  }

  async purge(before: number, states: readonly MessageState[], limit: number): Promise<number> {
    this.scope.check();
    const sql = `DELETE FROM message WHERE sequence IN (SELECT sequence FROM message
        WHERE state IN (SELECT value FROM json_each(?)) AND received_at < ? LIMIT ?) RETURNING sequence`;
    const gone = this.connection.rows<{ sequence: number }>(sql, JSON.stringify(states), before, limit);
    const sequences = JSON.stringify(gone.map(({ sequence }) => sequence));
    this.connection.run(
      'DELETE FROM message_raw WHERE sequence IN (SELECT value FROM json_each(?))',
      sequences,
    );
    return gone.length;
  }

  async purgeDeliveries(before: number, states: readonly DeliveryState[], limit: number): Promise<number> {
    this.scope.check();
    const sql = `DELETE FROM delivery WHERE sequence IN (SELECT sequence FROM delivery
        WHERE state IN (SELECT value FROM json_each(?)) AND created_at < ? LIMIT ?)`;
    return this.connection.run(sql, JSON.stringify(states), before, limit);
  }
}
