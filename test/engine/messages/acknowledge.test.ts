// Which acknowledgements are owed: HL7 2.5.1 chapter 2.9 and table 0155, as a table.
import { describe, expect, test } from '@jest/globals';
import { acknowledgementsOwed, type Verdict } from '../../../engine/messages/acknowledge.ts';
import type { AcknowledgementMode, AcknowledgementWish, Envelope } from '../../../engine/messages/ports.ts';

const reason = { code: 'unreadable', text: 'no MSH' };
const verdicts = {
  accepted: { kind: 'accepted' },
  error: { kind: 'error', reason },
  rejected: { kind: 'rejected', reason },
} as const satisfies Record<string, Verdict>;

const envelope = (
  acceptWish: AcknowledgementWish,
  applicationWish: AcknowledgementWish,
  isAnswer = false,
): Envelope => ({
  controlId: '1',
  messageType: 'ORU^R01',
  sender: 'BC-5380^Mindray',
  acceptWish,
  applicationWish,
  isAnswer,
  unreadable: undefined,
});

const none = undefined;
/** MSH-15, MSH-16 → codes when accepted, on error, when rejected. */
const matrix: readonly [AcknowledgementWish, AcknowledgementWish, string, string, string][] = [
  // Original mode: exactly one application acknowledgement.
  [none, none, 'AA', 'AE', 'AR'],
  // LAW (NE/AL): the application acknowledgement alone, on the same socket.
  ['NE', 'AL', 'AA', 'AE', 'AR'],
  [none, 'AL', 'AA', 'AE', 'AR'],
  // AL/NE: the accept acknowledgement alone.
  ['AL', 'NE', 'CA', 'CE', 'CR'],
  ['AL', none, 'CA', 'CE', 'CR'],
  // AL/AL: both; after a refusal at the first level there is no second.
  ['AL', 'AL', 'CA AA', 'CE', 'CR'],
  ['AL', 'ER', 'CA', 'CE', 'CR'],
  ['AL', 'SU', 'CA AA', 'CE', 'CR'],
  // ER: only when something is wrong.
  ['ER', 'AL', 'AA', 'CE', 'CR'],
  ['ER', 'NE', '', 'CE', 'CR'],
  ['ER', none, '', 'CE', 'CR'],
  ['ER', 'ER', '', 'CE', 'CR'],
  ['ER', 'SU', 'AA', 'CE', 'CR'],
  // SU: only when nothing is.
  ['SU', 'AL', 'CA AA', 'AE', 'AR'],
  ['SU', 'NE', 'CA', '', ''],
  ['SU', none, 'CA', '', ''],
  ['SU', 'ER', 'CA', 'AE', 'AR'],
  ['SU', 'SU', 'CA AA', '', ''],
  ['NE', 'NE', '', '', ''],
  ['NE', none, '', '', ''],
  [none, 'NE', '', '', ''],
  ['NE', 'ER', '', 'AE', 'AR'],
  [none, 'ER', '', 'AE', 'AR'],
  ['NE', 'SU', 'AA', '', ''],
  [none, 'SU', 'AA', '', ''],
];

const codesOwed = (asked: Envelope, verdict: Verdict, mode: AcknowledgementMode = 'as-asked'): string =>
  acknowledgementsOwed(asked, verdict, mode)
    .map(({ code }) => code)
    .join(' ');

describe('acknowledgements owed', () => {
  test.each(matrix)('MSH-15 %s, MSH-16 %s: %s / %s / %s', (accept, application, ...expected) => {
    const asked = envelope(accept, application);
    expect(Object.values(verdicts).map((verdict) => codesOwed(asked, verdict))).toEqual(expected);
  });

  test('the table holds every pair of wishes', () => {
    const pairs = new Set(matrix.map(([accept, application]) => `${accept}/${application}`));
    expect(pairs.size).toBe(25);
  });

  test.each(matrix)(
    'a device that knows only AA gets it whatever it asks (%s, %s)',
    (accept, application) => {
      const asked = envelope(accept, application);
      expect(codesOwed(asked, verdicts.accepted, 'application-only')).toBe('AA');
      expect(codesOwed(asked, verdicts.rejected, 'application-only')).toBe('AR');
    },
  );

  test.each(matrix)('an acknowledgement is never acknowledged (%s, %s)', (accept, application) => {
    const asked = envelope(accept, application, true);
    expect(Object.values(verdicts).map((verdict) => codesOwed(asked, verdict))).toEqual(['', '', '']);
  });

  test('a refusal carries its reason, an acceptance none', () => {
    const asked = envelope('AL', 'AL');
    expect(acknowledgementsOwed(asked, verdicts.rejected, 'as-asked')).toEqual([{ code: 'CR', reason }]);
    expect(acknowledgementsOwed(asked, verdicts.accepted, 'as-asked')[0]).toEqual({
      code: 'CA',
      reason: undefined,
    });
  });
});
