// Which acknowledgements a message is owed (MSA-1), from what MSH-15 and MSH-16 ask; and the step that hands them over.
// HL7 2.5.1 chapter 2.9: original mode when neither field is valued, enhanced mode otherwise.
import type { MessageRecord, Reason } from '../storage/message-store.ts';
import { splitAnswers } from './answer-bytes.ts';
import type { ArrivalParts, Kept } from './stages.ts';
import type {
  Acknowledgement,
  AcknowledgementCode,
  AcknowledgementMode,
  AcknowledgementWish,
  Envelope,
  Receipt,
} from './ports.ts';

/** What the engine makes of an arrived message. `error`: a resend may help; `rejected`: it cannot. */
export type Verdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'error'; readonly reason: Reason }
  | { readonly kind: 'rejected'; readonly reason: Reason };

/** HL7 table 0008, by level. */
const codes = {
  accept: { accepted: 'CA', error: 'CE', rejected: 'CR' },
  application: { accepted: 'AA', error: 'AE', rejected: 'AR' },
} as const satisfies Record<string, Record<Verdict['kind'], AcknowledgementCode>>;

/** HL7 table 0155: when each wish wants an acknowledgement. In enhanced mode an empty field counts as NE. */
const wanted = {
  AL: { accepted: true, error: true, rejected: true },
  NE: { accepted: false, error: false, rejected: false },
  ER: { accepted: false, error: true, rejected: true },
  SU: { accepted: true, error: false, rejected: false },
} as const satisfies Record<NonNullable<AcknowledgementWish>, Record<Verdict['kind'], boolean>>;

/**
 * The acknowledgements to send, in order; none where none is owed. A refusal is said once: after a CE or CR no application
 * acknowledgement follows, since the application never sees the message.
 */
export function acknowledgementsOwed(
  envelope: Envelope,
  verdict: Verdict,
  mode: AcknowledgementMode,
): readonly Acknowledgement[] {
  if (envelope.isAnswer) return [];
  const levels = isOriginalMode(envelope, mode) ? (['application'] as const) : levelsAsked(envelope, verdict);
  const reason = verdict.kind === 'accepted' ? undefined : verdict.reason;
  return levels.map((level) => ({ code: codes[level][verdict.kind], reason }));
}

function isOriginalMode(envelope: Envelope, mode: AcknowledgementMode): boolean {
  const asksNothing = envelope.acceptWish === undefined && envelope.applicationWish === undefined;
  return asksNothing || mode === 'application-only';
}

function levelsAsked(envelope: Envelope, verdict: Verdict): readonly (keyof typeof codes)[] {
  const accept = wanted[envelope.acceptWish ?? 'NE'][verdict.kind];
  const application = wanted[envelope.applicationWish ?? 'NE'][verdict.kind];
  if (accept && verdict.kind !== 'accepted') return ['accept'];
  return [...(accept ? (['accept'] as const) : []), ...(application ? (['application'] as const) : [])];
}

/** Step 4 of arrival: the answers that are stored with the message, and the ear for what becomes of them. */
export function acknowledge({ record, answers }: Kept, parts: ArrivalParts): Receipt {
  return {
    messageId: record.id,
    answers: splitAnswers(answers),
    answered: (outcome) => tellFates(record, outcome, parts),
  };
}

/** What became of the answer to a message, to be written with the next commit. */
export function tellFates(
  record: MessageRecord,
  outcome: 'sent' | 'undelivered',
  { arrivals }: Pick<ArrivalParts, 'arrivals'>,
): void {
  if (isNews(record, outcome)) arrivals.answered(record.id, outcome);
}

/** An answer that once reached the sender stays `sent`, whatever becomes of its repetition. */
function isNews(record: MessageRecord, outcome: 'sent' | 'undelivered'): boolean {
  const known = record.acknowledgement;
  return known === 'pending' || (known === 'undelivered' && outcome === 'sent');
}
