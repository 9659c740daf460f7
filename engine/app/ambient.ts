// What every part is given: the clock, chance and the log. Here are the real ones, which tests replace.
import { randomBytes } from 'node:crypto';
import pino from 'pino';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { LogFacts, Logger } from '../kernel/logger.ts';
import type { Tracer } from '../kernel/tracer.ts';
import type { LogLevel } from './read-config.ts';

export interface Ambient {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** Without it nothing is traced. */
  readonly tracer?: Tracer | undefined;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Ids are UUIDs of version 7 (RFC 9562): their first 48 bits are the time, so that new rows lie side by side. */
export function createIds(clock: Clock): Ids {
  const chance = createChance(20);
  const hexOf = createTimeText();
  return {
    next: () => uuidOf(hexOf(clock.now()), chance()),
    secret: (bytes) => randomBytes(bytes).toString('base64url'),
  };
}

/**
 * So many hexadecimal digits at each call. Asking the system for chance costs as much as a small request, so it is asked for 400 ids at
 * once; none is given out twice.
 */
function createChance(digits: number): () => string {
  let pool = '';
  let used = 0;
  return () => {
    if (used === pool.length) [pool, used] = [randomBytes(digits * 200).toString('hex'), 0];
    used += digits;
    return pool.slice(used - digits, used);
  };
}

/** Many ids are made in one millisecond. */
function createTimeText(): (time: number) => string {
  let [known, text] = [-1, ''];
  return (time) => {
    if (time !== known) [known, text] = [time, time.toString(16).padStart(12, '0')];
    return text;
  };
}

function uuidOf(time: string, chance: string): string {
  const variant = '89ab'.charAt(Number.parseInt(chance.charAt(3), 16) & 0x3);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${chance.slice(0, 3)}-${variant}${chance.slice(4, 7)}-${chance.slice(7, 19)}`;
}

/** JSON lines on standard output. Errors are logged by name and stack, so that an error's own fields stay out. */
export function createLogger(level: LogLevel): Logger {
  const log = pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
  return wrap(log);
}

function wrap(log: pino.Logger): Logger {
  return {
    debug: (facts, text) => log.debug(facts, text),
    info: (facts, text) => log.info(facts, text),
    warn: (facts, text) => log.warn(facts, text),
    error: (facts, text, cause) => log.error({ ...facts, ...causeOf(cause) }, text),
    child: (facts) => wrap(log.child(facts)),
  };
}

function causeOf(cause: unknown): LogFacts {
  if (cause === undefined) return {};
  return cause instanceof Error ? { cause: cause.name, stack: cause.stack } : { cause: typeof cause };
}
