// The queue of deliveries. Each lane has one head, with which what is handed out of the lane begins: the one that is leased, else the oldest
// open one. Heads lie in an index by destination and time, so a lease costs what it hands out, and an end costs the same, whatever waits.
import { conflict, notFound } from '../../kernel/outcomes.ts';
import type { Delivery, LeaseRequest, NewDelivery, Reason, Settlement, Untried } from '../message-store.ts';
import type { Connection } from './connection.ts';
import {
  deliveryOf,
  inRow,
  isLarge,
  listedDelivery,
  putBeside,
  reasonOf,
  wholeDelivery,
  type DeliveryRow,
  type ListedDeliveryRow,
  type WholeDeliveryRow,
} from './message-rows.ts';

type Leasable = Pick<DeliveryRow, 'sequence' | 'id' | 'lease'>;

interface Ready extends Leasable {
  readonly ready_at: number;
}

/** What is handed out together is held in memory together; a head may be larger. */
const longestRunBytes = 1024 * 1024;

export class DeliveryQueue {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  enqueue(delivery: NewDelivery): void {
    const { id, destination, lane, createdAt, contentType, cause, payload, trace = null } = delivery;
    const sql = `INSERT OR IGNORE INTO delivery (id, destination, lane, created_at, content_type, cause, payload, trace, state, head,
        ready_at, attempts, leases, due_at, leased_until)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting',
        NOT EXISTS (SELECT 1 FROM delivery WHERE lane = ? AND state IN ('waiting', 'leased')), ?, 0, 0, ?, 0) RETURNING sequence`;
    const kept = this.#connection.row<{ sequence: number }>(
      sql,
      ...[id, destination, lane, createdAt, contentType, cause, inRow(payload), trace],
      ...[lane, createdAt, createdAt],
    );
    if (kept === undefined) throw conflict(`delivery ${id} is in the queue already`);
    if (isLarge(payload)) putBeside(this.#connection, 'delivery_payload', kept.sequence, payload);
  }

  /** The longest ready first, whatever its destination. */
  lease(request: LeaseRequest): readonly Delivery[] {
    const ready = this.#destinations(request.destinations)
      .flatMap((destination) => this.#ready(destination, request))
      .sort((one, other) => one.ready_at - other.ready_at || one.sequence - other.sequence);
    return ready.slice(0, request.limit).flatMap((row) => this.#leaseRun(row, request));
  }

  settle(id: string, lease: string, result: Settlement | Untried): void {
    const row = this.#row(id);
    if (row.state !== 'leased' || row.lease !== lease) {
      throw conflict(`delivery ${id} is not leased under this lease: somebody else has it, or it has ended`);
    }
    if (result.state === 'untried') {
      this.#connection.run('UPDATE delivery SET attempts = attempts - 1 WHERE sequence = ?', row.sequence);
      this.#put(row, 'waiting', row.due_at, reasonOf(row));
      return;
    }
    this.#connection.run(
      'UPDATE delivery SET settled_at = ?, response = coalesce(?, response), response_type = coalesce(?, response_type) WHERE sequence = ?',
      ...[
        result.at ?? null,
        inRow(result.response?.bytes) ?? null,
        result.response?.contentType ?? null,
        row.sequence,
      ],
    );
    const wasLarge = row.response?.byteLength === 0;
    if (result.response !== undefined && (wasLarge || isLarge(result.response.bytes))) {
      putBeside(this.#connection, 'delivery_response', row.sequence, result.response.bytes);
    }
    this.#put(row, result.state, result.state === 'waiting' ? result.dueAt : row.due_at, result.reason);
  }

  requeue(id: string, dueAt: number): void {
    const row = this.#row(id);
    if (row.state === 'waiting' || row.state === 'leased') {
      throw conflict(`delivery ${id} is in the queue: only a dead, done or discarded one is put back`);
    }
    this.#connection.run('UPDATE delivery SET attempts = 0 WHERE sequence = ?', row.sequence);
    this.#put(row, 'waiting', dueAt, undefined);
  }

  discard(id: string, reason: Reason): void {
    const row = this.#row(id);
    if (row.state === 'leased') {
      throw conflict(`delivery ${id} is being delivered: wait until its lease ends`);
    }
    this.#put(row, 'discarded', row.due_at, reason);
  }

  park(id: string, reason: Reason): void {
    const row = this.#row(id);
    if (row.state !== 'waiting') throw conflict(`delivery ${id} does not wait: only a waiting one is parked`);
    this.#put(row, 'dead', row.due_at, reason);
  }

  #row(id: string): DeliveryRow {
    const row = this.#connection.row<DeliveryRow>('SELECT * FROM delivery WHERE id = ?', id);
    if (row === undefined) throw notFound('delivery', id);
    return row;
  }

  /** Moves a delivery to a state in which nobody holds it, and sees to its lane's head. */
  #put(row: DeliveryRow, state: string, dueAt: number, reason: Reason | undefined): void {
    this.#connection.run(
      `UPDATE delivery SET state = ?, head = 0, due_at = ?, ready_at = ?, leased_until = 0, lease = NULL, reason_code = ?,
        reason_text = ? WHERE sequence = ?`,
      ...[state, dueAt, dueAt, reason?.code ?? null, reason?.text ?? null, row.sequence],
    );
    const wasOpen = row.state === 'waiting' || row.state === 'leased';
    if (row.head === 1) this.#electHead(row.lane);
    else if (!wasOpen && state === 'waiting') this.#comeBack(row);
  }

  /** For a lane that has none. */
  #electHead(lane: string): void {
    this.#connection.run(
      `UPDATE delivery SET head = 1 WHERE sequence =
        (SELECT sequence FROM delivery WHERE lane = ? AND state IN ('waiting', 'leased') ORDER BY sequence LIMIT 1)`,
      lane,
    );
  }

  /** One that had left its lane is its head again where it is the oldest, unless one is leased: that stays head. */
  #comeBack({ lane, sequence }: DeliveryRow): void {
    const oldest = this.#connection.row<Pick<DeliveryRow, 'sequence' | 'head' | 'state'>>(
      `SELECT sequence, head, state FROM delivery WHERE lane = ? AND state IN ('waiting', 'leased') AND sequence <> ?
        ORDER BY sequence LIMIT 1`,
      ...[lane, sequence],
    );
    const isPassed = oldest?.head === 1 && oldest.state === 'waiting' && sequence < oldest.sequence;
    if (isPassed) this.#connection.run('UPDATE delivery SET head = 0 WHERE sequence = ?', oldest.sequence);
    if (isPassed || oldest === undefined) this.#electHead(lane);
  }

  /** Exact names, each with heads or not; a prefix stands for the destinations that have a head. */
  #destinations(patterns: readonly string[]): readonly string[] {
    const names = patterns.flatMap((pattern) =>
      pattern.endsWith('*') ? this.#destinationsWith(pattern.slice(0, -1)) : [pattern],
    );
    return [...new Set(names)];
  }

  /** Steps from destination to destination in the index of heads. */
  #destinationsWith(prefix: string): readonly string[] {
    const next = (comparison: '>' | '>=', from: string): string | undefined => {
      const sql = `SELECT min(destination) AS name FROM delivery WHERE head = 1 AND destination ${comparison} ?`;
      const name = this.#connection.row<{ name: string | null }>(sql, from)?.name;
      return name?.startsWith(prefix) === true ? name : undefined;
    };
    const found: string[] = [];
    for (let name = next('>=', prefix); name !== undefined; name = next('>', name)) found.push(name);
    return found;
  }

  #ready(destination: string, request: LeaseRequest): readonly Ready[] {
    const limits = request.limits ?? {};
    const most = Object.hasOwn(limits, destination) ? limits[destination] : undefined;
    const limit = Math.min(request.limit, most ?? request.limit);
    if (limit <= 0) return [];
    const sql = `SELECT sequence, id, lease, ready_at FROM delivery WHERE head = 1 AND destination = ? AND ready_at <= ?
      ORDER BY ready_at, sequence LIMIT ?`;
    return this.#connection.rows<Ready>(sql, destination, request.now, limit);
  }

  /** A head, and what is behind it as far as its destination takes several together. */
  #leaseRun(first: Leasable, request: LeaseRequest): readonly Delivery[] {
    const head = this.#leaseOne(first, request);
    const { runs = {} } = request;
    const most =
      head !== undefined && Object.hasOwn(runs, head.destination) ? (runs[head.destination] ?? 1) : 1;
    if (head === undefined || most <= 1) return head === undefined ? [] : [head];
    const behind = this.#behind(head.lane, first.sequence, most - 1);
    let bytes = head.payload.byteLength;
    const end = behind.findIndex((row) => {
      bytes += row.size;
      return row.destination !== head.destination || !isFree(row, request.now) || bytes > longestRunBytes;
    });
    const fit = end < 0 ? behind : behind.slice(0, end);
    return [head, ...fit.flatMap((row) => this.#leaseOne(row, request) ?? [])];
  }

  #behind(lane: string, sequence: number, limit: number): readonly Behind[] {
    return this.#connection.rows<Behind>(
      `SELECT ${listedDelivery} FROM delivery
        WHERE lane = ? AND state IN ('waiting', 'leased') AND sequence > ? ORDER BY sequence LIMIT ?`,
      ...[lane, sequence, limit],
    );
  }

  #leaseOne({ sequence, id, lease }: Leasable, request: LeaseRequest): Delivery | undefined {
    const until = request.now + request.leaseMs;
    const isProlonged = lease !== null && request.underWay?.get(id) === lease;
    const sql = `UPDATE delivery SET state = 'leased', attempts = attempts + ?, leases = leases + 1, leased_until = ?,
      ready_at = ?, lease = id || '/' || (leases + 1) WHERE sequence = ? RETURNING ${wholeDelivery}`;
    const row = this.#connection.row<WholeDeliveryRow>(sql, isProlonged ? 0 : 1, until, until, sequence);
    return row && deliveryOf(row);
  }
}

type Behind = Pick<
  ListedDeliveryRow,
  keyof Leasable | 'destination' | 'state' | 'due_at' | 'leased_until' | 'size'
>;

const isFree = ({ state, due_at, leased_until }: Behind, now: number): boolean =>
  (state === 'leased' ? leased_until : due_at) <= now;
