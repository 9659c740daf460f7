// HL7 v2 as the message engine sees it: what the envelope tells, the parsed message, the acknowledgement.
import type { AcknowledgementWish, Envelope, MessageFormat } from '../../engine/index.ts';
import { openBatch } from './batch.ts';
import { isAnswer, readHeader, typeMissing, type Header, type Reason } from './header.ts';
import { messageType, parseMessage } from './message.ts';
import { renderAcknowledgement } from './render-ack.ts';
import { renderMessage } from './render-message.ts';
import { narrowed } from './wide.ts';

/** HL7 table 0155. Mindray BS writes 0, 1 or 2 into MSH-16 and means the kind of sample: no wish. */
const wishes: Readonly<Record<string, AcknowledgementWish>> = { AL: 'AL', NE: 'NE', ER: 'ER', SU: 'SU' };

const wishOf = (text: string): AcknowledgementWish =>
  Object.hasOwn(wishes, text) ? wishes[text] : undefined;

function identify(raw: Uint8Array, charset?: string): Envelope {
  const bytes = narrowed(raw);
  const read = readHeader(bytes, charset);
  return 'unreadable' in read ? unreadable(read.unreadable) : envelopeOf(bytes, read.header);
}

function envelopeOf(raw: Buffer, header: Header): Envelope {
  const { text } = header;
  return {
    controlId: text.text(10),
    messageType: messageType(text),
    sender: [text.text(3), text.text(4)].filter((part) => part !== '' && part !== '""').join('|'),
    acceptWish: wishOf(text.text(15)),
    applicationWish: wishOf(text.text(16)),
    isAnswer: isAnswer(raw, header),
    unreadable: typeMissing(header),
  };
}

function unreadable(reason: Reason): Envelope {
  return {
    controlId: '',
    messageType: '',
    sender: '',
    acceptWish: undefined,
    applicationWish: undefined,
    isAnswer: false,
    unreadable: reason,
  };
}

export const hl7Format: MessageFormat = {
  mediaTypes: ['application/hl7-v2', 'x-application/hl7-v2+er7', 'text/x-hl7-v2'],
  identify,
  openBatch,
  parse: parseMessage,
  renderAcknowledgement,
  renderMessage,
};
