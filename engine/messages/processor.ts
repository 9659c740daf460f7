// Takes the messages that wait, in each channel in the order of arrival: a transaction each, several of them in one commit.
import type { Actor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Ids } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { Refusal } from '../kernel/outcomes.ts';
import type { Tracer } from '../kernel/tracer.ts';
import type { Mapper } from '../mapping/mapper.ts';
import type { Repository } from '../repository/repository.ts';
import type { MessageChange, MessageReader, MessageRecord } from '../storage/message-store.ts';
import type { Formats } from './formats.ts';
import { processOrBury } from './pipeline.ts';
import { delayAfter, retryClassOf, retryPolicies, type RetryPolicy } from './retry.ts';
import { usualSettings, type ProcessedListener, type SettingsOf } from './stages.ts';
import { createWakeLoop } from './wake-loop.ts';

export interface ProcessorOptions {
  readonly repository: Pick<Repository, 'transact'>;
  readonly messages: Pick<MessageReader, 'dueMessages' | 'dueBehind'>;
  readonly formats: Formats;
  readonly mapper: Mapper;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly tracer?: Tracer | undefined;
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
  /** A message may be waiting; of this channel, where told: while that is held, nothing is looked for. */
  wake(channel?: string): void;
  /** Finishes the messages under way. */
  stop(): Promise<void>;
  /** Before `start`. */
  onProcessed(listener: ProcessedListener): void;
  /** Who has asked to be told. */
  listeners(): readonly ProcessedListener[];
}

/** At most so many messages between two looks at what is due. */
const batch = 16;

export function createProcessor(options: ProcessorOptions): Processor {
  const { logger } = options;
  const listeners: ProcessedListener[] = [];
  let stopping = false;
  const isHeld = (channel: string): boolean => options.held?.().includes(channel) === true;
  const parts: Parts = {
    settingsOf: usualSettings,
    policy: retryPolicies.processing,
    ...options,
    listeners,
    goesOn: (channel) => !stopping && !isHeld(channel),
  };

  const round = async (): Promise<'more' | 'done'> => {
    try {
      const due = await dueNow(options);
      const ends = await Promise.allSettled(due.map((turn) => processOne(turn, parts)));
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
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
    wake: (channel) => {
      if (channel === undefined || !isHeld(channel)) loop.wake();
    },
    stop: () => {
      stopping = true;
      return loop.stop();
    },
    onProcessed: (listener) => listeners.push(listener),
    listeners: () => listeners,
  };
}

/** A message, and the one of its channel that must be through before it. */
interface Turn {
  readonly id: string;
  readonly channel: string;
  readonly after: string | undefined;
}

/** The oldest of each channel, and what is behind it as far as the batch reaches. */
async function dueNow({ messages, clock, held }: ProcessorOptions): Promise<readonly Turn[]> {
  const now = clock.now();
  const heads = await messages.dueMessages(now, batch, held?.());
  const behind = Math.floor(batch / Math.max(heads.length, 1)) - 1;
  const turns: Turn[] = [];
  for (const head of heads) {
    const ids = [head.id, ...(await messages.dueBehind(head, now, behind))];
    turns.push(...ids.map((id, place) => ({ id, channel: head.channel, after: ids[place - 1] })));
  }
  return turns;
}

type Parts = ProcessorOptions & {
  readonly settingsOf: SettingsOf;
  readonly policy: RetryPolicy;
  readonly listeners: readonly ProcessedListener[];
  /** Whether messages of a channel are worked on now. */
  readonly goesOn: (channel: string) => boolean;
};

async function processOne(turn: Turn, parts: Parts): Promise<void> {
  const { id, channel } = turn;
  const actor: Actor = { kind: 'device', id: channel, scopes: ['system/*.cruds'] };
  const facts = { messageId: id, channel };
  try {
    const state = await parts.repository.transact(
      actor,
      (unit) => processInTurn(turn, { ...parts, unit }),
      canWait,
    );
    if (state !== 'not-yet') parts.logger.info({ ...facts, state }, 'message processed');
  } catch (error) {
    const change = await parts.repository.transact(actor, async (unit) =>
      setBack(id, error, unit.messages, parts),
    );
    logSetback({ ...facts, state: change?.state, reason: change?.reason?.code }, error, parts.logger);
  }
}

const canWait = { canWait: true };

/** Where the message before it failed, this one waits for what becomes of that. */
async function processInTurn(
  { id, channel, after }: Turn,
  parts: Parts & Parameters<typeof processOrBury>[1],
): Promise<MessageRecord['state'] | 'gone' | 'not-yet'> {
  if (after === undefined) return processInside(id, parts);
  if (!parts.goesOn(channel)) return 'not-yet';
  const before = await parts.unit.messages.message(after);
  return before?.state === 'received' ? 'not-yet' : processInside(id, parts);
}

/** Reads the message anew: a person, or another engine, may have been faster. */
async function processInside(
  id: string,
  parts: Parameters<typeof processOrBury>[1],
): Promise<MessageRecord['state'] | 'gone'> {
  const record = await parts.unit.messages.message(id);
  const raw = await parts.unit.messages.raw(id);
  if (record === undefined) return 'gone';
  if (record.state !== 'received') return record.state;
  if (raw === undefined) throw new Error('a kept message has no bytes');
  return processOrBury({ record, raw }, parts);
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
