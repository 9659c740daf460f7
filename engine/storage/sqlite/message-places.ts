// Where messages that fit a question may lie: the index that leaves the fewest of them, read in the order of the list, and the
// conditions that it does not know.
import { badRequest, type Refusal } from '../../kernel/outcomes.ts';
import type { MessageFilter } from '../message-store.ts';
import { allOf, valued, whereOf, type Asked } from './asked.ts';
import type { Connection, SqlValue } from './connection.ts';
import { withinOf, type Within } from './message-within.ts';

export interface Select {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** The last message that was looked at. */
export interface Place {
  readonly received_at: number;
  readonly sequence: number;
}

export interface Places {
  /** Gives `sequence` and `received_at` of what fits by the index, or of what comes after a place. Nothing orders it. */
  readonly select: (after?: Place) => Select;
  /** arrival: by sequence; time: by received_at, then sequence. Newest first. */
  readonly order: 'arrival' | 'time';
  /** What else has to hold, of the table `message`. */
  readonly others: readonly Asked[];
  /** The census knows how many there are. */
  readonly isCounted: boolean;
  /** The index does not give its order: only of use where few fit. */
  readonly isUnordered?: true;
}

export const orderOf = ({ order }: Pick<Places, 'order'>, of = ''): string =>
  order === 'arrival' ? `${of}sequence DESC` : `${of}received_at DESC, ${of}sequence DESC`;

type Field = 'controlId' | 'state' | 'channel' | 'messageType' | 'batch' | 'reason' | 'replayOf';

const columns: Readonly<Record<Field, string>> = {
  controlId: 'control_id',
  state: 'state',
  channel: 'channel',
  messageType: 'message_type',
  batch: 'batch',
  reason: 'reason_code',
  replayOf: 'replay_of',
};

/** What each index begins with; those that give the order of time by themselves go on with received_at. */
const indexes: readonly {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly isUnordered?: true;
}[] = [
  { name: 'message_by_control_id', fields: ['controlId'], isUnordered: true },
  { name: 'message_by_batch', fields: ['batch'], isUnordered: true },
  { name: 'message_by_replay', fields: ['replayOf'], isUnordered: true },
  { name: 'message_by_channel', fields: ['channel', 'state'] },
  { name: 'message_by_reason', fields: ['reason'] },
  { name: 'message_by_channel', fields: ['channel'] },
  { name: 'message_by_state', fields: ['state'] },
  { name: 'message_by_type', fields: ['messageType'] },
  { name: 'message_by_time', fields: [] },
];

/** So many are read at once without anybody noticing. */
const few = 1_000;

/** `few`: the sequences of all that fit by the index, newest first, where they are not many. */
export interface Chosen {
  readonly places: Places;
  readonly few: readonly number[] | undefined;
}

/** `order`: where it goes on, it goes on in the order in which it began. Throws Refusal `bad-request` where it cannot have begun in it. */
export function choosePlaces(
  connection: Connection,
  filter: MessageFilter,
  order: Places['order'] | undefined,
): Chosen {
  const within = withinOf(connection, filter);
  const candidates = [...ofText(within, filter), ...ofKeys(within, filter), ...ofIndexes(within, filter)];
  const inOrder = filter.text === undefined ? candidates : [...candidates, everything(within, filter)];
  const longest = inOrder.find((one) => one.isUnordered !== true && one.order === (order ?? one.order));
  if (longest === undefined) throw noSuchPlace();
  if (order !== undefined) return { places: longest, few: undefined };
  const sizes = candidates.map((places) => sizeOf(connection, places));
  const smallest = Math.min(...sizes);
  const places = candidates[sizes.indexOf(smallest)] ?? longest;
  if (smallest > few) return { places: longest, few: undefined };
  const found = placesAfter(connection, places, undefined, few + 1);
  return { places, few: found.map(({ sequence }) => sequence) };
}

export const noSuchPlace = (): Refusal =>
  badRequest('continue is what an earlier answer to the same search gave as next', '_continue');

/** Counted no further than what is few. */
function sizeOf(connection: Connection, places: Places): number {
  const { sql, values } = places.select();
  return connection.rows(`${sql} LIMIT ${few + 1}`, ...values).length;
}

/** In the order of the list. */
export function placesAfter(
  connection: Connection,
  places: Places,
  after: Place | undefined,
  limit: number,
): readonly Place[] {
  const { sql, values } = places.select(after);
  return connection.rows<Place>(`${sql} ORDER BY ${orderOf(places)} LIMIT ?`, ...values, limit);
}

const hasKey =
  'EXISTS (SELECT 1 FROM message_key WHERE name = ? AND value = ? AND message_key.sequence = message.sequence)';

/** Each key has its own index; the others of them, and all else, are looked up message by message. */
function ofKeys(within: Within, filter: MessageFilter): readonly Places[] {
  const { keys = [] } = filter;
  return keys.map((key) => ({
    select: (after) =>
      selectOf('SELECT sequence, 0 AS received_at FROM message_key', [
        [
          { sql: 'name = ?', values: [key.name] },
          { sql: 'value = ?', values: [key.value] },
          ...valued([{ sql: 'sequence < ?', value: after?.sequence }]),
        ],
      ]),
    order: 'arrival',
    others: [
      ...conditionsOf(Object.keys(columns) as Field[], filter),
      ...spanOf(filter),
      ...otherKeys(keys.filter((one) => one !== key)),
      ...within.others,
    ],
    isCounted: false,
  }));
}

const otherKeys = (keys: NonNullable<MessageFilter['keys']>): readonly Asked[] =>
  keys.map(({ name, value }) => ({ sql: hasKey, values: [name, value] }));

function ofIndexes(within: Within, filter: MessageFilter): readonly Places[] {
  const { keys = [] } = filter;
  const given = (Object.keys(columns) as Field[]).filter((field) => filter[field] !== undefined);
  const span = spanOf(filter);
  return indexes
    .filter(({ fields }) => fields.every((field) => given.includes(field)))
    .map(({ name, fields, isUnordered }) => {
      const known = conditionsOf(fields, filter);
      const rest = given.filter((field) => !fields.includes(field));
      const spanned = isUnordered === true ? [] : span;
      const others = [
        ...conditionsOf(rest, filter),
        ...(isUnordered === true ? span : []),
        ...otherKeys(keys),
        ...within.others,
      ];
      const isCounted = others.length === 0 && span.length === 0 && fields.every(isInCensus);
      const isWholeChannel = name === 'message_by_channel' && fields.length === 1;
      const arms = isWholeChannel ? ofStates(known) : [known];
      const rows = `SELECT sequence, received_at FROM message INDEXED BY ${name}`;
      const select = (after?: Place): Select =>
        selectOf(
          rows,
          arms.map((arm) => [...arm, ...spanned, ...afterPlace(after)]),
        );
      return {
        ...{ select, order: 'time', others, isCounted },
        ...(isUnordered === true ? { isUnordered } : {}),
      };
    });
}

const isInCensus = (field: Field): boolean => field === 'channel' || field === 'state';

/** The index has a channel's messages by state: those of each state. */
const ofStates = (known: readonly Asked[]): readonly (readonly Asked[])[] =>
  ['received', 'processed', 'set-aside', 'dead', 'discarded'].map((state) => [
    ...known,
    { sql: 'state = ?', values: [state] },
  ]);

const afterPlace = (after: Place | undefined): readonly Asked[] =>
  after === undefined
    ? []
    : [{ sql: '(received_at, sequence) < (?, ?)', values: [after.received_at, after.sequence] }];

const selectOf = (rows: string, arms: readonly (readonly Asked[])[]): Select => ({
  sql: arms.map((arm) => `${rows} ${whereOf(arm)}`).join(' UNION ALL '),
  values: arms.flatMap(allOf),
});

const conditionsOf = (fields: readonly Field[], filter: MessageFilter): readonly Asked[] =>
  valued(fields.map((field) => ({ sql: `${columns[field]} = ?`, value: filter[field] })));

const spanOf = ({ from, to }: MessageFilter): readonly Asked[] =>
  valued([
    { sql: 'received_at >= ?', value: from },
    { sql: 'received_at < ?', value: to },
  ]);

/** What the index of words finds, and what is not in it. A message may be in two of the three. */
function ofText({ indexed }: Within, filter: MessageFilter): readonly Places[] {
  if (indexed === undefined) return [];
  const place = ', 0 AS received_at FROM';
  const select = (after?: Place): Select => {
    const arms = [
      selectOf(`SELECT rowid AS sequence${place} message_words`, [
        [
          { sql: 'message_words MATCH ?', values: [indexed.match] },
          ...valued([{ sql: 'rowid < ?', value: after?.sequence }]),
        ],
      ]),
      selectOf(`SELECT sequence${place} message_unindexed`, [before(after)]),
      selectOf(`SELECT sequence${place} message INDEXED BY message_by_state`, [
        [{ sql: 'state = ?', values: ['received'] }, ...before(after)],
      ]),
    ];
    return {
      sql: arms.map(({ sql }) => sql).join(' UNION '),
      values: arms.flatMap(({ values }) => values),
    };
  };
  return [{ select, order: 'arrival', others: all(filter, indexed.others), isCounted: false }];
}

/** For what began in the order of arrival, and has lost the index that gives it since. */
const everything = (within: Within, filter: MessageFilter): Places => ({
  select: (after) => selectOf('SELECT sequence, 0 AS received_at FROM message', [before(after)]),
  order: 'arrival',
  others: all(filter, within.others),
  isCounted: false,
});

const before = (after: Place | undefined): readonly Asked[] =>
  valued([{ sql: 'sequence < ?', value: after?.sequence }]);

/** All that is asked, with this of what is inside. */
const all = (filter: MessageFilter, inside: readonly Asked[]): readonly Asked[] => [
  ...conditionsOf(Object.keys(columns) as Field[], filter),
  ...spanOf(filter),
  ...otherKeys(filter.keys ?? []),
  ...inside,
];
