// Times that come back: by a cron expression in the hospital's time zone, or by an interval. https://croner.56k.guru/usage/pattern/
import { Cron } from 'croner';
import { badRequest } from '../kernel/outcomes.ts';

/** All times are ms since 1970. */
export interface Schedule {
  /** The last time that has come at `now`; undefined where there was none. */
  latest(now: number): number | undefined;
  /** The first time after `now`; undefined where none is left. */
  next(now: number): number | undefined;
}

export type Times = { readonly cron: string } | { readonly everySeconds: number };

/** Throws Refusal `bad-request` for an expression that is none, or that never comes true. */
export function readSchedule(times: Times, timeZone: string): Schedule {
  return 'cron' in times ? byCron(times.cron, timeZone) : byInterval(times.everySeconds * 1000);
}

function byCron(expression: string, timeZone: string): Schedule {
  const cron = parsed(expression, timeZone);
  return {
    latest: (now) => cron.previousRuns(1, new Date(now + 1))[0]?.getTime(),
    next: (now) => cron.nextRun(new Date(now))?.getTime(),
  };
}

function parsed(expression: string, timeZone: string): Cron {
  try {
    const cron = new Cron(expression, { timezone: timeZone, paused: true });
    if (cron.nextRun(new Date(0)) !== null) return cron;
  } catch (error) {
    const cause = (error as Error).message.replace(/^CronPattern: /, '');
    throw badRequest(`"${expression}" is no cron expression: ${cause}`);
  }
  throw badRequest(`"${expression}" names a time that never comes`);
}

/** Counted from 1970, so that a restart does not put it off. */
function byInterval(everyMs: number): Schedule {
  const latest = (now: number): number => Math.floor(now / everyMs) * everyMs;
  return { latest, next: (now) => latest(now) + everyMs };
}
