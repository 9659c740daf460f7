// What somebody has to know: a channel that is silent, messages that wait too long, dead letters, a destination that cannot be reached. Each
// is told once when it begins and once when it is over; what happens together is told together.
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import { createRounds } from '../kernel/rounds.ts';
import { alertKey, type Alert } from './alert.ts';
import { standing, type Watched } from './standing-alerts.ts';

export interface AlertChange {
  readonly change: 'raised' | 'over';
  readonly alert: Alert;
}

/** What is known of alerts, as it is when the engine stops. */
export interface AlertNote {
  readonly current: readonly Alert[];
  readonly untold: readonly AlertChange[];
  /** When `tell` was called last. */
  readonly toldAt?: number;
}

export interface AlertMemory {
  load(): Promise<AlertNote | undefined>;
  /** Durable when it resolves. */
  save(note: AlertNote): Promise<void>;
}

export interface AlertsOptions extends Watched {
  /** Told of what changed, in one call; it must be durable when this resolves. What fails is told again. */
  readonly tell: (changes: readonly AlertChange[]) => Promise<void>;
  /** Without it a start begins anew. */
  readonly memory?: AlertMemory;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often to look; 15 s unless told. */
  readonly everyMs?: number;
  /** The least time between two calls of `tell`; a minute unless told. */
  readonly gapMs?: number;
  /** After a start, how long what stood before is not taken for over: parts have to try first. Two minutes unless told. */
  readonly graceMs?: number;
}

export interface Alerts {
  /** Remembers what stood before. */
  start(): Promise<void>;
  stop(): Promise<void>;
  current(): readonly Alert[];
  /** Looks once, as the timer does. */
  look(): Promise<void>;
}

export function createAlerts(options: AlertsOptions): Alerts {
  const { clock, logger, memory, everyMs = 15_000, gapMs = 60_000, graceMs = 120_000, tell } = options;
  let current: ReadonlyMap<string, Alert> = new Map();
  let untold: readonly AlertChange[] = [];
  let toldAt: number | undefined;
  let isLoaded = memory === undefined;
  const startedAt = clock.now();

  const load = async (): Promise<void> => {
    const note = await memory?.load();
    current = byKey(note?.current ?? []);
    untold = note?.untold ?? [];
    toldAt = note?.toldAt;
    isLoaded = true;
  };
  const save = async (): Promise<void> => {
    await memory?.save({
      current: [...current.values()],
      untold,
      ...(toldAt === undefined ? {} : { toldAt }),
    });
  };
  /** What stands now, each since it began; and for a while after a start what stood before it. */
  const next = async (now: number): Promise<ReadonlyMap<string, Alert>> => {
    const found = await standing(options, { now, startedAt, stood: current });
    const fresh = found.map((one): Alert => ({ ...one, since: current.get(alertKey(one))?.since ?? now }));
    const before = now - startedAt < graceMs ? [...current.values()].filter(isOlder) : [];
    return byKey([...before, ...fresh]);
  };
  const isOlder = ({ since }: Alert): boolean => since < startedAt;
  const note = (now: ReadonlyMap<string, Alert>): boolean => {
    const raised = [...now].filter(([key]) => !current.has(key)).map(([, alert]) => alert);
    const over = [...current].filter(([key]) => !now.has(key)).map(([, alert]) => alert);
    current = now;
    for (const { code, subject } of raised) logger.warn({ alert: code, subject }, 'alert');
    untold = settledChanges([
      ...untold,
      ...raised.map((alert) => ({ change: 'raised', alert }) as const),
      ...over.map((alert) => ({ change: 'over', alert }) as const),
    ]);
    return raised.length + over.length > 0;
  };
  const mayTell = (now: number): boolean => {
    // A clock that was set back must not keep what is to be told for as long.
    const sinceTold = toldAt === undefined || toldAt > now ? Infinity : now - toldAt;
    return untold.length > 0 && sinceTold >= gapMs;
  };
  const look = async (): Promise<void> => {
    if (!isLoaded) await load();
    const now = clock.now();
    if (note(await next(now))) await save();
    if (!mayTell(now)) return;
    await tell(untold);
    untold = [];
    toldAt = now;
    await save();
  };
  const looks = createRounds({
    round: look,
    failed: (cause) => logger.error({}, 'alerts could not be looked for; tried again', cause),
    pauseMs: () => everyMs,
  });
  return {
    start: async () => {
      if (!isLoaded) await load();
      looks.start(everyMs);
    },
    stop: () => looks.stop(),
    current: () => [...current.values()],
    look,
  };
}

const byKey = (alerts: readonly Alert[]): ReadonlyMap<string, Alert> =>
  new Map(alerts.map((alert) => [alertKey(alert), alert]));

/** What began and was over before anybody was told is not told. */
function settledChanges(changes: readonly AlertChange[]): readonly AlertChange[] {
  const last = new Map<string, AlertChange>();
  for (const change of changes) {
    const key = alertKey(change.alert);
    const before = last.get(key);
    if (before !== undefined && before.change !== change.change) last.delete(key);
    else last.set(key, change);
  }
  return [...last.values()];
}
