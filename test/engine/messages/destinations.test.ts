// What a destination's own rules make of answers, failures and load.
import { describe, expect, test } from '@jest/globals';
import { Gate } from '../../../engine/messages/gate.ts';
import type { SendResult } from '../../../engine/messages/ports.ts';
import { retryPolicies } from '../../../engine/messages/retry.ts';
import { settled, type SettlementRules } from '../../../engine/messages/settle.ts';

const policy = retryPolicies.sending;
const failed = (retry: 'transient' | 'ambiguous' | 'permanent', code?: string): SendResult => ({
  state: 'failed',
  retry,
  reason: { code: 'hl7-answer-ae', text: 'no' },
  ...(code === undefined ? {} : { code }),
});
const done: SendResult = { state: 'done', code: 'AA' };

describe('the table of answers', () => {
  test.each<[string, SendResult, SettlementRules['answers'], string, string]>([
    ['usually an acceptance ends it', done, {}, 'done', 'done'],
    ['usually a passing failure is tried again', failed('transient', 'AE'), {}, 'waiting', 'retry'],
    ['usually a rejection is given up', failed('permanent', 'AR'), {}, 'dead', 'give-up'],
    ['usually what may have happened is given up', failed('ambiguous'), {}, 'dead', 'give-up'],
    ['AE may count as arrived', failed('transient', 'AE'), { AE: 'done' }, 'done', 'done'],
    ['with a warning', failed('transient', 'AE'), { AE: 'warn' }, 'done', 'warn'],
    ['AR may be tried again', failed('permanent', 'AR'), { AR: 'retry' }, 'waiting', 'retry'],
    [
      'or hold the destination, with the message in its place',
      failed('permanent', 'AR'),
      { AR: 'hold' },
      'waiting',
      'hold',
    ],
    ['a class of statuses', failed('transient', '503'), { '5xx': 'give-up' }, 'dead', 'give-up'],
    [
      'the very status before its class',
      failed('transient', '503'),
      { '5xx': 'give-up', '503': 'retry' },
      'waiting',
      'retry',
    ],
    [
      'the reason where there is no answer',
      failed('ambiguous'),
      { 'hl7-answer-ae': 'retry' },
      'waiting',
      'retry',
    ],
    ['any failure', failed('transient'), { '*': 'give-up' }, 'dead', 'give-up'],
    ['but no acceptance', done, { '*': 'give-up' }, 'done', 'done'],
    ['an acceptance may be unwanted', done, { AA: 'hold' }, 'waiting', 'hold'],
  ])('%s', (_rule, result, answers = {}, state, action) => {
    const found = settled(result, { id: 'd', attempts: 1 }, { policy, answers }, 1000);
    expect([found.settlement.state, found.action]).toEqual([state, action]);
  });

  test('the response and the time are kept; a receiver that asks for time gets it', () => {
    const response = { contentType: 'text/plain', bytes: Buffer.from('later') };
    const result: SendResult = {
      ...failed('transient', '503'),
      response,
      notBeforeMs: 600_000,
    } as SendResult;
    const { settlement } = settled(result, { id: 'd', attempts: 1 }, { policy }, 1000);
    expect(settlement).toMatchObject({ at: 1000, response, dueAt: 601_000 });
  });

  test('when no try is left it is given up', () => {
    const rules = { policy: { ...policy, tries: 3 } };
    expect(settled(failed('transient'), { id: 'd', attempts: 3 }, rules, 0).settlement.state).toBe('dead');
  });
});

describe('the circuit', () => {
  const gate = (): Gate => new Gate({ circuit: { failures: 3, pauseMs: 1000 } });
  const broken = (): Gate => {
    const one = gate();
    for (let failure = 0; failure < 3; failure += 1) one.ended(false, 0);
    return one;
  };
  test('opens after so many failures in a row, and for so long', () => {
    const one = gate();
    one.ended(false, 0);
    one.ended(false, 0);
    one.ended(true, 0);
    one.ended(false, 0);
    one.ended(false, 0);
    expect(one.allowance(0, 0)).toBeGreaterThan(1);
    one.ended(false, 0);
    expect([one.allowance(999, 0), one.state(999).circuit]).toEqual([0, 'open']);
  });
  test('then lets one try through, and no other beside it', () => {
    expect([broken().allowance(1000, 0), broken().allowance(1000, 1)]).toEqual([1, 0]);
  });
  test('closes when that one reaches the other side, and opens again when not', () => {
    const mended = broken();
    mended.ended(true, 1000);
    expect(mended.state(1000).circuit).toBe('closed');
    const still = broken();
    still.ended(false, 1000);
    expect([still.allowance(1999, 0), still.allowance(2000, 0)]).toEqual([0, 1]);
  });
});

describe('the rate', () => {
  test('no more than so many a second, and none is saved up for long', () => {
    const gate = new Gate({ perSecond: 5 });
    expect(gate.allowance(0, 0)).toBe(5);
    gate.begun(5);
    expect([gate.allowance(0, 0), gate.allowance(199, 0), gate.allowance(400, 0)]).toEqual([0, 0, 2]);
    expect(gate.allowance(60_000, 0)).toBe(5);
  });
  test('less than one a second', () => {
    const gate = new Gate({ perSecond: 0.5 });
    gate.begun(gate.allowance(0, 0));
    expect([gate.allowance(1000, 0), gate.allowance(2000, 0)]).toEqual([0, 1]);
  });
});
