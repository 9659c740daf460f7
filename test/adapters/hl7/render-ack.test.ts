// Rules of acknowledgements: addresses swapped, ids echoed byte for byte, everything else as the sender's version wants it.
import { describe, expect, test } from '@jest/globals';
import { hl7Format } from '../../../adapters/hl7/format.ts';
import type { Acknowledgement } from '../../../engine/index.ts';
import { describeWithSamples, sharedFile } from '../../support/shared.ts';

const at = Date.UTC(2026, 0, 2, 3, 4, 5);
const stamp = localStamp(at);

function localStamp(ms: number): string {
  const date = new Date(ms);
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('');
  return day + [two(date.getHours()), two(date.getMinutes()), two(date.getSeconds())].join('');
}

const accepted: Acknowledgement = { code: 'AA', reason: undefined };
const failed: Acknowledgement = { code: 'AE', reason: { code: 'hl7-no-type', text: 'MSH-9 | is ^ empty' } };

/** Segments of the answer; LATER stands for its time. */
function answer(raw: string | Uint8Array, acknowledgement: Acknowledgement): string[] {
  const bytes = hl7Format.renderAcknowledgement(Buffer.from(raw as string), acknowledgement, at, 'NEW1');
  const text = Buffer.from(bytes).toString('latin1');
  expect(text.endsWith('\r')).toBe(true);
  return text.slice(0, -1).replace(stamp, 'LATER').split('\r');
}

const of = (fields: string): string => `MSH|^~\\&|${fields}\rPID|1\r`;

describe('the header', () => {
  test.each([
    [
      'addresses swapped',
      of('A|B|C|D|1||ORU^R01|7|P|2.3.1'),
      'MSH|^~\\&|C|D|A|B|LATER||ACK^R01|NEW1|P|2.3.1',
    ],
    ['no addresses', of('||||1||ORU^R01|7|P|2.3.1'), 'MSH|^~\\&|||||LATER||ACK^R01|NEW1|P|2.3.1'],
    [
      'three components in MSH-9',
      of('A||C||1||OUL^R22^OUL_R22|7|P|2.5.1'),
      'MSH|^~\\&|C||A||LATER||ACK^R22^ACK|NEW1|P|2.5.1',
    ],
    ['no trigger event', of('A||C||1||ORU|7|P|2.3'), 'MSH|^~\\&|C||A||LATER||ACK|NEW1|P|2.3'],
    [
      'MSH-11 Q and a localised MSH-12',
      of('A||C||1||ORU^R01|7|Q^T|2.5^KEN'),
      'MSH|^~\\&|C||A||LATER||ACK^R01|NEW1|Q^T|2.5^KEN',
    ],
    ['MSH-11 and MSH-12 missing', of('A||C||1||ORU^R01|7'), 'MSH|^~\\&|C||A||LATER||ACK^R01|NEW1|P|2.5.1'],
    [
      'MSH-15 and MSH-16 are not echoed',
      of('A||C||1||ORU^R01|7|P|2.5.1|||NE|AL'),
      'MSH|^~\\&|C||A||LATER||ACK^R01|NEW1|P|2.5.1',
    ],
    [
      'MSH-16 of a Mindray BS is',
      of('A||C||1||ORU^R01|7|P|2.3.1||||2||ASCII|||'),
      'MSH|^~\\&|C||A||LATER||ACK^R01|NEW1|P|2.3.1||||2||ASCII',
    ],
    [
      'MSH-18',
      of('A||C||1||ORU^R01|7|P|2.3.1||||||UNICODE~8859/1'),
      'MSH|^~\\&|C||A||LATER||ACK^R01|NEW1|P|2.3.1||||||UNICODE~8859/1',
    ],
    [
      'MSH-21 stays in field 21',
      of('A||C||1||OUL^R22^OUL_R22|7|P|2.5.1|||NE|AL||UNICODE UTF-8|||LAB-29^IHE'),
      'MSH|^~\\&|C||A||LATER||ACK^R22^ACK|NEW1|P|2.5.1||||||UNICODE UTF-8|||LAB-29^IHE',
    ],
    [
      'other delimiters',
      'MSH$%*!@$A$B$C$D$1$$ORU%R01$7$P$2.3.1\r',
      'MSH$%*!@$C$D$A$B$LATER$$ACK%R01$NEW1$P$2.3.1',
    ],
    [
      'a time with offset is answered in it',
      of('A||C||20260101120000+0300||ORU^R01|7|P|2.5'),
      'MSH|^~\\&|C||A||20260102060405+0300||ACK^R01|NEW1|P|2.5',
    ],
    [
      'a western offset',
      of('A||C||20260101120000-0530||ORU^R01|7|P|2.5'),
      'MSH|^~\\&|C||A||20260101213405-0530||ACK^R01|NEW1|P|2.5',
    ],
    [
      'an event that would break the line stays in its field',
      of('A||C||1||ORU^R\\X0D\\1\\F\\|7|P|2.5'),
      'MSH|^~\\&|C||A||LATER||ACK^R\\.br\\1\\F\\|NEW1|P|2.5',
    ],
    ['no header at all', 'hello', 'MSH|^~\\&|||||LATER||ACK|NEW1|P|2.5.1'],
  ])('%s', (_, raw, header) => {
    expect(answer(raw, accepted)[0]).toBe(header);
  });
});

describe('the rest', () => {
  const versions = (version: string, more = ''): string => of(`A||C||1||ORU^R01|7|P|${version}${more}`);
  test.each<[rule: string, raw: string, acknowledgement: Acknowledgement, rest: string[]]>([
    ['2.5.1 accepted', versions('2.5.1'), accepted, ['MSA|AA|7']],
    ['2.5.1 commit', versions('2.5.1'), { code: 'CA', reason: undefined }, ['MSA|CA|7']],
    [
      '2.5.1 error',
      versions('2.5.1'),
      failed,
      ['MSA|AE|7', 'ERR|||101^Required field missing^HL70357|E||||MSH-9 \\F\\ is \\S\\ empty'],
    ],
    [
      '2.8 commit error',
      versions('2.8'),
      { code: 'CE', reason: { code: 'unavailable', text: 'later' } },
      ['MSA|CE|7', 'ERR|||207^Application internal error^HL70357|E||||later'],
    ],
    ['2.3.1 accepted (Mindray BC)', versions('2.3.1'), accepted, ['MSA|AA|7||||0|']],
    ['2.3.1 accepted (Mindray BS)', versions('2.3.1', '||||0'), accepted, ['MSA|AA|7|Message accepted|||0|']],
    [
      '2.3.1 rejected',
      versions('2.3.1'),
      { ...failed, code: 'AR' },
      ['MSA|AR|7|MSH-9 \\F\\ is \\S\\ empty|||101|'],
    ],
    [
      '2.4 error without reason',
      versions('2.4'),
      { code: 'AE', reason: undefined },
      ['MSA|AE|7|not accepted|||207|'],
    ],
    ['2.2 knows no MSA-6', versions('2.2'), failed, ['MSA|AE|7|MSH-9 \\F\\ is \\S\\ empty']],
    [
      'a long text in MSA-3',
      versions('2.3'),
      { code: 'AE', reason: { code: 'x', text: 'y'.repeat(200) } },
      [`MSA|AE|7|${'y'.repeat(80)}|||207|`],
    ],
    ['no control id', of('A||C||1||ORU^R01||P|2.5'), accepted, ['MSA|AA']],
    [
      'no header at all',
      '',
      { code: 'AR', reason: { code: 'hl7-no-header', text: 'no MSH' } },
      ['MSA|AR', 'ERR|||100^Segment sequence error^HL70357|E||||no MSH'],
    ],
    [
      'a code that is a name of Object',
      versions('2.5'),
      { code: 'AE', reason: { code: 'constructor', text: 'x' } },
      ['MSA|AE|7', 'ERR|||207^Application internal error^HL70357|E||||x'],
    ],
    [
      'line breaks in the text',
      versions('2.5'),
      { code: 'AE', reason: { code: 'x', text: 'a\r\nb' } },
      ['MSA|AE|7', 'ERR|||207^Application internal error^HL70357|E||||a\\.br\\b'],
    ],
  ])('%s', (_, raw, acknowledgement, rest) => {
    expect(answer(raw, acknowledgement).slice(1)).toEqual(rest);
  });
});

describe('MSA-2 is the control id as it came', () => {
  test.each([
    [
      'in latin-1',
      Buffer.from('MSH|^~\\&|||||1||ORU^R01|N°7\\T\\é|P|2.5||||||8859/1\r', 'latin1'),
      'N°7\\T\\é',
    ],
    [
      'in bytes that are not what MSH-18 says',
      Buffer.from('MSH|^~\\&|||||1||ORU^R01|é|P|2.5||||||UNICODE\r', 'latin1'),
      'é',
    ],
    ['in UTF-8', Buffer.from('MSH|^~\\&|||||1||ORU^R01|é|P|2.5||||||UNICODE\r'), 'Ã©'],
    ['with spaces', Buffer.from('MSH|^~\\&|||||1||ORU^R01| 7 |P|2.5\r'), ' 7 '],
    ['with components', Buffer.from('MSH|^~\\&|||||1||ORU^R01|7^x|P|2.5\r'), '7^x'],
  ])('%s', (_, raw, echoed) => {
    expect(answer(raw, accepted)[1]).toBe(`MSA|AA|${echoed}`);
  });

  test('our own text is written in the sender’s character set as far as it is known', () => {
    const reason = { code: 'x', text: 'ü' };
    const unicode = answer('MSH|^~\\&|||||1||ORU^R01|7|P|2.5||||||UNICODE UTF-8\r', { code: 'AE', reason });
    const other = answer('MSH|^~\\&|||||1||ORU^R01|7|P|2.5||||||8859/5\r', { code: 'AE', reason });
    expect([unicode[2]?.slice(-2), other[2]?.slice(-1)]).toEqual(['Ã¼', '?']);
  });
});

describeWithSamples('the shared samples', () => {
  test.each([
    ['mindray-bc5150-oru-r01', 'MSH|^~\\&|||||LATER||ACK^R01|NEW1|P|2.3.1||||||UNICODE', 'MSA|AA|389||||0|'],
    [
      'mindray-bs200-oru',
      'MSH|^~\\&|||Mindray|BS-200E|LATER||ACK^R01|NEW1|P|2.3.1||||0||ASCII',
      'MSA|AA|1|Message accepted|||0|',
    ],
    [
      'mindray-bs200-qc',
      'MSH|^~\\&|||Mindray|BS-200E|LATER||ACK^R01|NEW1|P|2.3.1||||2||ASCII',
      'MSA|AA|2|Message accepted|||0|',
    ],
    [
      'roche-x800-law-5-oul-r22',
      'MSH|^~\\&|Host||X800DM||20260102040405+0100||ACK^R22^ACK|NEW1|P|2.5.1||||||UNICODE UTF-8|||LAB-29^IHE',
      'MSA|AA|ffc2e7b1-e2a1-467d-aba8-831b3c0c2272',
    ],
    [
      'alinitym-quant',
      'MSH|^~\\&|||||20260102040405+0100||ACK^R22^ACK|NEW1|P|2.5.1||||||UNICODE UTF-8|||LAB-29^IHE',
      'MSA|AA|MSG-ALM-003',
    ],
    [
      'cobas4800-query',
      'MSH|^~\\&|LIS|LIS Facility|cobas 4800 software 2.3.0.1905|EXAMPLE LAB|20260102040405+0100||ACK^Q11^ACK|NEW1|P|2.5.1||||||UNICODE UTF-8|||LAB-27^IHE',
      'MSA|AA|MSG-4800-Q1',
    ],
    [
      'genexpert-oru-r30',
      'MSH|^~\\&|LIS||GeneXpert PC^GeneXpert^Dx4.7b.1_Demo||LATER||ACK^R32^ACK|NEW1|P|2.5',
      'MSA|AA|URM-sj+xSBVA-03',
    ],
    [
      'cobaspure-qc',
      'MSH|^~\\&|Host||cobas pure||20260102120405+0900||ACK^R22^ACK|NEW1|P|2.5.1||||||UNICODE UTF-8|||LAB-29^IHE',
      'MSA|AA|159',
    ],
  ])('%s', (name, header, msa) => {
    expect(answer(sharedFile(`samples/lab/hl7/${name}.hl7`), accepted)).toEqual([header, msa]);
  });
});
