// What becomes of a delivery after a try: the sender's result, read by the destination's own table of answers and by its retry policy.
import type { Delivery, Reason, Settlement } from '../storage/message-store.ts';
import type { AnswerAction } from './channels/channel.ts';
import type { SendResult } from './ports.ts';
import { delayAfter, type RetryPolicy } from './retry.ts';

export interface SettlementRules {
  readonly policy: RetryPolicy;
  /** By the code of an answer or a reason, by `4xx` and `5xx`, or `*` for any failure. */
  readonly answers?: Readonly<Record<string, AnswerAction>>;
}

export interface Settled {
  readonly settlement: Settlement;
  readonly action: AnswerAction;
}

type Tried = Pick<Delivery, 'id' | 'attempts'>;

export function settled(result: SendResult, delivery: Tried, rules: SettlementRules, now: number): Settled {
  const action = actionFor(result, rules);
  const { response } = result;
  return { action, settlement: { ...settlementOf(action, result, delivery, rules, now), at: now, response } };
}

function settlementOf(
  action: AnswerAction,
  result: SendResult,
  delivery: Tried,
  { policy }: SettlementRules,
  now: number,
): Settlement {
  const reason = result.state === 'failed' ? result.reason : oddAnswer;
  switch (action) {
    case 'done':
      return { state: 'done' };
    case 'warn':
      return { state: 'done', reason };
    case 'hold':
      return { state: 'waiting', dueAt: now, reason };
    case 'give-up':
      return { state: 'dead', reason };
    case 'retry': {
      const settlement = settlementAfterFailure(true, reason, delivery, policy, now);
      const earliest = now + ((result.state === 'failed' ? result.notBeforeMs : undefined) ?? 0);
      return settlement.state === 'waiting' && settlement.dueAt < earliest
        ? { ...settlement, dueAt: earliest }
        : settlement;
    }
  }
}

const oddAnswer: Reason = {
  code: 'answer-not-wanted',
  text: "the receiver took it, but the destination's table of answers wants something else done about this answer",
};

function actionFor(result: SendResult, { answers = {}, policy }: SettlementRules): AnswerAction {
  for (const key of keysOf(result)) {
    const action = Object.hasOwn(answers, key) ? answers[key] : undefined;
    if (action !== undefined) return action;
  }
  return result.state === 'done' ? 'done' : usualAction(result.retry, policy);
}

/** From the most to the least particular. */
function keysOf(result: SendResult): readonly string[] {
  const { code } = result;
  const status = code !== undefined && /^[1-5]\d\d$/.test(code) ? [`${code.charAt(0)}xx`] : [];
  const answer = code === undefined ? [] : [code, ...status];
  return result.state === 'done' ? answer : [...answer, result.reason.code, '*'];
}

const usualActions = { transient: 'retry', permanent: 'give-up' } as const;

function usualAction(
  retry: Extract<SendResult, { state: 'failed' }>['retry'],
  { ambiguous }: RetryPolicy,
): AnswerAction {
  if (retry === 'ambiguous') return ambiguous === 'try-again' ? 'retry' : 'give-up';
  return usualActions[retry];
}

/** Waits for another try while one is left; otherwise it is dead with the reason of the last one. */
export function settlementAfterFailure(
  again: boolean,
  reason: Reason,
  delivery: Tried,
  policy: RetryPolicy,
  now: number,
): Settlement {
  const delay = again ? delayAfter(policy, delivery.attempts, delivery.id) : undefined;
  return delay === undefined ? { state: 'dead', reason } : { state: 'waiting', dueAt: now + delay, reason };
}
