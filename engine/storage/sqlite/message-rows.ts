// Messages and deliveries as rows: columns to fields and back.
import type { Delivery, ListedDelivery, MessageChange, MessageRecord, Reason } from '../message-store.ts';
import type { Connection, SqlValue } from './connection.ts';

/** A row is written anew each time that it changes: what is larger lies beside it. Bytes. */
const mostInRow = 2_000;
const nothing = new Uint8Array();

export const isLarge = (bytes: Uint8Array | undefined): bytes is Uint8Array =>
  bytes !== undefined && bytes.byteLength > mostInRow;

/** What stands in the row: empty where it lies beside. */
export const inRow = <Bytes extends Uint8Array | undefined>(bytes: Bytes): Bytes | Uint8Array =>
  isLarge(bytes) ? nothing : bytes;

type Beside = 'message_answer' | 'delivery_payload' | 'delivery_response';

/** Puts what is large beside its row, in place of what lay there. */
export function putBeside(
  connection: Connection,
  table: Beside,
  sequence: number,
  bytes: Uint8Array | undefined,
): void {
  if (!isLarge(bytes)) connection.run(`DELETE FROM ${table} WHERE sequence = ?`, sequence);
  else connection.run(`INSERT OR REPLACE INTO ${table} (sequence, bytes) VALUES (?, ?)`, sequence, bytes);
}

export interface MessageRow {
  readonly sequence: number;
  readonly id: string;
  readonly channel: string;
  readonly peer: string;
  readonly received_at: number;
  readonly control_id: string;
  readonly message_type: string;
  readonly format: string;
  readonly digest: string;
  readonly size: number;
  readonly state: MessageRecord['state'];
  readonly reason_code: string | null;
  readonly reason_text: string | null;
  readonly attempts: number;
  readonly due_at: number;
  readonly acknowledgement: MessageRecord['acknowledgement'];
  /** Empty where it is large: then it lies beside. */
  readonly answer: Uint8Array | null;
  readonly map: string | null;
  readonly effects: string;
  readonly replay_of: string | null;
  readonly batch: string | null;
  readonly changed_by: string | null;
  readonly trace: string | null;
}

/** A message with what lies beside it. */
export const wholeMessage = `message.*,
  (SELECT bytes FROM message_answer WHERE message_answer.sequence = message.sequence) AS large_answer`;

export interface WholeMessageRow extends MessageRow {
  readonly large_answer: Uint8Array | null;
}

export const wholeMessageOf = (row: WholeMessageRow): MessageRecord =>
  messageOf({ ...row, answer: row.large_answer ?? row.answer });

interface ReasonColumns {
  readonly reason_code: string | null;
  readonly reason_text: string | null;
}

export function reasonOf(row: ReasonColumns): Reason | undefined {
  return row.reason_code === null ? undefined : { code: row.reason_code, text: row.reason_text ?? '' };
}

export function messageOf(row: MessageRow): MessageRecord {
  return {
    id: row.id,
    channel: row.channel,
    peer: row.peer,
    receivedAt: row.received_at,
    controlId: row.control_id,
    messageType: row.message_type,
    format: row.format,
    digest: row.digest,
    size: row.size,
    state: row.state,
    reason: reasonOf(row),
    attempts: row.attempts,
    dueAt: row.due_at,
    acknowledgement: row.acknowledgement,
    answer: row.answer ?? undefined,
    map: row.map ?? undefined,
    effects: JSON.parse(row.effects) as readonly string[],
    replayOf: row.replay_of ?? undefined,
    batch: row.batch ?? undefined,
    changedBy: row.changed_by ?? undefined,
    ...(row.trace === null ? {} : { trace: row.trace }),
  };
}

type Columns = readonly (readonly [column: string, value: SqlValue])[];

/** Columns of each field that may change after a message was kept. */
const changedColumns: Readonly<Record<keyof MessageChange, (change: MessageChange) => Columns>> = {
  state: ({ state }) => [['state', state ?? null]],
  reason: ({ reason }) => [
    ['reason_code', reason?.code ?? null],
    ['reason_text', reason?.text ?? null],
  ],
  attempts: ({ attempts }) => [['attempts', attempts ?? null]],
  dueAt: ({ dueAt }) => [['due_at', dueAt ?? null]],
  acknowledgement: ({ acknowledgement }) => [['acknowledgement', acknowledgement ?? null]],
  answer: ({ answer }) => [['answer', inRow(answer) ?? null]],
  map: ({ map }) => [['map', map ?? null]],
  effects: ({ effects }) => [['effects', JSON.stringify(effects ?? [])]],
  changedBy: ({ changedBy }) => [['changed_by', changedBy ?? null]],
};

/** A field that is there and undefined is emptied; a field that is not there stays. */
export function columnsOfChange(change: MessageChange): Columns {
  return Object.entries(changedColumns).flatMap(([field, columns]) =>
    Object.hasOwn(change, field) ? columns(change) : [],
  );
}

export function columnsOfMessage(message: MessageRecord): Columns {
  return [
    ['id', message.id],
    ['channel', message.channel],
    ['peer', message.peer],
    ['received_at', message.receivedAt],
    ['control_id', message.controlId],
    ['message_type', message.messageType],
    ['format', message.format],
    ['digest', message.digest],
    ['size', message.size],
    ['replay_of', message.replayOf ?? null],
    ['batch', message.batch ?? null],
    ['trace', message.trace ?? null],
    ...columnsOfChange(message),
  ];
}

export interface DeliveryRow {
  readonly sequence: number;
  readonly id: string;
  readonly destination: string;
  readonly lane: string;
  readonly created_at: number;
  readonly state: Delivery['state'];
  readonly head: number;
  readonly attempts: number;
  readonly leases: number;
  readonly due_at: number;
  readonly leased_until: number;
  readonly lease: string | null;
  readonly reason_code: string | null;
  readonly reason_text: string | null;
  readonly content_type: string;
  readonly cause: string;
  /** Empty where it is large: then it lies beside. */
  readonly payload: Uint8Array;
  /** As the payload. */
  readonly response: Uint8Array | null;
  readonly response_type: string | null;
  readonly settled_at: number | null;
  readonly trace: string | null;
}

/** A delivery with what lies beside it: for `SELECT` and `RETURNING`. */
export const wholeDelivery = `*,
  (SELECT bytes FROM delivery_payload WHERE delivery_payload.sequence = delivery.sequence) AS large,
  (SELECT bytes FROM delivery_response WHERE delivery_response.sequence = delivery.sequence) AS large_response`;

export interface WholeDeliveryRow extends DeliveryRow {
  /** The payload and the response, where they are large. */
  readonly large: Uint8Array | null;
  readonly large_response: Uint8Array | null;
}

export interface ListedDeliveryRow extends DeliveryRow {
  /** Of the payload. */
  readonly size: number;
}

/** Without reading the payload, and of the response only what is small. */
export const listedDelivery = `*, coalesce(
  (SELECT length(bytes) FROM delivery_payload WHERE delivery_payload.sequence = delivery.sequence), length(payload)) AS size`;

export const deliveryOf = (row: WholeDeliveryRow): Delivery => ({
  ...factsOf({ ...row, response: row.large_response ?? row.response }),
  payload: row.large ?? row.payload,
});

export const listedOf = (row: ListedDeliveryRow): ListedDelivery => ({ ...factsOf(row), size: row.size });

function factsOf(row: DeliveryRow): Omit<Delivery, 'payload'> {
  return {
    id: row.id,
    destination: row.destination,
    lane: row.lane,
    createdAt: row.created_at,
    state: row.state,
    attempts: row.attempts,
    dueAt: row.due_at,
    leasedUntil: row.leased_until,
    lease: row.lease ?? undefined,
    reason: reasonOf(row),
    contentType: row.content_type,
    cause: row.cause,
    response:
      row.response === null ? undefined : { contentType: row.response_type ?? '', bytes: row.response },
    settledAt: row.settled_at ?? undefined,
    ...(row.trace === null ? {} : { trace: row.trace }),
  };
}
