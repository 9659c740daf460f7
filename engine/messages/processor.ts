// Takes the messages that wait, in each channel in the order of arrival, one transaction each.
import type { Actor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { Mapper } from '../mapping/mapper.ts';
import type { Repository } from '../repository/repository.ts';
import type { MessageChange, MessageReader, MessageRecord } from '../storage/message-store.ts';
import type { Formats } from './formats.ts';
import { process } from './pipeline.ts';
import { delayAfter, retryClassOf, retryPolicies, type RetryPolicy } from './retry.ts';
import { isDeadEnd, usualSettings, type ProcessedListener, type SettingsOf } from './stages.ts';
import { createWakeLoop } from './wake-loop.ts';

export interface ProcessorOptions {
  readonly repository: Pick<Repository, 'transact'>;
  readonly messages: Pick<MessageReader, 'dueMessages'>;
  readonly formats: Formats;
  readonly mapper: Mapper;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly settingsOf?: SettingsOf;
  /** Channels whose messages wait until somebody lets them go on; none unless told. */
  readonly held?: () => readonly string[];
  /** `retryPolicies.processing` unless told. */
  readonly policy?: RetryPolicy;
  /** How often to look for what has come due without a call; one second unless told. */
  readonly pollMs?: number;
}

export interface Processor {
  start(): void;
  /** A message may be waiting. */
  wake(): void;
  /** Finishes the message under way. */
  stop(): Promise<void>;
  /** Before `start`. */
  onProcessed(listener: ProcessedListener): void;
}

/** At most so many messages (of different channels) between two looks at what is due. */
const batch = 16;

export function createProcessor(options: ProcessorOptions): Processor {
  const { messages, clock, logger } = options;
  const listeners: ProcessedListener[] = [];
  const parts = { settingsOf: usualSettings, policy: retryPolicies.processing, ...options, listeners };
  let stopping = false;

  const round = async (): Promise<'more' | 'done'> => {
    try {
      const due = await messages.dueMessages(clock.now(), batch, options.held?.());
      for (const record of due) {
        if (stopping) break;
        await processOne(record, parts);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return due.length > 0 ? 'more' : 'done';
    } catch (cause) {
      logger.error({}, 'messages could not be processed; they stay and are tried again', cause);
      return 'done';
    }
  };
  const loop = createWakeLoop({ round, pollMs: options.pollMs ?? 1_000 });
  return {
    start: () => {
      stopping = false;
      loop.start();
    },
    wake: () => loop.wake(),
    stop: () => {
      stopping = true;
      return loop.stop();
    },
    onProcessed: (listener) => listeners.push(listener),
  };
}

type Parts = ProcessorOptions & {
  readonly settingsOf: SettingsOf;
  readonly policy: RetryPolicy;
  readonly listeners: readonly ProcessedListener[];
};

async function processOne({ id, channel }: MessageRecord, parts: Parts): Promise<void> {
  const actor: Actor = { kind: 'device', id: channel, scopes: ['system/*.cruds'] };
  const facts = { messageId: id, channel };
  try {
    const state = await parts.repository.transact(actor, (unit) => processInside(id, { ...parts, unit }));
    parts.logger.info({ ...facts, state }, 'message processed');
  } catch (error) {
    const change = await parts.repository.transact(actor, async (unit) =>
      setBack(id, error, unit.messages, parts),
    );
    logSetback({ ...facts, state: change?.state, reason: change?.reason?.code }, error, parts.logger);
  }
}

/** Reads the message anew: a person, or another engine, may have been faster. */
async function processInside(
  id: string,
  parts: Parameters<typeof process>[1],
): Promise<MessageRecord['state'] | 'gone'> {
  const record = await parts.unit.messages.message(id);
  const raw = await parts.unit.messages.raw(id);
  if (record === undefined) return 'gone';
  if (record.state !== 'received') return record.state;
  if (raw === undefined) throw new Error('a kept message has no bytes');
  const end = await process({ record, raw }, parts);
  if (!isDeadEnd(end)) return end.record.state;
  await parts.unit.messages.change(id, { state: 'dead', reason: end.deadEnd, attempts: record.attempts + 1 });
  return 'dead';
}

/** After a failure that undid its transaction: what becomes of the message now. */
async function setBack(
  id: string,
  error: unknown,
  messages: MessageReader & { change(id: string, change: MessageChange): Promise<void> },
  parts: Parts,
): Promise<MessageChange | undefined> {
  const record = await messages.message(id);
  if (record?.state !== 'received') return undefined;
  const attempts = record.attempts + 1;
  const policy = parts.settingsOf(record.channel).retry ?? parts.policy;
  const delay = isWorthRetrying(error, policy) ? delayAfter(policy, attempts, id) : undefined;
  const reason = reasonOf(error);
  const change: MessageChange =
    delay === undefined
      ? { state: 'dead', reason, attempts }
      : { reason, attempts, dueAt: parts.clock.now() + delay };
  await messages.change(id, change);
  return change;
}

function isWorthRetrying(error: unknown, policy: RetryPolicy): boolean {
  const retry = retryClassOf(error);
  return retry === 'transient' || (retry === 'ambiguous' && policy.ambiguous === 'try-again');
}

const reasonOf = (error: unknown): { readonly code: string; readonly text: string } =>
  error instanceof Refusal
    ? { code: error.code, text: error.message }
    : { code: 'defect', text: 'the engine failed over this message; its log has the cause' };

function logSetback(facts: Parameters<Logger['warn']>[0], error: unknown, logger: Logger): void {
  if (error instanceof Refusal) logger.warn(facts, 'message could not be processed');
  else logger.error(facts, 'a defect stopped a message', error);
}
