// Which alerts stand now: what channels have asked to be told, and what destinations and other parts tell by themselves.
import type { MessageReader, Tallies } from '../storage/message-store.ts';
import { alertKey, concern, type Alert, type Concern } from './alert.ts';
import { whatToDo, type Channel } from './channels/channel-book.ts';
import { destinationNames } from './channels/channel-destinations.ts';
import type { AlertDefinition, ChannelDefinition } from './channels/channel.ts';
import type { DestinationState } from './destinations.ts';

export interface Watched {
  readonly messages: Pick<MessageReader, 'tallies' | 'messages'>;
  readonly channels: () => readonly ChannelDefinition[];
  /** Channels whose files are gone. */
  readonly gone?: () => readonly Channel[];
  readonly destinations: () => Readonly<Record<string, DestinationState>>;
  /** Of parts that look after themselves: sources, certificates. */
  readonly concerns?: () => readonly Concern[];
  /** Never told about: what the alerts themselves are sent to. */
  readonly except: readonly string[];
}

interface Look {
  readonly now: number;
  /** Silence counts from the start where nothing has come since. */
  readonly startedAt: number;
  /** What stood before, by `alertKey`. */
  readonly stood: ReadonlyMap<string, Alert>;
  readonly tallies: Tallies;
}

const minute = 60_000;
const hour = 60 * minute;
/** Of fewer messages in an hour no share is worked out. */
const fewest = 10;
/** So long a destination may answer nothing before somebody is told. */
const unansweredMs = 10_000;

export async function standing(watched: Watched, look: Omit<Look, 'tallies'>): Promise<readonly Concern[]> {
  const { channels, gone = () => [], concerns = () => [], messages } = watched;
  const at: Look = { ...look, tallies: await messages.tallies() };
  const found = [...destinationAlerts(watched, at), ...goneAlerts(gone(), at.tallies), ...concerns()];
  for (const { name, alerts } of channels()) {
    if (alerts !== undefined) found.push(...(await channelAlerts(name, alerts, messages, at)));
  }
  return found;
}

type Test = readonly [code: Alert['code'], holds: boolean, text: string];

const held = (subject: string, tests: readonly Test[]): readonly Concern[] =>
  tests.flatMap(([code, holds, text]) => (holds ? [concern(code, subject, text)] : []));

async function channelAlerts(
  subject: string,
  rules: AlertDefinition,
  messages: Watched['messages'],
  look: Look,
): Promise<readonly Concern[]> {
  const {
    silenceMinutes = Infinity,
    oldestMinutes = Infinity,
    queueLength = Infinity,
    deadPerHour = Infinity,
    errorPercent = Infinity,
  } = rules;
  const { now } = look;
  const tally = look.tallies.channels[subject];
  const lastHour = { channel: subject, from: now - hour, limit: 0, offset: 0 } as const;
  const asksForDead = Math.min(deadPerHour, errorPercent) < Infinity;
  const dead = asksForDead ? (await messages.messages({ ...lastHour, state: 'dead' })).total : 0;
  const came = errorPercent === Infinity ? 0 : (await messages.messages(lastHour)).total;
  const percent = came < fewest ? 0 : (dead * 100) / came;
  const silentMs = now - silentSince(subject, silenceMinutes, tally?.newestAt, look);
  const oldestMs = now - (tally?.oldestReceivedAt ?? now);
  const waiting = tally?.messages.received ?? 0;
  return held(subject, [
    ['silence', silentMs >= silenceMinutes * minute, `nothing has come for ${whole(silentMs)} minutes`],
    [
      'waiting-long',
      oldestMs >= oldestMinutes * minute,
      `the oldest message waits for ${whole(oldestMs)} minutes`,
    ],
    ['queue-long', waiting >= queueLength, `${waiting} messages wait`],
    ['many-dead', dead >= deadPerHour, `${dead} messages of the last hour could not be processed`],
    [
      'error-rate',
      percent >= errorPercent,
      `${Math.round(percent)} % of the ${came} messages of the last hour could not be processed`,
    ],
  ]);
}

/** A silence that stood when the engine stopped goes on; else nobody could have sent anything before the start. */
function silentSince(
  subject: string,
  silenceMinutes: number,
  newestAt: number | undefined,
  { stood, startedAt }: Look,
): number {
  const before = stood.get(alertKey({ code: 'silence', subject }));
  if (before === undefined) return Math.max(startedAt, newestAt ?? 0);
  return Math.max(newestAt ?? 0, before.since - silenceMinutes * minute);
}

function destinationAlerts({ destinations, except }: Watched, look: Look): readonly Concern[] {
  return Object.entries(destinations()).flatMap(([subject, state]) => {
    if (except.includes(subject)) return [];
    const dead = look.tallies.destinations[`send:${subject}`]?.deliveries.dead ?? 0;
    return held(subject, [
      ['connection-lost', isUnreached(subject, state, look), unreachedText(state)],
      [
        'retries-used-up',
        dead > 0,
        dead === 1 ? '1 delivery waits for a person' : `${dead} deliveries wait for a person`,
      ],
      ['held', state.isHeld, 'nothing is sent until somebody releases it'],
    ]);
  });
}

/** What stood when the engine stopped goes on until a try has been answered: after a start the next one may be far away. */
function isUnreached(
  subject: string,
  { circuit, failingSince, answeredAt }: DestinationState,
  { now, stood, tallies }: Look,
): boolean {
  if (circuit !== 'closed') return true;
  if (openOf(tallies, subject) === 0) return false;
  const goesOn = answeredAt === undefined && stood.has(alertKey({ code: 'connection-lost', subject }));
  return goesOn || (failingSince !== undefined && now - failingSince >= unansweredMs);
}

const unreachedText = ({ failures }: DestinationState): string =>
  failures <= 1 ? 'no answer to the last delivery' : `no answer to ${failures} deliveries in a row`;

/** Deliveries that are not through. */
function openOf({ destinations }: Tallies, name: string): number {
  const { waiting = 0, leased = 0 } = destinations[`send:${name}`]?.deliveries ?? {};
  return waiting + leased;
}

function goneAlerts(gone: readonly Channel[], tallies: Tallies): readonly Concern[] {
  return gone.flatMap((channel) => {
    const { messages, deliveries } = waitingOf(channel, tallies);
    const { definition, origin } = channel;
    if (messages + deliveries === 0 || origin.kind !== 'gone') return [];
    const what = `${counted(messages, 'message', 'messages')} and ${counted(deliveries, 'delivery', 'deliveries')}`;
    const text = `${what} wait: ${whatToDo(origin.file)}`;
    return [concern('channel-gone', definition.name, text)];
  });
}

/** What of a channel is not through. */
export function waitingOf(
  { definition }: Channel,
  tallies: Tallies,
): { readonly messages: number; readonly deliveries: number } {
  const { name } = definition;
  const messages = Object.hasOwn(tallies.channels, name) ? tallies.channels[name]?.messages.received : 0;
  const names = destinationNames(definition);
  return { messages: messages ?? 0, deliveries: names.reduce((sum, one) => sum + openOf(tallies, one), 0) };
}

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

const whole = (ms: number): number => Math.floor(ms / minute);
