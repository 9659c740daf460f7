// Rules of parsing: fields by the numbers HL7 gives them, escapes undone, senders' habits tolerated, nothing thrown.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { WireSegment } from '../../../engine/index.ts';
import { hl7Format } from '../../../adapters/hl7/format.ts';
import { describeWithSamples, sharedFile } from '../../support/shared.ts';

const msh = 'MSH|^~\\&|LAB^1.2^ISO|H&x|||20260102||ORU^R01^ORU_R01|7|P|2.5.1';

function segments(text: string): readonly WireSegment[] {
  return hl7Format.parse(Buffer.from(text)).message?.segments ?? [];
}

/** The second segment of a message. */
const segment = (line: string, header = msh): WireSegment => segments(`${header}\r${line}\r`)[1]!;

describe('MSH counts its own separator', () => {
  const header = segments(`${msh}\r`)[0]!;
  test.each([
    [1, '|'],
    [2, '^~\\&'],
    [3, 'LAB'],
    [4, 'H'],
    [9, 'ORU'],
    [10, '7'],
    [12, '2.5.1'],
    [13, ''],
    [0, ''],
    [-1, ''],
  ])('MSH-%i is %s', (field, text) => {
    expect(header.text(field)).toBe(text);
  });
  test('its parts', () => {
    expect([header.text(3, 1, 2), header.text(4, 1, 1, 2), header.text(9, 1, 3), header.fields]).toEqual([
      '1.2',
      'x',
      'ORU_R01',
      12,
    ]);
    expect([
      header.text(2, 1, 2),
      header.repetitions(2),
      header.components(2),
      header.subcomponents(2, 1, 1),
    ]).toEqual(['', 1, 1, 1]);
  });
});

describe('fields, repetitions, components, subcomponents', () => {
  const pid = segment('PID|1||A^^^X&Y&Z^MR~B||""|');
  test.each<[place: string, actual: string | number, expected: string | number]>([
    ['PID-1', pid.text(1), '1'],
    ['PID-3', pid.text(3), 'A'],
    ['PID-3.4', pid.text(3, 1, 4), 'X'],
    ['PID-3.4.3', pid.text(3, 1, 4, 3), 'Z'],
    ['PID-3.4.4', pid.text(3, 1, 4, 4), ''],
    ['PID-3.6', pid.text(3, 1, 6), ''],
    ['PID-3[2]', pid.text(3, 2), 'B'],
    ['PID-3[3]', pid.text(3, 3), ''],
    ['PID-4', pid.text(4), ''],
    ['PID-5, the null', pid.text(5), '""'],
    ['PID-9', pid.text(9), ''],
    ['source of PID-3', pid.source(3), 'A^^^X&Y&Z^MR~B'],
    ['source of PID-3[1]', pid.source(3, 1), 'A^^^X&Y&Z^MR'],
    ['repetitions', pid.repetitions(3), 2],
    ['repetitions of nothing', pid.repetitions(2), 0],
    ['components', pid.components(3, 1), 5],
    ['components of the second', pid.components(3, 2), 1],
    ['components of nothing', pid.components(3, 9), 0],
    ['subcomponents', pid.subcomponents(3, 1, 4), 3],
    ['fields', pid.fields, 6],
    ['position', pid.position, 2],
    ['name', pid.name, 'PID'],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected);
  });

  test('an unescaped & in a text can be read whole', () => {
    const obr = segment(`OBR|1${'|'.repeat(31)}R&D Engineer`);
    expect([obr.text(32), obr.source(32)]).toEqual(['R', 'R&D Engineer']);
  });
});

describe('escapes', () => {
  test.each([
    ['\\F\\', '|'],
    ['\\S\\', '^'],
    ['\\T\\', '&'],
    ['\\R\\', '~'],
    ['\\E\\', '\\'],
    ['a\\.br\\b', 'a\nb'],
    ['a\\.sp\\b\\.sp+2\\c', 'a\nb\n\nc'],
    ['a\\.ce\\b\\.sk3\\c', 'a\nb   c'],
    ['\\.in+4\\\\.ti-2\\\\.fi\\a\\.nf\\', 'a'],
    ['\\.sp999\\', '\\.sp999\\'],
    ['\\C2842\\', '\\C2842\\'],
    ['\\X41\\', 'A'],
    ['\\X0D0a\\', '\r\n'],
    ['\\H\\bold\\N\\', 'bold'],
    ['R\\T\\D\\F\\x', 'R&D|x'],
    ['\\Zlocal\\', '\\Zlocal\\'],
    ['\\X4\\', '\\X4\\'],
    ['\\XZZ\\', '\\XZZ\\'],
    ['C:\\temp\\F\\x', 'C:\\temp|x'],
    ['50\\', '50\\'],
    ['\\\\F\\', '\\|'],
    ['\\constructor\\', '\\constructor\\'],
    ['\\E\\T\\E\\', '\\T\\'],
    ['\\P\\', ''],
  ])('%s is %j', (written, meant) => {
    expect(segment(`NTE|1||${written}`).text(3)).toBe(meant);
  });
  test('source keeps them', () => {
    expect(segment('NTE|1||a\\T\\b').source(3)).toBe('a\\T\\b');
  });
});

describe('delimiters are the sender’s', () => {
  test.each([
    ['others', 'MSH$%*!@$A%B', 'PID$1$a%b@c*d', ['a', 'b', 'c', 'd']],
    ['a fifth', 'MSH|^~\\&#|A^B', 'PID|1|a^b&c~d', ['a', 'b', 'c', 'd']],
    ['one named twice', 'MSH|^~\\\\&|A^B', 'PID|1|a^b&c~d', ['a', 'b', 'c', 'd']],
    ['no subcomponent', 'MSH|^~\\|A^B', 'PID|1|a^b&c~d', ['a', 'b&c', '', 'd']],
    ['components only', 'MSH|^|A^B', 'PID|1|a^b&c~d', ['a', 'b&c~d', '', '']],
  ])('%s', (_, header, line, expected) => {
    const field = header.charAt(3);
    const component = header.charAt(4);
    const full = [header, '', '', '', '', '', `ORU${component}R01`, '1'].join(field);
    const pid = segment(line, full);
    expect([pid.text(2), pid.text(2, 1, 2), pid.text(2, 1, 2, 2), pid.text(2, 2)]).toEqual(expected);
  });
});

describe('line ends', () => {
  const lines = [msh, 'PID|1', 'OBX|1|ST|a||b'];
  test.each([
    ['CR', `${lines.join('\r')}\r`],
    ['CR, none at the end', lines.join('\r')],
    ['LF', `${lines.join('\n')}\n`],
    ['CRLF', `${lines.join('\r\n')}\r\n`],
    ['blank lines', `\r\n${lines.join('\r\r')}\r\r \r`],
    ['white space and NUL around', `\0 \n${lines.join('\r')}\r\0`],
  ])('%s', (_, text) => {
    const { message, issues } = hl7Format.parse(Buffer.from(text));
    expect(message?.segments.map(({ name, position }) => `${position} ${name}`)).toEqual([
      '1 MSH',
      '2 PID',
      '3 OBX',
    ]);
    expect(message?.segments[2]?.text(5)).toBe('b');
    expect(issues).toEqual([]);
  });

  test('a line that begins no segment belongs to the text before it, with an issue', () => {
    const { message, issues } = hl7Format.parse(
      Buffer.from(`${msh}\rNTE|1||first\nsecond line\r\nPIDgin|x\rOBX|1\r`),
    );
    expect(message?.segments.map(({ name }) => name)).toEqual(['MSH', 'NTE', 'OBX']);
    expect(message?.segments[1]?.text(3)).toBe('first\nsecond line\nPIDgin');
    expect(issues).toMatchObject([{ severity: 'warning', code: 'hl7-stray-line' }]);
  });
});

describe('what cannot be read is said, not thrown', () => {
  test.each([
    ['nothing', '', 'hl7-no-header'],
    ['something else', 'hello', 'hl7-no-header'],
    ['a segment without MSH', 'PID|1\r', 'hl7-no-header'],
    ['MSH alone', 'MSH', 'hl7-no-delimiters'],
    ['no encoding characters', 'MSH||x|y', 'hl7-no-delimiters'],
    ['letters as delimiters', 'MSHAbcdA', 'hl7-no-delimiters'],
    ['no message type', 'MSH|^~\\&|A|B|C|D|1|||7|P|2.3\rPID|1\r', 'hl7-no-type'],
    ['a batch', 'BHS|^~\\&|A\rMSH|^~\\&|A\r', 'hl7-batch'],
    ['a file', 'FHS|^~\\&|A\r', 'hl7-batch'],
    ['two messages in one frame', `${msh}\rPID|1\r${msh}\rPID|2\r`, 'hl7-several-messages'],
  ])('%s', (_, text, code) => {
    const raw = Buffer.from(text);
    expect(hl7Format.identify(raw).unreadable?.code).toBe(code);
    const { message, issues } = hl7Format.parse(raw);
    expect(message).toBeUndefined();
    expect(issues).toMatchObject([{ severity: 'error', code }]);
  });

  test('too many segments', () => {
    const { message, issues } = hl7Format.parse(Buffer.from(`${msh}\r${'NTE\r'.repeat(100_001)}`));
    expect([message, issues[0]?.code]).toEqual([undefined, 'hl7-too-many-segments']);
  });

  test('any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, headed) => {
        const raw = headed ? Buffer.concat([Buffer.from('MSH|^~\\&|'), bytes]) : Buffer.from(bytes);
        hl7Format.identify(raw);
        for (const part of hl7Format.parse(raw).message?.segments ?? []) {
          for (let field = 0; field <= part.fields + 1; field += 1) part.text(field, 1, 2, 1);
        }
        expect(
          hl7Format.renderAcknowledgement(raw, { code: 'AR', reason: undefined }, 0, 'x').length,
        ).toBeGreaterThan(0);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the envelope', () => {
  const wishing = (accept: string, application: string): string =>
    `MSH|^~\\&|LAB|H|||20260102||OUL^R22^OUL_R22|7|P|2.5.1|||${accept}|${application}`;

  test('tells type, control id and sender', () => {
    expect(hl7Format.identify(Buffer.from(`${msh}\r`))).toMatchObject({
      controlId: '7',
      messageType: 'ORU^R01',
      sender: 'LAB|H',
      isAnswer: false,
      unreadable: undefined,
    });
  });
  test.each([
    ['NE', 'AL', 'NE', 'AL'],
    ['ER', 'SU', 'ER', 'SU'],
    ['', '', undefined, undefined],
    ['', '0', undefined, undefined],
    ['', '1', undefined, undefined],
    ['AL', '2', 'AL', undefined],
    ['al', 'toString', undefined, undefined],
  ])('MSH-15 %j and MSH-16 %j wish %s and %s', (accept, application, acceptWish, applicationWish) => {
    expect(hl7Format.identify(Buffer.from(wishing(accept, application)))).toMatchObject({
      acceptWish,
      applicationWish,
    });
  });
  test('a missing control id is readable', () => {
    const envelope = hl7Format.identify(Buffer.from('MSH|^~\\&|||||1||ORU^R01||P|2.3\r'));
    expect([envelope.controlId, envelope.unreadable]).toEqual(['', undefined]);
  });
  test.each([
    ['ACK', 'MSH|^~\\&|||||1||ACK|7|P|2.3\rMSA|AA|1\r', true],
    ['ACK without MSA', 'MSH|^~\\&|||||1||ACK^R01|7|P|2.3\r', true],
    ['RSP', 'MSH|^~\\&|||||1||RSP^K11|7|P|2.5\nMSA|AA|1\n', true],
    ['ORU', `${msh}\rOBX|1|ST|MSA||MSA|\r`, false],
    ['QRY', 'MSH|^~\\&|||||1||QRY^Q02|7|P|2.3\rQRD|1\r', false],
  ])('%s is an answer: %s', (_, text, isAnswer) => {
    expect(hl7Format.identify(Buffer.from(text)).isAnswer).toBe(isAnswer);
  });
});

describeWithSamples('the shared samples', () => {
  interface Sample {
    readonly file: string;
    readonly facts: Readonly<Record<string, unknown>>;
  }
  const samples = (): Sample[] =>
    (JSON.parse(sharedFile('samples/lab/manifest.json').toString()) as Sample[]).filter(({ file }) =>
      file.startsWith('hl7/'),
    );

  test('have the facts that were counted independently', () => {
    for (const { file, facts } of samples()) {
      const { message, issues } = hl7Format.parse(sharedFile(`samples/lab/${file}`));
      const header = message!.segments[0]!;
      const of = (name: string): readonly WireSegment[] =>
        message!.segments.filter((part) => part.name === name);
      expect({ file, issues }).toEqual({ file, issues: [] });
      const found = {
        segments: message!.segments.length,
        msh9: header.source(9),
        msh10: header.text(10),
        msh11: header.text(11),
        msh12: header.text(12),
        msh15: header.text(15),
        msh16: header.text(16),
        msh18: header.source(18),
        msh21: header.source(21),
        obx: of('OBX').length,
        spm: of('SPM').length,
        obr2: of('OBR').map((obr) => obr.source(2)),
        obr3: of('OBR').map((obr) => obr.source(3)),
      };
      const expected = Object.fromEntries(Object.keys(found).map((name) => [name, facts[name]]));
      expect({ file, ...found }).toEqual({ file, ...expected });
    }
  });
});
