// Batches: cut into their messages byte for byte, and answered as HL7 2.10.3 says.
import { describe, expect, test } from '@jest/globals';
import { openBatch } from '../../../adapters/hl7/batch.ts';

const msh = (id: string): string => `MSH|^~\\&|LAB|H|||20261121120000+0300||ORU^R01|${id}|P|2.5.1\r`;
const message = (id: string): string => `${msh(id)}OBX|1|ST|1||x\r`;
const bhs = 'BHS|^~\\&|LAB|H|LIS|W|20261121120000+0300||night||B7\r';
const fhs = 'FHS|^~\\&|LAB|H|LIS|W|20261121120000+0300||file||F9\r';

const open = (text: string, sequences = false) => openBatch(Buffer.from(text), sequences);
const texts = (text: string, sequences = false): readonly string[] | undefined =>
  open(text, sequences)?.messages.map((bytes) => Buffer.from(bytes).toString());

describe('what is in a batch', () => {
  test.each<[string, string, readonly string[]]>([
    ['two messages', `${bhs}${message('1')}${message('2')}BTS|2\r`, [message('1'), message('2')]],
    ['no trailer', `${bhs}${message('1')}`, [message('1')]],
    ['a bare trailer at the end', `${bhs}${message('1')}BTS`, [message('1')]],
    [
      'a file of two batches',
      `${fhs}${bhs}${message('1')}BTS|1\r${bhs}${message('2')}BTS|1\rFTS|2\r`,
      [message('1'), message('2')],
    ],
    [
      'a file without batch headers',
      `${fhs}${message('1')}${message('2')}FTS|1\r`,
      [message('1'), message('2')],
    ],
    ['nothing', `${bhs}BTS|0\r`, []],
    [
      'line feeds',
      `${bhs}${message('1')}BTS|1\r`.replaceAll('\r', '\n'),
      [message('1').replaceAll('\r', '\n')],
    ],
    [
      'both line ends',
      `${bhs}${message('1')}BTS|1\r`.replaceAll('\r', '\r\n'),
      [message('1').replaceAll('\r', '\r\n')],
    ],
    ['blank lines before and between', `\r\n ${bhs}\r\r${message('1')}`, [message('1')]],
    [
      'a text that speaks of a header',
      `${bhs}${msh('1')}NTE|1||BTS|\rMSHould be read\r`,
      [`${msh('1')}NTE|1||BTS|\rMSHould be read\r`],
    ],
    [
      'a message with delimiters of its own',
      `${bhs}${msh('1')}${msh('2').replaceAll('|', '#')}`,
      [msh('1'), msh('2').replaceAll('|', '#')],
    ],
  ])('%s', (_name, text, expected) => {
    expect(texts(text)).toEqual(expected);
    expect(open(text)?.fault).toBeUndefined();
  });

  test('bytes beyond ASCII stay as they are', () => {
    const bytes = Buffer.concat([Buffer.from(bhs), Buffer.from(msh('1')), Buffer.from([0xd6, 0xff, 0x0d])]);
    expect(Buffer.from(openBatch(bytes)!.messages[0]!).subarray(-3)).toEqual(Buffer.from([0xd6, 0xff, 0x0d]));
  });

  test.each([
    ['one message', message('1')],
    ['messages without header', `${message('1')}${message('2')}`],
    ['something else', 'EHLO'],
    ['nothing', ''],
    ['a header without delimiters', 'BHS'],
  ])('%s is no batch', (_name, text) => expect(open(text)).toBeUndefined());

  test('in a file messages may follow each other without header', () => {
    expect(texts(`${message('1')}${message('2')}`, true)).toEqual([message('1'), message('2')]);
    expect(texts(message('1'), true)).toBeUndefined();
  });

  test.each([
    ['hl7-batch-count', `${bhs}${message('1')}BTS|2\r`],
    ['hl7-batch-count', `${fhs}${bhs}${message('1')}BTS|1\rFTS|2\r`],
    ['hl7-batch-stray', `${bhs}PID|1\r${message('1')}`],
    ['hl7-batch-stray', `${bhs}${message('1')}BTS|1\rOBX|2\r`],
    ['hl7-batch-stray', `${bhs}${message('1')}${fhs}`],
    ['hl7-batch-too-many', `${bhs}${msh('1').repeat(10_001)}`],
  ])('%s: none is taken', (code, text) => expect(open(text)?.fault?.code).toBe(code));

  test('twenty megabytes take time linear in their size', () => {
    const text = bhs + message('1').repeat(8_000) + `NTE|1||${'x'.repeat(20_000_000)}\r`;
    const begin = performance.now();
    expect(open(text)?.messages).toHaveLength(8_000);
    expect(performance.now() - begin).toBeLessThan(3_000);
  });
});

describe('the answer to a batch', () => {
  const at = Date.UTC(2026, 10, 21, 9);
  const answer = (text: string, answers: readonly string[][]): readonly string[] => {
    const given = answers.map((one) => one.map((each) => Buffer.from(each)));
    return Buffer.from(open(text)!.renderAnswer(given, at, 'A1'))
      .toString()
      .split('\r')
      .filter(Boolean);
  };

  test('is a batch addressed back, that names the batch and counts its acknowledgements', () => {
    const text = `${bhs}${message('1')}${message('2')}BTS|2\r`;
    expect(answer(text, [['MSA|AA|1\r'], ['MSA|AA|2\r']])).toEqual([
      'BHS|^~\\&|LIS|W|LAB|H|20261121120000+0300||night||A1|B7',
      'MSA|AA|1',
      'MSA|AA|2',
      'BTS|2',
    ]);
  });

  test('is a file for a file, a batch for each batch', () => {
    const text = `${fhs}${bhs}${message('1')}${message('2')}BTS|2\r${bhs}${message('3')}FTS|2\r`;
    expect(answer(text, [['MSA|AA|1\r'], [], ['MSA|AR|3\r']])).toEqual([
      'FHS|^~\\&|LIS|W|LAB|H|20261121120000+0300||file||A1|F9',
      'BHS|^~\\&|LIS|W|LAB|H|20261121120000+0300||night||A1|B7',
      'MSA|AA|1',
      'BTS|1',
      'BHS|^~\\&|LIS|W|LAB|H|20261121120000+0300||night||A1|B7',
      'MSA|AR|3',
      'BTS|1',
      'FTS|2',
    ]);
  });

  test('a batch that names what it answers is known as an answer', () => {
    expect(open(`${bhs.trim()}|B6\rBTS|0\r`)?.isAnswer).toBe(true);
    expect(open(`${bhs}BTS|0\r`)?.isAnswer).toBe(false);
  });
});
