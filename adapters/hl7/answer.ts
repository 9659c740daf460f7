// What an acknowledgement says about the message that we sent.
import type { RetryClass } from '../../engine/index.ts';
import { readHeader, type Reason } from './header.ts';
import { parseMessage } from './message.ts';

export interface Answer {
  /** MSA-1 */
  readonly code: string;
  /** MSA-2: the control id of the message that is answered. */
  readonly controlId: string;
}

/** Undefined when it is no message with an MSA that names code and message. */
export function readAnswer(raw: Buffer, charset: string | undefined): Answer | undefined {
  const { message } = parseMessage(raw, charset);
  const msa = message?.segments.find(({ name }) => name === 'MSA');
  const [code, controlId] = [msa?.text(1), msa?.source(2)];
  return code && controlId ? { code, controlId } : undefined;
}

/** MSH-10 as it stands in the message, still escaped, as it is echoed in MSA-2; '' where there is none. */
export function controlIdOf(raw: Uint8Array, charset: string | undefined): string {
  const read = readHeader(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength), charset);
  return 'header' in read ? read.header.text.source(10) : '';
}

export type Verdict =
  | { readonly kind: 'accepted'; readonly level: 'commit' | 'application' }
  | { readonly kind: 'refused'; readonly retry: RetryClass; readonly reason: Reason };

/** HL7 table 0008, and what follows for the sender: an error may pass, a rejection will not. */
const verdicts: Readonly<Record<string, Verdict>> = {
  AA: { kind: 'accepted', level: 'application' },
  CA: { kind: 'accepted', level: 'commit' },
  AE: refusedWith('AE', 'transient', 'an error'),
  CE: refusedWith('CE', 'transient', 'an error in keeping it'),
  AR: refusedWith('AR', 'permanent', 'a rejection'),
  CR: refusedWith('CR', 'permanent', 'a refusal to keep it'),
};

function refusedWith(code: string, retry: RetryClass, meaning: string): Verdict {
  const text = `the receiver answered the message with ${code} (${meaning}); its own log says why`;
  return { kind: 'refused', retry, reason: { code: `hl7-answer-${code.toLowerCase()}`, text } };
}

export const malformed: Verdict = {
  kind: 'refused',
  retry: 'ambiguous',
  reason: {
    code: 'hl7-answer-malformed',
    text: 'the receiver answered with something that acknowledges nothing; ask it whether the message arrived',
  },
};

export const misdirected: Verdict = {
  kind: 'refused',
  retry: 'ambiguous',
  reason: {
    code: 'hl7-answer-mismatch',
    text: 'the receiver acknowledged another message (MSA-2 is not our MSH-10); ask it whether this one arrived',
  },
};

export function verdictOf(code: string): Verdict {
  return (Object.hasOwn(verdicts, code) ? verdicts[code] : undefined) ?? malformed;
}
