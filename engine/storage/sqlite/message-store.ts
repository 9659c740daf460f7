// Messages in SQLite: kept, found, changed. Raw bytes lie in a table of their own, so that lists never read them.
import { conflict, notFound } from '../../kernel/outcomes.ts';
import type {
  Census,
  Delivery,
  DeliveryFilter,
  DeliveryState,
  LeaseRequest,
  Listed,
  ListedDelivery,
  MessageChange,
  MessageFilter,
  MessageKey,
  MessageReader,
  MessageRecord,
  MessageState,
  MessageWriter,
  NewDelivery,
  PurgesMessages,
  Reason,
  Settlement,
  Untried,
  Tallies,
} from '../message-store.ts';
import type { Connection } from './connection.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import {
  columnsOfChange,
  columnsOfMessage,
  deliveryOf,
  isLarge,
  messageOf,
  type MessageRow,
  putBeside,
  type WholeDeliveryRow,
  type WholeMessageRow,
  wholeDelivery,
  wholeMessage,
  wholeMessageOf,
} from './message-rows.ts';
import { censusOf, talliesOf } from './message-census.ts';
import { listDeliveries, listMessages } from './message-lists.ts';
import type { MessageWords } from './message-words.ts';
import type { Scope } from './scope.ts';

export class SqliteMessageReader implements MessageReader {
  protected readonly connection: Connection;
  protected readonly scope: Scope;

  constructor(connection: Connection, scope: Scope) {
    this.connection = connection;
    this.scope = scope;
  }

  async message(id: string): Promise<MessageRecord | undefined> {
    this.scope.check();
    const sql = `SELECT ${wholeMessage} FROM message WHERE id = ?`;
    const row = this.connection.row<WholeMessageRow>(sql, id);
    return row && wholeMessageOf(row);
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
    const sql = `SELECT ${wholeMessage} FROM message WHERE control_id = ?1 AND channel = ?2 AND message_type = ?3 AND digest = ?4
      AND (?5 IS NULL OR peer = ?5) ORDER BY sequence LIMIT 1`;
    const { controlId, channel, messageType, digest } = key;
    const values = [controlId, channel, messageType, digest, peer ?? null];
    const row = this.connection.row<WholeMessageRow>(sql, ...values);
    return row && wholeMessageOf(row);
  }

  async mapped(id: string): Promise<Uint8Array | undefined> {
    this.scope.check();
    const sql =
      'SELECT bytes FROM message_mapped WHERE sequence = (SELECT sequence FROM message WHERE id = ?)';
    return this.connection.row<{ bytes: Uint8Array }>(sql, id)?.bytes;
  }

  async unindexed(limit: number, after?: string): Promise<readonly MessageRecord[]> {
    this.scope.check();
    const sql = `SELECT message.* FROM message_unindexed JOIN message USING (sequence)
      WHERE ?1 IS NULL OR sequence < (SELECT sequence FROM message WHERE id = ?1) ORDER BY sequence DESC LIMIT ?2`;
    return this.connection.rows<MessageRow>(sql, after ?? null, limit).map(messageOf);
  }

  async messages(filter: MessageFilter): Promise<Listed<MessageRecord>> {
    this.scope.check();
    return listMessages(this.connection, filter);
  }

  /**
   * Steps from channel to channel in the index of what is received: costs what there are channels, not what waits. The index is named
   * because the planner prefers one in which it would have to read all that waits.
   */
  async dueMessages(
    now: number,
    limit: number,
    except: readonly string[] = [],
  ): Promise<readonly MessageRecord[]> {
    this.scope.check();
    const sql = `WITH RECURSIVE channels (channel) AS (
        SELECT min(channel) FROM message INDEXED BY message_received WHERE state = 'received'
        UNION ALL
        SELECT (SELECT min(channel) FROM message INDEXED BY message_received WHERE state = 'received' AND channel > channels.channel)
          FROM channels WHERE channel IS NOT NULL)
      SELECT message.* FROM channels JOIN message ON message.sequence = (
          SELECT min(sequence) FROM message INDEXED BY message_received WHERE state = 'received' AND channel = channels.channel)
        WHERE due_at <= ? AND message.channel NOT IN (SELECT value FROM json_each(?)) ORDER BY sequence LIMIT ?`;
    return this.connection.rows<MessageRow>(sql, now, JSON.stringify(except), limit).map(messageOf);
  }

  async dueBehind(
    { id, channel }: Pick<MessageRecord, 'id' | 'channel'>,
    now: number,
    limit: number,
  ): Promise<readonly string[]> {
    this.scope.check();
    const sql = `SELECT id, due_at FROM message INDEXED BY message_received
      WHERE state = 'received' AND channel = ? AND sequence > (SELECT sequence FROM message WHERE id = ?)
      ORDER BY sequence LIMIT ?`;
    const rows = this.connection.rows<Pick<MessageRow, 'id' | 'due_at'>>(sql, channel, id, limit);
    const early = rows.findIndex((row) => row.due_at > now);
    return rows.slice(0, early < 0 ? undefined : early).map((row) => row.id);
  }

  async delivery(id: string): Promise<Delivery | undefined> {
    this.scope.check();
    const row = this.connection.row<WholeDeliveryRow>(
      `SELECT ${wholeDelivery} FROM delivery WHERE id = ?`,
      id,
    );
    return row && deliveryOf(row);
  }

  async deliveries(filter: DeliveryFilter): Promise<Listed<ListedDelivery>> {
    this.scope.check();
    return listDeliveries(this.connection, filter);
  }

  async census(): Promise<Census> {
    this.scope.check();
    return censusOf(this.connection);
  }

  async tallies(): Promise<Tallies> {
    this.scope.check();
    return talliesOf(this.connection);
  }
}

export class SqliteMessageWriter extends SqliteMessageReader implements MessageWriter, PurgesMessages {
  readonly #words: MessageWords;
  readonly #queue: DeliveryQueue;

  constructor(connection: Connection, words: MessageWords, scope: Scope) {
    super(connection, scope);
    this.#words = words;
    this.#queue = new DeliveryQueue(connection);
  }

  override async messages(filter: MessageFilter): Promise<Listed<MessageRecord>> {
    if (filter.text !== undefined) this.#words.flush();
    return super.messages(filter);
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
    if (isLarge(message.answer)) {
      putBeside(this.connection, 'message_answer', row.sequence, message.answer);
    }
    if (message.state !== 'received') this.#words.leave(row.sequence);
  }

  async change(id: string, change: MessageChange): Promise<void> {
    this.scope.check();
    const columns = columnsOfChange(change);
    const sets = ['id = id', ...columns.map(([name]) => `${name} = ?`)].join(', ');
    const values = columns.map(([, value]) => value);
    const sql = `UPDATE message SET ${sets} WHERE id = ? RETURNING sequence`;
    const row = this.connection.row<{ sequence: number }>(sql, ...values, id);
    if (row === undefined) throw notFound('message', id);
    if (Object.hasOwn(change, 'answer')) {
      putBeside(this.connection, 'message_answer', row.sequence, change.answer);
    }
    if (change.state !== undefined && change.state !== 'received') this.#words.leave(row.sequence);
  }

  async enqueue(delivery: NewDelivery): Promise<void> {
    this.scope.check();
    this.#queue.enqueue(delivery);
  }

  async lease(request: LeaseRequest): Promise<readonly Delivery[]> {
    this.scope.check();
    return this.#queue.lease(request);
  }

  async settle(id: string, lease: string, result: Settlement | Untried): Promise<void> {
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

  async addKeys(id: string, keys: readonly MessageKey[]): Promise<void> {
    this.scope.check();
    const sql = `INSERT OR IGNORE INTO message_key (name, value, sequence)
      SELECT ?, ?, sequence FROM message WHERE id = ?`;
    for (const { name, value } of keys) this.connection.run(sql, name, value, id);
  }

  async indexText(id: string, text: string): Promise<void> {
    this.scope.check();
    const sql = `SELECT sequence FROM message WHERE id = ?
      AND EXISTS (SELECT 1 FROM message_raw WHERE message_raw.sequence = message.sequence)`;
    const row = this.connection.row<{ sequence: number }>(sql, id);
    if (row !== undefined) this.#words.set(row.sequence, text);
  }

  async keepMapped(id: string, bytes: Uint8Array): Promise<void> {
    this.scope.check();
    const sql =
      'INSERT OR REPLACE INTO message_mapped (sequence, bytes) SELECT sequence, ? FROM message WHERE id = ?';
    this.connection.run(sql, bytes, id);
  }

  async dropBody(id: string): Promise<void> {
    this.scope.check();
    const sequences = this.connection.rows<{ sequence: number }>(
      'SELECT sequence FROM message WHERE id = ?',
      id,
    );
    this.#dropBodies(sequences);
  }

  async parkDelivery(id: string, reason: Reason): Promise<void> {
    this.scope.check();
    this.#queue.park(id, reason);
  }

  async purge(
    before: number,
    states: readonly MessageState[],
    limit: number,
    channel?: string,
  ): Promise<number> {
    this.scope.check();
    const ofChannel = channel === undefined ? '' : 'AND channel = ?';
    const sql = `DELETE FROM message WHERE sequence IN (SELECT sequence FROM message
        WHERE state IN (SELECT value FROM json_each(?)) AND received_at < ? ${ofChannel} LIMIT ?) RETURNING sequence`;
    const values = [JSON.stringify(states), before, ...(channel === undefined ? [] : [channel]), limit];
    const gone = this.connection.rows<{ sequence: number }>(sql, ...values);
    this.#dropBodies(gone);
    this.#dropParts(['message_key'], gone);
    return gone.length;
  }

  async nthNewest(channel: string, state: MessageState, count: number): Promise<number | undefined> {
    this.scope.check();
    const sql = `SELECT received_at AS at FROM message WHERE channel = ? AND state = ?
      ORDER BY received_at DESC LIMIT 1 OFFSET ?`;
    return this.connection.row<{ at: number }>(sql, channel, state, Math.max(0, count - 1))?.at;
  }

  async purgeDeliveries(before: number, states: readonly DeliveryState[], limit: number): Promise<number> {
    this.scope.check();
    const sql = `DELETE FROM delivery WHERE sequence IN (SELECT sequence FROM delivery
        WHERE state IN (SELECT value FROM json_each(?)) AND created_at < ? LIMIT ?)`;
    return this.connection.run(sql, JSON.stringify(states), before, limit);
  }

  #dropBodies(messages: readonly { readonly sequence: number }[]): void {
    this.#dropParts(['message_raw', 'message_mapped'], messages);
    this.#words.forget(messages.map(({ sequence }) => sequence));
  }

  #dropParts(tables: readonly string[], messages: readonly { readonly sequence: number }[]): void {
    const sequences = JSON.stringify(messages.map(({ sequence }) => sequence));
    for (const table of tables) {
      const sql = `DELETE FROM ${table} WHERE sequence IN (SELECT value FROM json_each(?))`;
      this.connection.run(sql, sequences);
    }
  }
}
