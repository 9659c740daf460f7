// What somebody has to know: a channel that is silent, messages that wait too long, dead letters, a destination that cannot be reached. Each
// is told once when it begins and once when it is over; what happens together is told together.
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import { createRounds } from '../kernel/rounds.ts';
import type { MessageReader, Tallies } from '../storage/message-store.ts';
import type { AlertDefinition, ChannelDefinition } from './channels/channel.ts';
import type { DestinationState } from './destinations.ts';

export interface Alert {
  readonly code:
    | 'silence'
    | 'waiting-long'
    | 'queue-long'
    | 'many-dead'
    | 'error-rate'
    | 'connection-lost'
    | 'retries-used-up'
    | 'held'
    | 'certificate-unusable'
    | 'certificate-ends';
  /** A channel, or a destination. */
  readonly subject: string;
  readonly text: string;
  readonly since: number;
}

/** What a part that looks after itself wants somebody to know, as long as it stands. */
export type Concern = Omit<Alert, 'since'>;

export const concern = (code: Alert['code'], subject: string, text: string): Concern => ({
  ...{ code, subject, text },
});

export interface AlertChange {
  readonly change: 'raised' | 'over';
  readonly alert: Alert;
}

export interface AlertsOptions {
  readonly messages: Pick<MessageReader, 'tallies' | 'messages'>;
  readonly channels: () => readonly ChannelDefinition[];
  readonly destinations: () => Readonly<Record<string, DestinationState>>;
  /** Of parts that look after themselves: sources, certificates. */
  readonly concerns?: () => readonly Concern[];
  /** Never told about: what the alerts themselves are sent to. */
  readonly except: readonly string[];
  /** Told of what changed, in one call; it must be durable when this resolves. What fails is told again. */
  readonly tell: (changes: readonly AlertChange[]) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often to look; 15 s unless told. */
  readonly everyMs?: number;
  /** The least time between two calls of `tell`; a minute unless told. */
  readonly gapMs?: number;
}

export interface Alerts {
  start(): void;
  stop(): Promise<void>;
  current(): readonly Alert[];
  /** Looks once, as the timer does. */
  look(): Promise<void>;
}

const minute = 60_000;
const hour = 60 * minute;
/** Of fewer messages in an hour no share is worked out. */
const fewest = 10;

export function createAlerts(options: AlertsOptions): Alerts {
  const { clock, logger, everyMs = 15_000, gapMs = minute, tell } = options;
  let current = new Map<string, Alert>();
  let untold: readonly AlertChange[] = [];
  let toldAt = -Infinity;
  /** Silence counts from the start where nothing has come since. */
  const startedAt = clock.now();

  const look = async (): Promise<void> => {
    const now = clock.now();
    const found = await standing(options, now, startedAt);
    const next = new Map(found.map((alert) => [keyOf(alert), current.get(keyOf(alert)) ?? alert]));
    const raised = [...next].filter(([key]) => !current.has(key)).map(([, alert]) => alert);
    const over = [...current].filter(([key]) => !next.has(key)).map(([, alert]) => alert);
    current = next;
    for (const { code, subject } of raised) logger.warn({ alert: code, subject }, 'alert');
    untold = settledChanges([
      ...untold,
      ...raised.map((alert) => ({ change: 'raised', alert }) as const),
      ...over.map((alert) => ({ change: 'over', alert }) as const),
    ]);
    if (untold.length === 0 || now - toldAt < gapMs) return;
    await tell(untold);
    untold = [];
    toldAt = now;
  };
  const looks = createRounds({
    round: look,
    failed: (cause) => logger.error({}, 'alerts could not be looked for; tried again', cause),
    pauseMs: () => everyMs,
  });
  return {
    start: () => looks.start(everyMs),
    stop: () => looks.stop(),
    current: () => [...current.values()],
    look,
  };
}

const keyOf = ({ code, subject }: Alert): string => `${code} ${subject}`;

/** What began and was over before anybody was told is not told. */
function settledChanges(changes: readonly AlertChange[]): readonly AlertChange[] {
  const last = new Map<string, AlertChange>();
  for (const change of changes) {
    const key = keyOf(change.alert);
    const before = last.get(key);
    if (before !== undefined && before.change !== change.change) last.delete(key);
    else last.set(key, change);
  }
  return [...last.values()];
}

async function standing(options: AlertsOptions, now: number, startedAt: number): Promise<readonly Alert[]> {
  const tallies = await options.messages.tallies();
  const concerns = options.concerns?.() ?? [];
  const alerts: Alert[] = [
    ...destinationAlerts(options, tallies, now),
    ...concerns.map((concern) => ({ ...concern, since: now })),
  ];
  for (const { name, alerts: rules } of options.channels()) {
    if (rules !== undefined) {
      alerts.push(...(await channelAlerts(name, rules, tallies, { ...options, now, startedAt })));
    }
  }
  return alerts;
}

async function channelAlerts(
  subject: string,
  rules: AlertDefinition,
  { channels }: Tallies,
  {
    messages,
    now,
    startedAt,
  }: Pick<AlertsOptions, 'messages'> & { readonly now: number; readonly startedAt: number },
): Promise<readonly Alert[]> {
  const {
    silenceMinutes = Infinity,
    oldestMinutes = Infinity,
    queueLength = Infinity,
    deadPerHour = Infinity,
    errorPercent = Infinity,
  } = rules;
  const tally = channels[subject];
  const lastHour = { channel: subject, from: now - hour, limit: 0, offset: 0 } as const;
  const asksForDead = Math.min(deadPerHour, errorPercent) < Infinity;
  const dead = asksForDead ? (await messages.messages({ ...lastHour, state: 'dead' })).total : 0;
  const came = errorPercent === Infinity ? 0 : (await messages.messages(lastHour)).total;
  const percent = came < fewest ? 0 : (dead * 100) / came;
  const silentMs = now - Math.max(startedAt, tally?.newestAt ?? 0);
  const oldestMs = now - (tally?.oldestReceivedAt ?? now);
  const waiting = tally?.messages.received ?? 0;
  const tests: readonly (readonly [Alert['code'], boolean, string])[] = [
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
  ];
  return tests.flatMap(([code, holds, text]) => (holds ? [{ code, subject, text, since: now }] : []));
}

function destinationAlerts({ destinations, except }: AlertsOptions, tallies: Tallies, now: number): Alert[] {
  return Object.entries(destinations()).flatMap(([subject, { circuit, failures, isHeld }]) => {
    if (except.includes(subject)) return [];
    const dead = tallies.destinations[`send:${subject}`]?.deliveries.dead ?? 0;
    const tests: readonly (readonly [Alert['code'], boolean, string])[] = [
      ['connection-lost', circuit !== 'closed', `no answer to ${failures} deliveries in a row`],
      [
        'retries-used-up',
        dead > 0,
        dead === 1 ? '1 delivery waits for a person' : `${dead} deliveries wait for a person`,
      ],
      ['held', isHeld, 'nothing is sent until somebody releases it'],
    ];
    return tests.flatMap(([code, holds, text]) => (holds ? [{ code, subject, text, since: now }] : []));
  });
}

const whole = (ms: number): number => Math.floor(ms / minute);
