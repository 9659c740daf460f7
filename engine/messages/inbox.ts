// Where every message comes in: kept, then acknowledged, whichever adapter brought it.
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Tracer } from '../kernel/tracer.ts';
import { createArrivals, type ArrivalsOptions } from './arrivals.ts';
import { arriveAsBatch } from './batch.ts';
import type { Formats } from './formats.ts';
import { arrive } from './pipeline.ts';
import type { Arrival, Inbox, Receipt } from './ports.ts';
import { usualSettings, type QueryAnswers, type SettingsOf } from './stages.ts';

export interface InboxOptions {
  readonly store: ArrivalsOptions['store'];
  readonly formats: Formats;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly tracer?: Tracer | undefined;
  /** Called when messages of this channel are in the store. */
  readonly wake: (channel: string) => void;
  readonly settingsOf?: SettingsOf;
  /** Throws the refusal of a channel that takes nothing in; all do unless told. */
  readonly admit?: (channel: string) => void;
  /** See claims.ts; two minutes unless told. */
  readonly anonymousDuplicateMs?: number;
  /** Answers queries; without it they are acknowledged as any message. */
  readonly queries?: QueryAnswers;
  /** See acknowledgement-fates.ts; 200 ms unless told. */
  readonly fatePatienceMs?: number;
  /** After how long a store that failed is tried again with what the journal holds; a second unless told. */
  readonly againMs?: number;
}

export interface StoppableInbox extends Inbox {
  /** Takes in what was acknowledged just before the engine ended. Before the first `receive`. */
  start(): Promise<void>;
  /** Resolves when the store has what has been acknowledged so far. */
  settled(): Promise<void>;
  /** Writes what became of the last answers. Call when no adapter is left. */
  stop(): Promise<void>;
}

export function createInbox(options: InboxOptions): StoppableInbox {
  const { store, formats, clock, ids, logger, wake, queries, tracer } = options;
  const settingsOf = options.settingsOf ?? usualSettings;
  const arrivals = createArrivals({
    ...{ store, logger, taken: wake },
    enqueued: () => queries?.sent(),
    fatePatienceMs: options.fatePatienceMs ?? 200,
    anonymousDuplicateMs: options.anonymousDuplicateMs ?? 120_000,
    againMs: options.againMs ?? 1_000,
  });
  const parts = {
    ...{ formats, arrivals, settingsOf, clock, ids, logger, tracer },
    ...(queries === undefined ? {} : { queries }),
  };
  const take = async (arrival: Arrival): Promise<Receipt> =>
    (await arriveAsBatch(arrival, parts)) ?? (await arrive(arrival, parts));
  return {
    receive: async (arrival) => {
      options.admit?.(arrival.channel);
      return tracer === undefined ? take(arrival) : takeTraced(arrival, take, tracer);
    },
    start: () => arrivals.start(),
    settled: () => arrivals.settled(),
    stop: () => arrivals.stop(),
  };
}

function takeTraced(
  arrival: Arrival,
  take: (arrival: Arrival) => Promise<Receipt>,
  tracer: Tracer,
): Promise<Receipt> {
  const facts = { 'kiungo.channel': arrival.channel, 'kiungo.bytes': arrival.raw.byteLength };
  return tracer.span(`receive ${arrival.channel}`, { kind: 'consumer', facts }, async (span) => {
    const receipt = await take(arrival);
    span.note({ 'kiungo.message': receipt.messageId });
    return receipt;
  });
}
