// Makes a message at each of its times, which goes through its channel as any other. The message itself is the record that its time was
// kept: so none is doubled by a restart, and of the times that went by meanwhile the last one is made up for.
import { createRounds, type Clock, type Inbox, type Logger, type Schedule } from '../../engine/index.ts';
import { compileTemplate } from './template.ts';

export interface TimerOptions {
  readonly inbox: Inbox;
  readonly channel: string;
  readonly schedule: Schedule;
  readonly timeZone: string;
  readonly mediaType: string;
  readonly charset?: string | undefined;
  /** See template.ts. */
  readonly body: string;
  /** The peer of the newest message that this timer has made, however long ago; undefined where there is none. */
  readonly lastPeer: () => Promise<string | undefined>;
  /** Called when a message is kept, with its peer, for `lastPeer` to know when the message is purged. */
  readonly remember: (peer: string) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The longest wait before the clock is looked at again, since it may be set; a minute unless told. */
  readonly longestWaitMs?: number;
}

export interface Timer {
  start(): Promise<object>;
  /** Finishes the message under way. */
  stop(): Promise<void>;
  /** Why the last message could not be kept; it is tried again. */
  problem(): string | undefined;
}

const peerPrefix = 'timer:';
const peerAt = (time: number): string => `${peerPrefix}${new Date(time).toISOString()}`;

export const isTimerPeer = (peer: string): boolean => peer.startsWith(peerPrefix);

/** Undefined for what no timer has made. */
const timeOf = (peer: string | undefined): number | undefined => {
  const time = Date.parse(peer?.slice(peerPrefix.length) ?? '');
  return Number.isNaN(time) ? undefined : time;
};

/** After a message that could not be kept. */
const pauseMs = 5_000;

export function createTimer(options: TimerOptions): Timer {
  const { clock, schedule, logger, channel, longestWaitMs = 60_000 } = options;
  const render = compileTemplate(options.body, options);
  let problem: string | undefined;
  /** Before this nothing is owed. */
  let kept = clock.now();

  const keep = async (time: number): Promise<void> => {
    const { inbox, mediaType, charset } = options;
    const raw = Buffer.from(render(time));
    const arrival = { channel, peer: peerAt(time), mediaType, raw, isFile: true, isOneWay: true };
    await inbox.receive(charset === undefined ? arrival : { ...arrival, charset });
    await options.remember(arrival.peer);
  };
  const look = async (): Promise<void> => {
    const latest = schedule.latest(clock.now());
    if (latest !== undefined && latest > kept) {
      await keep(latest);
      kept = latest;
    }
    problem = undefined;
  };
  const waitMs = (): number => {
    if (problem !== undefined) return Math.min(pauseMs, longestWaitMs);
    const now = clock.now();
    return Math.min(longestWaitMs, Math.max(1, (schedule.next(now) ?? Infinity) - now));
  };
  const looks = createRounds({
    round: look,
    failed: (cause) => {
      problem = (cause as Error).message;
      logger.error({ channel }, 'the message of a timer could not be kept; tried again', cause);
    },
    pauseMs: waitMs,
  });
  return {
    start: async () => {
      kept = timeOf(await options.lastPeer()) ?? clock.now();
      looks.start(0);
      return {};
    },
    stop: () => looks.stop(),
    problem: () => problem,
  };
}
