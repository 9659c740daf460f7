// Messages in SQLite: kept, found, changed. Raw bytes lie in a table of their own, so that lists never read them.
import { conflict, notFound } from '../../kernel/outcomes.ts';
import type {
  Census,
  Delivery,
  DeliveryFilter,
  LeaseRequest,
  Listed,
  ListedDelivery,
  MessageChange,
  MessageFilter,
  MessageKey,
  MessageReader,
  MessageRecord,
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
import { MessagePurge } from './message-purge.ts';
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

  async arrivedUpTo(): Promise<number> {
    this.scope.check();
    return this.connection.row<{ number: number }>('SELECT number FROM arrival_mark')?.number ?? 0;
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
  readonly #purge: MessagePurge;

  constructor(connection: Connection, words: MessageWords, scope: Scope) {
    super(connection, scope);
    this.#words = words;
    this.#queue = new DeliveryQueue(connection);
    this.#purge = new MessagePurge(connection, words);
  }

  override async messages(filter: MessageFilter): Promise<Listed<MessageRecord>> {
    if (filter.text !== undefined) this.#words.flush();
    return super.messages(filter);
  }

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

  async markArrived(number: number): Promise<void> {
    this.scope.check();
    this.connection.run('INSERT OR REPLACE INTO arrival_mark (only, number) VALUES (1, ?)', number);
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
    this.#purge.bodies(sequences);
  }

  async parkDelivery(id: string, reason: Reason): Promise<void> {
    this.scope.check();
    this.#queue.park(id, reason);
  }

  async purge(...asked: Parameters<PurgesMessages['purge']>): Promise<number> {
    this.scope.check();
    return this.#purge.messages(...asked);
  }

  async nthNewest(...asked: Parameters<PurgesMessages['nthNewest']>): Promise<number | undefined> {
    this.scope.check();
    return this.#purge.nthNewest(...asked);
  }

  async purgeable(...asked: Parameters<PurgesMessages['purgeable']>): Promise<readonly string[]> {
    this.scope.check();
    return this.#purge.messagesToGo(...asked);
  }

  async purgeNamed(ids: readonly string[]): Promise<number> {
    this.scope.check();
    return this.#purge.messagesNamed(ids);
  }

  async purgeDeliveries(...asked: Parameters<PurgesMessages['purgeDeliveries']>): Promise<number> {
    this.scope.check();
    return this.#purge.deliveries(...asked);
  }

  async purgeableDeliveries(
    ...asked: Parameters<PurgesMessages['purgeableDeliveries']>
  ): Promise<readonly string[]> {
    this.scope.check();
    return this.#purge.deliveriesToGo(...asked);
  }

  async purgeDeliveriesNamed(ids: readonly string[]): Promise<number> {
    this.scope.check();
    return this.#purge.deliveriesNamed(ids);
  }
}
