// What retention removes: messages with what lies beside them, and deliveries; and which these are.
import type { DeliveryState, MessageState } from '../message-store.ts';
import type { Connection } from './connection.ts';
import type { MessageWords } from './message-words.ts';

export class MessagePurge {
  readonly #connection: Connection;
  readonly #words: MessageWords;

  constructor(connection: Connection, words: MessageWords) {
    this.#connection = connection;
    this.#words = words;
  }

  messages(before: number, states: readonly MessageState[], limit: number, channel?: string): number {
    const ofChannel = channel === undefined ? '' : 'AND channel = ?';
    const sql = `DELETE FROM message WHERE sequence IN (SELECT sequence FROM message
        WHERE state IN (SELECT value FROM json_each(?)) AND received_at < ? ${ofChannel} LIMIT ?) RETURNING sequence`;
    const values = [JSON.stringify(states), before, ...(channel === undefined ? [] : [channel]), limit];
    return this.#dropped(this.#connection.rows<{ sequence: number }>(sql, ...values));
  }

  messagesToGo(
    before: number,
    states: readonly MessageState[],
    limit: number,
    channel: string,
  ): readonly string[] {
    const sql = `SELECT id FROM message WHERE state IN (SELECT value FROM json_each(?))
      AND received_at < ? AND channel = ? LIMIT ?`;
    const rows = this.#connection.rows<{ id: string }>(sql, JSON.stringify(states), before, channel, limit);
    return rows.map(({ id }) => id);
  }

  messagesNamed(ids: readonly string[]): number {
    const sql = 'DELETE FROM message WHERE id IN (SELECT value FROM json_each(?)) RETURNING sequence';
    return this.#dropped(this.#connection.rows<{ sequence: number }>(sql, JSON.stringify(ids)));
  }

  nthNewest(channel: string, state: MessageState, count: number): number | undefined {
    const sql = `SELECT received_at AS at FROM message WHERE channel = ? AND state = ?
      ORDER BY received_at DESC LIMIT 1 OFFSET ?`;
    return this.#connection.row<{ at: number }>(sql, channel, state, Math.max(0, count - 1))?.at;
  }

  deliveries(
    before: number,
    states: readonly DeliveryState[],
    limit: number,
    except: readonly string[] = [],
  ): number {
    const sql = `DELETE FROM delivery WHERE sequence IN (SELECT sequence FROM delivery
        WHERE state IN (SELECT value FROM json_each(?)) AND created_at < ?
        AND destination NOT IN (SELECT value FROM json_each(?)) LIMIT ?)`;
    return this.#connection.run(sql, JSON.stringify(states), before, JSON.stringify(except), limit);
  }

  deliveriesToGo(
    before: number,
    states: readonly DeliveryState[],
    limit: number,
    destinations: readonly string[],
  ): readonly string[] {
    const sql = `SELECT id FROM delivery WHERE state IN (SELECT value FROM json_each(?)) AND created_at < ?
      AND destination IN (SELECT value FROM json_each(?)) LIMIT ?`;
    const values = [JSON.stringify(states), before, JSON.stringify(destinations), limit];
    return this.#connection.rows<{ id: string }>(sql, ...values).map(({ id }) => id);
  }

  deliveriesNamed(ids: readonly string[]): number {
    const sql = 'DELETE FROM delivery WHERE id IN (SELECT value FROM json_each(?))';
    return this.#connection.run(sql, JSON.stringify(ids));
  }

  #dropped(messages: readonly { readonly sequence: number }[]): number {
    this.bodies(messages);
    this.#dropParts(['message_key'], messages);
    return messages.length;
  }

  bodies(messages: readonly { readonly sequence: number }[]): void {
    this.#dropParts(['message_raw', 'message_mapped'], messages);
    this.#words.forget(messages.map(({ sequence }) => sequence));
  }

  #dropParts(tables: readonly string[], messages: readonly { readonly sequence: number }[]): void {
    const sequences = JSON.stringify(messages.map(({ sequence }) => sequence));
    for (const table of tables) {
      const sql = `DELETE FROM ${table} WHERE sequence IN (SELECT value FROM json_each(?))`;
      this.#connection.run(sql, sequences);
    }
  }
}
