// `kiungo messages …`: finds the messages of the running engine, opens one, replays what is found. docs/channels.md
import { parseJson } from '../../fhir/exact-json.ts';
import { badRequest } from '../../kernel/outcomes.ts';
import { showArchive } from './archives.ts';
import { columns, counted } from './columns.ts';
import type { Command } from './command.ts';
import type { EngineClient } from './engine-client.ts';
import { commandOf, queryOf, text, type Asked, type Given, type Subcommand } from './subcommands.ts';

interface ShownMessage {
  readonly id: string;
  readonly receivedAt: string;
  readonly channel: string;
  readonly messageType: string;
  readonly controlId: string;
  readonly state: string;
  readonly reason?: { readonly code: string; readonly text: string };
}

interface Found {
  readonly total: number;
  readonly isAtLeast?: boolean;
  readonly searchedUntil?: string;
  readonly next?: string;
  readonly items: readonly ShownMessage[];
}

interface Job {
  readonly id: string;
  readonly state: string;
  readonly total: number;
  readonly replayed: number;
  /** By the code of each refusal. */
  readonly refused: Readonly<Record<string, number>>;
}

/** Options by the parameter of `GET /admin/messages` that each is. */
const filters: Readonly<Record<string, string>> = {
  channel: 'channel',
  state: 'state',
  type: 'type',
  'control-id': 'controlId',
  batch: 'batch',
  reason: 'reason',
  from: 'from',
  to: 'to',
  patient: 'patient',
  barcode: 'barcode',
  key: 'key',
  text: 'text',
};

const texts = (names: readonly string[]): Readonly<Record<string, { readonly type: 'string' }>> =>
  Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));

const filterOptions = texts(Object.keys(filters));
const pageOptions = texts(['count', 'offset', 'continue']);

const asFiltered = (given: Given): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(Object.entries(filters).map(([option, parameter]) => [parameter, text(given, option)]));

/** As many as are asked for, or all that fit: the engine looks for a limited time at once, so it is asked until that is so. */
async function foundOf(
  engine: EngineClient,
  parameters: Readonly<Record<string, string | undefined>>,
  count: number,
): Promise<Found> {
  let found = await engine.ask<Found>('GET', `messages${queryOf(parameters)}`);
  while (found.next !== undefined && found.items.length < count) {
    const place = { _offset: undefined, _continue: found.next, _count: String(count - found.items.length) };
    const more = await engine.ask<Found>('GET', `messages${queryOf({ ...parameters, ...place })}`);
    found = { ...more, total: found.items.length + more.total, items: [...found.items, ...more.items] };
  }
  return found;
}

const usualCount = 50;

async function find(
  engine: EngineClient,
  asked: Asked,
  fixed: Readonly<Record<string, string>>,
): Promise<number> {
  const { given, say, sayJson } = asked;
  const parameters = {
    ...asFiltered(given),
    _count: text(given, 'count'),
    _offset: text(given, 'offset'),
    _continue: text(given, 'continue'),
    ...fixed,
  };
  const found = await foundOf(engine, parameters, Number(text(given, 'count') ?? usualCount));
  if (given['json'] === true) sayJson(found);
  else {
    sayMessages(asked, found.items);
    say(`${found.items.length} of ${found.isAtLeast === true ? 'at least ' : ''}${found.total}`);
    if (found.searchedUntil !== undefined) say(`searched back until ${found.searchedUntil}`);
    if (found.next !== undefined) say(`goes on with --continue ${found.next}`);
  }
  return 0;
}

function sayMessages({ say }: Asked, messages: readonly ShownMessage[]): void {
  const rows = messages.map(({ id, receivedAt, channel, messageType, controlId, state, reason }) => [
    id,
    receivedAt,
    channel,
    messageType,
    controlId,
    state,
    reason === undefined ? '' : `${reason.code}: ${reason.text}`,
  ]);
  for (const line of columns(['id', 'received', 'channel', 'type', 'control id', 'state', 'reason'], rows)) {
    say(line);
  }
}

const search: Subcommand = {
  usage: '',
  sentence: 'Messages that fit all that is asked, newest first.',
  takes: [0, 0],
  options: { ...filterOptions, ...pageOptions },
  ask: (engine, asked) => find(engine, asked, {}),
};

const dead: Subcommand = {
  usage: '',
  sentence: 'Messages that wait for a person, with their reasons.',
  takes: [0, 0],
  options: { ...filterOptions, ...pageOptions },
  ask: (engine, asked) => find(engine, asked, { state: 'dead' }),
};

/** What of a message is opened instead of its facts. */
const parts = ['raw', 'parsed', 'mapped', 'answer', 'lineage'] as const;

const show: Subcommand = {
  usage: '<id>',
  sentence:
    'One message: its facts and deliveries as JSON, or a part of it (HL7 v2 with a line for each segment).',
  takes: [1, 1],
  options: Object.fromEntries(parts.map((part) => [part, { type: 'boolean' as const }])),
  ask: async (engine, { words: [id = ''], given, say }) => {
    const part = parts.find((one) => given[one] === true);
    const path = `messages/${encodeURIComponent(id)}${part === undefined ? '' : `/${part}`}`;
    for (const line of readable(await engine.read(path)).split('\n')) say(line);
    return 0;
  },
};

/** JSON indented, without touching its numbers; other texts with line ends for segment ends. */
function readable(content: string): string {
  if (!/^[[{]/.test(content)) return content.replace(/\r\n?/g, '\n').trimEnd();
  return JSON.stringify(parseJson(content), null, 2);
}

const replay: Subcommand = {
  usage: '[<ids>]',
  sentence:
    'Has messages worked on again: those named, or all that a search finds; with --destination they are only handed on again. Ends with 1 when one fails.',
  takes: [0, Infinity],
  options: { ...filterOptions, ...texts(['destination', 'per-second']), 'no-wait': { type: 'boolean' } },
  ask: (engine, asked) => (asked.words.length > 0 ? replayNamed(engine, asked) : replayFound(engine, asked)),
};

async function replayNamed(engine: EngineClient, { words, given, say, sayJson }: Asked): Promise<number> {
  if (Object.values(asFiltered(given)).some((value) => value !== undefined)) {
    throw badRequest('name messages, or say which by options: not both');
  }
  const destination = text(given, 'destination');
  const command = destination === undefined ? 'replay' : `send${queryOf({ destination })}`;
  const done: unknown[] = [];
  for (const id of words) {
    done.push(await engine.ask('POST', `messages/${encodeURIComponent(id)}/${command}`));
    if (given['json'] !== true) {
      say(`${id} ${destination === undefined ? 'waits again' : `goes to ${destination}`}`);
    }
  }
  if (given['json'] === true) sayJson(done);
  return 0;
}

const pollMs = 250;

async function replayFound(engine: EngineClient, { given, say, sayJson }: Asked): Promise<number> {
  const how = { destination: text(given, 'destination'), perSecond: text(given, 'per-second') };
  const isForPeople = given['json'] !== true;
  let job = await engine.ask<Job>('POST', `messages/$replay${queryOf({ ...asFiltered(given), ...how })}`);
  if (isForPeople) say(`replay ${job.id}: ${job.total} messages`);
  let told = 0;
  while (job.state === 'running' && given['no-wait'] !== true) {
    await new Promise((wait) => setTimeout(wait, pollMs));
    job = await engine.ask<Job>('GET', `replays/${job.id}`);
    if (isForPeople && job.state === 'running' && job.replayed >= told + 1000) {
      told = job.replayed;
      say(`${told} of ${job.total}`);
    }
  }
  if (!isForPeople) sayJson(job);
  else say(`${job.state}: ${job.replayed} of ${job.total} replayed${refusedIn(job)}`);
  return Object.keys(job.refused).length > 0 || job.state === 'cancelled' ? 1 : 0;
}

const refusedIn = ({ refused }: Job): string =>
  Object.keys(refused).length === 0 ? '' : `, refused: ${counted(refused)}`;

export const messagesCommand: Command = commandOf(
  'messages',
  'Messages of the running engine: find, open, replay; and those of archives.',
  { search, show, dead, replay, 'show-archive': showArchive },
);
