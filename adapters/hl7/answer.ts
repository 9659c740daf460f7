// What an acknowledgement says about the message that we sent.
import type { RetryClass } from '../../engine/index.ts';
import { readHeader, type Reason } from './header.ts';
import { parseMessage } from './message.ts';
import { narrowed } from './wide.ts';

export interface Answer {
  /** MSA-1 */
  readonly code: string;
  /** MSA-2: the control id of the message that is answered. */
  readonly controlId: string;
  /** MSH-9.1 */
  readonly kind: string;
}

/** What an answer is matched with. */
export interface Sent {
  /** MSH-10 as it stands in the message, still escaped, as it is echoed in MSA-2; '' where there is none. */
  readonly controlId: string;
  /** MSH-9.1 */
  readonly kind: string;
}

/** Undefined when it is no message with an MSA that names code and message. */
export function readAnswer(raw: Buffer, charset: string | undefined): Answer | undefined {
  const { message } = parseMessage(raw, charset);
  const msa = message?.segments.find(({ name }) => name === 'MSA');
  const [code, controlId] = [msa?.text(1), msa?.source(2)];
  const kind = message?.type.split('^', 1)[0] ?? '';
  return code && controlId ? { code, controlId, kind } : undefined;
}

export function sentOf(raw: Uint8Array, charset: string | undefined): Sent {
  const read = readHeader(narrowed(raw), charset);
  if (!('header' in read)) return { controlId: '', kind: '' };
  const { text } = read.header;
  return { controlId: text.source(10), kind: text.text(9) };
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

/** HL7 2.5.1, table 0354: what answers a kind of message besides ACK, where it has answers of its own. */
const responseKinds: Readonly<Record<string, readonly string[]>> = {
  ADT: ['ADR'],
  MFN: ['MFK'],
  MFQ: ['MFR'],
  OMB: ['ORB'],
  OMD: ['ORD'],
  OMG: ['ORG'],
  OMI: ['ORI'],
  OML: ['ORL'],
  OMN: ['ORN'],
  OMP: ['ORP'],
  OMS: ['ORS'],
  OPL: ['OPR'],
  ORM: ['ORR', 'ORG', 'ORL', 'ORP', 'ORS', 'ORN', 'ORD'],
  ORU: ['ORA'],
  OSQ: ['OSR'],
  QBP: ['RSP', 'RTB', 'RDY'],
  QRY: ['QCK', 'DSR', 'ADR', 'ORF', 'RAR', 'RDR', 'RER', 'RGR', 'ROR', 'OSR'],
  RAS: ['RRA'],
  RDE: ['RRE'],
  RDS: ['RRD'],
  RGV: ['RRG'],
  RQA: ['RPA'],
  RQC: ['RCI', 'RCL'],
  RQI: ['RPI'],
  RQP: ['RPI'],
  REF: ['RRI'],
  SQM: ['SQR'],
  SRM: ['SRR'],
  VXQ: ['VXX', 'VXR'],
};

const misfitting: Verdict = {
  kind: 'refused',
  retry: 'ambiguous',
  reason: {
    code: 'hl7-answer-type',
    text: 'the receiver answered with a message of another kind (MSH-9) than answers this one; ask it whether the message arrived',
  },
};

/** Receivers that send our own MSH-9 back have answered all the same. */
export function verdictOn(answer: Answer, { kind }: Sent): Verdict {
  const fitting = [
    'ACK',
    'MCF',
    kind,
    ...(Object.hasOwn(responseKinds, kind) ? (responseKinds[kind] ?? []) : []),
  ];
  return fitting.includes(answer.kind) ? verdictOf(answer.code) : misfitting;
}
