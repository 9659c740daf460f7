// Rules of character sets: MSH-18 says it, the channel where MSH-18 is silent, and the bytes where neither is true.
import { describe, expect, test } from '@jest/globals';
import { isKnownCharset } from '../../../adapters/hl7/charset.ts';
import { hl7Format } from '../../../adapters/hl7/format.ts';

const header = (charset: string): string => `MSH|^~\\&|||||20260102||ORU^R01|1|P|2.5.1||||||${charset}\r`;

/** OBX-5 of a message that says `charset` and carries `bytes` there, and the codes of its issues. */
function read(
  charset: string,
  bytes: Uint8Array,
  channel?: string,
): { text: string | undefined; issues: string[] } {
  const raw = Buffer.concat([Buffer.from(`${header(charset)}OBX|1|ST|1||`), bytes, Buffer.from('|x\r')]);
  const { message, issues } = hl7Format.parse(raw, channel);
  return { text: message?.segments[1]?.text(5), issues: issues.map((issue) => issue.code) };
}

const utf8 = Buffer.from('Ångström €');
const latin = Buffer.from('Ångström', 'latin1');

test.each<
  [
    rule: string,
    charset: string,
    bytes: Uint8Array,
    channel: string | undefined,
    text: string,
    issues: string[],
  ]
>([
  ['UNICODE UTF-8', 'UNICODE UTF-8', utf8, undefined, 'Ångström €', []],
  ['UNICODE means UTF-8 (Mindray)', 'UNICODE', utf8, undefined, 'Ångström €', []],
  ['UTF-8', 'utf-8', utf8, undefined, 'Ångström €', []],
  ['the first repetition counts', 'UNICODE UTF-8~ISO IR87', utf8, undefined, 'Ångström €', []],
  ['8859/1', '8859/1', latin, undefined, 'Ångström', []],
  ['8859/1 with the euro sign of windows-1252', '8859/1', Buffer.of(0x80, 0x92), undefined, '€’', []],
  ['8859/2', '8859/2', Buffer.of(0xb1, 0xe6), undefined, 'ąć', []],
  ['8859/5', '8859/5', Buffer.of(0xbf, 0xe0), undefined, 'Пр', []],
  ['8859/6', '8859/6', Buffer.of(0xc7), undefined, 'ا', []],
  ['8859/7', '8859/7', Buffer.of(0xe1), undefined, 'α', []],
  ['8859/8', '8859/8', Buffer.of(0xe0), undefined, 'א', []],
  ['8859/9', '8859/9', Buffer.of(0xfe), undefined, 'ş', []],
  ['8859/3', '8859/3', Buffer.of(0xa1), undefined, 'Ħ', []],
  ['8859/4', '8859/4', Buffer.of(0xa3), undefined, 'Ŗ', []],
  ['8859/10', '8859/10', Buffer.of(0xa3), undefined, 'Ģ', []],
  ['8859/11 (Thai)', '8859/11', Buffer.of(0xa1), undefined, 'ก', []],
  ['8859/13', '8859/13', Buffer.of(0xa8), undefined, 'Ø', []],
  ['8859/14', '8859/14', Buffer.of(0xa1), undefined, 'Ḃ', []],
  ['8859/12, which there is not', '8859/12', Buffer.from('a'), undefined, 'a', ['hl7-charset-unknown']],
  ['BIG-5', 'BIG-5', Buffer.of(0xa4, 0xa4), undefined, '中', []],
  ['KS X 1001', 'KS X 1001', Buffer.of(0xb0, 0xa1), undefined, '가', []],
  ['ISO IR13 (half-width kana)', 'ISO IR13', Buffer.of(0xb1), undefined, 'ｱ', []],
  [
    'ASCII, and IR87 where it is switched to',
    '~ISO IR87',
    Buffer.from('a\x1b$BF|\x1b(Bb'),
    undefined,
    'a日b',
    [],
  ],
  ['the same, ASCII said', 'ASCII~ISO IR87', Buffer.from('\x1b$BF|\x1b(B'), undefined, '日', []],
  ['IR159 alone', 'ISO IR159', Buffer.from('abc'), undefined, 'abc', ['hl7-charset-unknown']],
  [
    'a switch to a table that is not known',
    '~ISO IR159',
    Buffer.from('\x1b$(D0!\x1b(B'),
    undefined,
    '\x1b$(D0!\x1b(B',
    ['hl7-charset-unknown'],
  ],
  ['8859/15', '8859/15', Buffer.of(0xa4), undefined, '€', []],
  ['ISO-8859-2 is 8859/2', 'ISO-8859-2', Buffer.of(0xb1), undefined, 'ą', []],
  ['GB 18030-2000', 'GB 18030-2000', Buffer.of(0xd6, 0xd0), undefined, '中', []],
  [
    'ISO IR87, whose bytes may look like delimiters',
    'ISO IR87',
    Buffer.from('\x1b$BF|\x1b(B'),
    undefined,
    '日',
    [],
  ],
  ['bytes that mean nothing', '8859/7', Buffer.of(0xff), undefined, '\ufffd', ['hl7-charset-invalid']],
  ['ASCII', 'ASCII', Buffer.from('abc'), undefined, 'abc', []],
  ['ASCII that is UTF-8', 'ASCII', utf8, undefined, 'Ångström €', ['hl7-charset-undeclared']],
  ['ASCII that is latin-1', 'ASCII', latin, undefined, 'Ångström', ['hl7-charset-undeclared']],
  ['none said: UTF-8', '', utf8, undefined, 'Ångström €', []],
  ['none said: the channel', '', Buffer.of(0xb1), '8859/2', 'ą', []],
  ['MSH-18 before the channel', 'UNICODE UTF-8', utf8, '8859/2', 'Ångström €', []],
  ['invalid UTF-8: windows-1252', 'UNICODE UTF-8', latin, undefined, 'Ångström', ['hl7-charset-invalid']],
  ['invalid UTF-8: the channel', 'UNICODE', Buffer.of(0xb1), '8859/2', 'ą', ['hl7-charset-invalid']],
  [
    'UTF-16 said of ASCII bytes',
    'UNICODE UTF-16',
    Buffer.from('abc'),
    undefined,
    'abc',
    ['hl7-charset-unknown'],
  ],
  ['an unknown one said of UTF-8 bytes', 'KLINGON', utf8, undefined, 'Ångström €', ['hl7-charset-unknown']],
  ['a name of Object is unknown', 'constructor', Buffer.from('a'), undefined, 'a', ['hl7-charset-unknown']],
])('%s', (_, charset, bytes, channel, text, issues) => {
  expect(read(charset, bytes, channel)).toEqual({ text, issues });
});

describe('a byte order mark', () => {
  test('means UTF-8, whatever MSH-18 says, and is no part of the message', () => {
    const raw = Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), Buffer.from(`${header('8859/1')}NTE|1||é\r`)]);
    const { message, issues } = hl7Format.parse(raw);
    expect([message?.segments[0]?.name, message?.segments[1]?.text(3), issues]).toEqual(['MSH', 'é', []]);
    expect(hl7Format.identify(raw).controlId).toBe('1');
  });
});

describe('UTF-16', () => {
  const text = `${header('UNICODE UTF-16')}PID|1||7^^^^MR||Wanjir\u0169^\u065e\u0418\r`;
  const little = (characters: string): Buffer => Buffer.from(characters, 'utf16le');
  const big = (characters: string): Buffer => little(characters).swap16();

  test.each([
    ['little-endian with mark', '\ufeff', little],
    ['little-endian', '', little],
    ['big-endian', '', big],
    ['big-endian with mark', '\ufeff', big],
  ])('%s is read, and answered in kind', (_, mark, encode) => {
    const raw = encode(mark + text);
    expect(hl7Format.identify(raw)).toMatchObject({ controlId: '1', unreadable: undefined });
    const { message, issues } = hl7Format.parse(raw);
    expect([message?.segments[1]?.text(5), message?.segments[1]?.text(5, 1, 2), issues]).toEqual([
      'Wanjir\u0169',
      '\u065e\u0418',
      [],
    ]);
    const accepted = { code: 'AA', reason: undefined } as const;
    const answer = Buffer.from(hl7Format.renderAcknowledgement(raw, accepted, 0, 'a1'));
    const plain = (encode === little ? answer : Buffer.from(answer).swap16()).toString('utf16le');
    expect(plain.startsWith(`${mark}MSH|^~\\&|`)).toBe(true);
    expect(plain).toMatch(/\rMSA\|AA\|1\r$/);
  });

  // MLLP takes U+0D1C, whose bytes are 1C 0D, for the end of a frame: what is before it must not pass for a whole message.
  test.each([
    ['cut within a text', little(text.slice(0, -3))],
    ['cut within a character', little(text).subarray(0, -1)],
    ['in UTF-32', Buffer.from(Array.from(text, (one) => [one.charCodeAt(0) & 0xff, 0, 0, 0]).flat())],
  ])('%s it is refused, saying why', (_, raw) => {
    expect(hl7Format.identify(raw).unreadable?.code).toBe('hl7-charset-wide');
    expect(hl7Format.parse(raw).message).toBeUndefined();
  });
});

test('the bytes themselves are never changed', () => {
  const raw = Buffer.concat([Buffer.from(header('UNICODE')), latin]);
  const before = Buffer.from(raw);
  hl7Format.parse(raw);
  hl7Format.identify(raw);
  expect(raw.equals(before)).toBe(true);
});

test('\\X..\\ is read in the character set of the message', () => {
  expect(read('UNICODE UTF-8', Buffer.from('\\XC3A9\\')).text).toBe('é');
  expect(read('8859/1', Buffer.from('\\XE9\\')).text).toBe('é');
});

test.each([
  ['UTF-8', true],
  ['windows-1252', true],
  ['8859/15', true],
  ['8859/12', false],
  ['8859/99', false],
  ['UTF-16', false],
  ['nothing', false],
])('a channel set to %s: %s', (name, known) => {
  expect(isKnownCharset(name)).toBe(known);
});
