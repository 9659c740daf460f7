// From bytes to text: what MSH-18 (HL7 table 0211), a channel's setting and the bytes themselves say about the character set.
// https://terminology.hl7.org/CodeSystem-v2-0211.html
import { isAscii, isUtf8 } from 'node:buffer';
import type { Issue } from '../../engine/index.ts';

type Decode = (bytes: Buffer) => string;

/** How a character set is to be read; `refused` says why it cannot be. */
type Charset =
  | { readonly kind: 'utf-8' }
  | { readonly kind: 'ascii' }
  | { readonly kind: 'code-page'; readonly decode: Decode }
  | { readonly kind: 'refused'; readonly why: string };

/** The names of table 0211 and what devices write instead, folded by `folded`, and the label by which TextDecoder knows them. */
const labels: Readonly<Record<string, string>> = {
  '': 'ascii',
  ASCII: 'ascii',
  'US-ASCII': 'ascii',
  UNICODE: 'utf-8',
  'UNICODE UTF-8': 'utf-8',
  'UTF-8': 'utf-8',
  UTF8: 'utf-8',
  'WINDOWS-1252': 'windows-1252',
  CP1252: 'windows-1252',
  'ISO-8859-1': 'windows-1252',
  LATIN1: 'windows-1252',
  'ISO IR14': 'iso-2022-jp',
  'ISO IR87': 'iso-2022-jp',
  'ISO IR13': 'shift-jis',
  'GB 18030-2000': 'gb18030',
  GB18030: 'gb18030',
  GBK: 'gb18030',
  'KS X 1001': 'euc-kr',
  'BIG-5': 'big5',
};

/** The parts of ISO 8859 that there are, and Node decodes (there is no part 12). */
const latinParts: ReadonlySet<number> = new Set([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15]);

const wide = /^(UNICODE )?(UTF|UCS)-?(16|32|2|4)(LE|BE)?$/;

/**
 * Bytes 80–9F of windows-1252, https://encoding.spec.whatwg.org/index-windows-1252.txt: done here because Node's own decoder reads
 * them as control characters.
 */
const windows1252 =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

const decodeWindows1252: Decode = (bytes) =>
  bytes
    .toString('latin1')
    .replace(/[\x80-\x9f]/g, (character) => windows1252.charAt(character.charCodeAt(0) - 0x80));

const folded = (name: string): string => name.trim().toUpperCase().replaceAll('_', '-').replace(/\s+/g, ' ');

function labelOf(name: string): string | undefined {
  const part = /^(?:ISO[ -]?)?8859[/-](\d{1,2})$/.exec(name)?.[1];
  if (part === '1') return 'windows-1252';
  if (part !== undefined) return latinParts.has(Number(part)) ? `iso-8859-${part}` : undefined;
  return Object.hasOwn(labels, name) ? labels[name] : undefined;
}

function charsetNamed(name: string): Charset {
  const key = folded(name);
  if (wide.test(key)) return { kind: 'refused', why: `${key} cannot be framed by MLLP; send UNICODE UTF-8` };
  const label = labelOf(key);
  if (label === undefined) {
    return { kind: 'refused', why: 'this character set is not known here; send UNICODE UTF-8' };
  }
  if (label === 'utf-8' || label === 'ascii') return { kind: label };
  if (label === 'windows-1252') return { kind: 'code-page', decode: decodeWindows1252 };
  return { kind: 'code-page', decode: (bytes) => new TextDecoder(label).decode(bytes) };
}

/** Whether a channel may be set to this character set. */
export function isKnownCharset(name: string): boolean {
  return charsetNamed(name).kind !== 'refused';
}

/**
 * What a text is to be read in, of all the character sets that MSH-18 names. A Japanese sender writes `~ISO IR87`: ASCII, and escape
 * sequences (ISO 2022) where kanji begin and end; `iso-2022-jp` reads both.
 */
export function declaredOf(names: readonly string[]): string {
  const [first = '', ...others] = names;
  const switched = others.find((name) => labelOf(folded(name)) === 'iso-2022-jp');
  return switched !== undefined && isAsciiLike(first) ? switched : first;
}

const isAsciiLike = (name: string): boolean => labelOf(folded(name)) === 'ascii';

/** Other tables that are switched to within a text: their bytes would be read as if they were letters. */
const shift = /\x1b[$(),*.\-/]/;

export interface Decoded {
  readonly text: string;
  readonly issues: readonly Issue[];
  /** Reads further bytes of the same message, as from \Xhh\. */
  readonly decode: Decode;
}

const decodeUtf8: Decode = (bytes) => bytes.toString('utf8');
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

const about = (code: string, text: string): Issue => ({ severity: 'warning', code, text, place: 'MSH-18' });

/**
 * The text of a message that names `declared` in MSH-18 ('' where it does not), on a channel that is set to `channel`. Never fails: what
 * does not fit what was declared is read as well as it can be, with an issue. A byte order mark is left out.
 */
export function decodeText(bytes: Buffer, declared: string, channel: string | undefined): Decoded {
  if (bytes.subarray(0, 3).equals(byteOrderMark)) return decodedUtf8(bytes.subarray(3), channel);
  const wanted = charsetNamed(declared === '' ? (channel ?? 'UTF-8') : declared);
  if (wanted.kind === 'code-page') return decodedCodePage(bytes, wanted.decode);
  if (isAscii(bytes)) {
    const text = bytes.toString('latin1');
    return { text, issues: [...notTaken(wanted), ...switchedIn(text)], decode: decodeUtf8 };
  }
  if (wanted.kind === 'utf-8') return decodedUtf8(bytes, channel);
  const guessed = decodedUtf8(bytes, channel);
  const undeclared = about(
    'hl7-charset-undeclared',
    'bytes beyond ASCII though MSH-18 does not announce them',
  );
  return { ...guessed, issues: wanted.kind === 'refused' ? notTaken(wanted) : [undeclared] };
}

const switchedIn = (text: string): readonly Issue[] =>
  shift.test(text)
    ? [
        about(
          'hl7-charset-unknown',
          'the text switches character sets (ISO 2022) to one that MSH-18 does not name, or that is not known here; send UNICODE UTF-8',
        ),
      ]
    : [];

function notTaken(charset: Charset): readonly Issue[] {
  return charset.kind === 'refused' ? [about('hl7-charset-unknown', `MSH-18: ${charset.why}`)] : [];
}

function decodedUtf8(bytes: Buffer, channel: string | undefined): Decoded {
  if (isUtf8(bytes)) return { text: bytes.toString('utf8'), issues: [], decode: decodeUtf8 };
  const fallback = charsetNamed(channel ?? 'windows-1252');
  const decode = fallback.kind === 'code-page' ? fallback.decode : decodeWindows1252;
  const text =
    'not valid UTF-8; read in the code page of the channel. Set MSH-18 or the charset of the channel';
  return { text: decode(bytes), issues: [about('hl7-charset-invalid', text)], decode };
}

function decodedCodePage(bytes: Buffer, decode: Decode): Decoded {
  const text = decode(bytes);
  const issues = text.includes('\ufffd')
    ? [about('hl7-charset-invalid', 'some bytes mean nothing in the character set of MSH-18')]
    : [];
  return { text, issues, decode };
}

/** Whether bytes are UTF-16 or UTF-32 by their look: no message can be read from them. */
export function isWide(bytes: Uint8Array): boolean {
  const [first, second, third] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  return (
    (first === 0x4d && second === 0) || (first === 0 && (second === 0x4d || (second === 0 && third === 0)))
  );
}
