// UTF-16, which some senders write: read as UTF-8 where it is whole, and answered in kind. MLLP ends a frame at 1C 0D, which UTF-16 may hold
// within a text (U+0D1C), so only what ends as a segment does is known to be whole.
import { isWide } from './charset.ts';

interface Wide {
  readonly order: 'little' | 'big';
  readonly hasMark: boolean;
}

const mark = '\ufeff';

/** Undefined for anything but UTF-16; UTF-32 is none. */
function wideOf(raw: Buffer): Wide | undefined {
  if (!isWide(raw) || raw.length < 4) return undefined;
  const [first = 0, second = 0, third = 0, fourth = 0] = raw;
  const order = first === 0xff || second === 0 ? 'little' : 'big';
  const isUtf32 = order === 'little' ? third === 0 && fourth === 0 : first === 0 && second === 0;
  return isUtf32 ? undefined : { order, hasMark: first >= 0xfe };
}

const swapped = (bytes: Buffer): Buffer => Buffer.from(bytes).swap16();

/** In UTF-8, with its mark, where the bytes are a whole text in UTF-16; the bytes themselves where they are anything else. */
export function narrowed(raw: Uint8Array): Buffer {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const wide = wideOf(bytes);
  if (wide === undefined || bytes.length % 2 === 1) return bytes;
  const text = (wide.order === 'little' ? bytes : swapped(bytes)).toString('utf16le');
  if (!/[\r\n]\0*$/.test(text.slice(-8))) return bytes;
  return Buffer.from(wide.hasMark ? text : mark + text);
}

/** `answer`, which is in UTF-8 or less, in the encoding of the message that it answers. */
export function asWideAs(raw: Uint8Array, answer: Buffer): Buffer {
  const wide = wideOf(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength));
  if (wide === undefined) return answer;
  const text = Buffer.from((wide.hasMark ? mark : '') + answer.toString('utf8'), 'utf16le');
  return wide.order === 'little' ? text : swapped(text);
}
