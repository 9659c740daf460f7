// Rules of framing: whatever the chunks, noise and faults, each whole message comes out once, as it was, in order.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { frame, FrameDecoder, type FrameEvent, type FramingOptions } from '../../../adapters/hl7/framing.ts';
import { describeWithSamples, sharedFile } from '../../support/shared.ts';

const VT = '\x0b';
const END = '\x1c\r';

function decode(
  chunks: readonly Uint8Array[],
  options: Partial<FramingOptions> = {},
): { events: FrameEvent[]; dropped: number } {
  const decoder = new FrameDecoder({ maxFrameBytes: 1_000_000, ...options });
  const events = [...chunks.flatMap((chunk) => decoder.push(chunk)), ...decoder.end()];
  return { events, dropped: decoder.dropped };
}

/** Events in short: a message as its text, anything else by name. */
const told = (events: readonly FrameEvent[]): string[] =>
  events.map((event) =>
    event.kind === 'message'
      ? event.bytes.toString('latin1')
      : event.kind === 'broken'
        ? `<${event.cause} ${event.size}>`
        : `<oversize ${event.head.length}>`,
  );

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const bytewise = (data: Buffer): Buffer[] => Array.from(data, (byte) => Buffer.of(byte));

const one = 'MSH|^~\\&|A\rPID|1\r';
const two = 'MSH|^~\\&|B\rOBX|1|ST|x||\xe9\r';

const cases: readonly (readonly [
  rule: string,
  stream: string,
  expected: readonly string[],
  dropped: number,
])[] = [
  ['one frame', VT + one + END, [one], 0],
  ['N frames in a row', VT + one + END + VT + two + END + VT + one + END, [one, two, one], 0],
  ['one and a half frames', VT + one + END + VT + two.slice(0, 9), [one, '<unfinished 9>'], 0],
  [
    'noise between frames is dropped and counted',
    `xy\0\r\n${VT}${one}${END}zz\0${VT}${two}${END}\n`,
    [one, two],
    9,
  ],
  ['keep-alive: empty and blank frames', `${VT}${END}${VT}\r${END}${VT}${one}${END}`, [one], 1],
  ['missing VT', one + END + two + END, [one, two], 0],
  ['missing VT after noise', `MMSMS${one}${END}`, [one], 5],
  ['missing CR after FS', `${VT}${one}\x1c${VT}${two}\x1c`, [one, two], 0],
  ['VT and header within a message begin anew', `${VT}MSH|lost${VT}${one}${END}`, ['<restarted 8>', one], 0],
  [
    'VT without header is part of the message',
    `${VT}MSH|a${VT}b${VT}MSx${VT}${VT}${END}`,
    [`MSH|a${VT}b${VT}MSx${VT}${VT}`],
    0,
  ],
  ['two VT before a message', VT + VT + one + END, [one], 1],
  [
    'a broken frame takes no neighbour with it',
    `${VT}${one}${END}${VT}MSH|cut\r${VT}${two}${END}JUNK${VT}${one}${END}`,
    [one, '<restarted 8>', two, one],
    4,
  ],
  ['FS CR outside a frame is noise', `\x1c\r${VT}${one}${END}`, [one], 2],
  [
    'batch headers begin a frame too',
    `${VT}FHS|lost${VT}BHS|^~\\&\r${END}`,
    ['<restarted 8>', 'BHS|^~\\&\r'],
    0,
  ],
  ['something else framed is handed on', `${VT}hello${END}`, ['hello'], 0],
];

describe.each(cases)('%s', (_, stream, expected, dropped) => {
  const data = bytes(stream);
  test('in one chunk', () => {
    const decoded = decode([data]);
    expect({ told: told(decoded.events), dropped: decoded.dropped }).toEqual({ told: expected, dropped });
  });
  test('byte by byte', () => {
    const decoded = decode(bytewise(data));
    expect({ told: told(decoded.events), dropped: decoded.dropped }).toEqual({ told: expected, dropped });
  });
  test('cut at every byte', () => {
    for (let cut = 0; cut <= data.length; cut += 1) {
      const decoded = decode([data.subarray(0, cut), data.subarray(cut)]);
      expect({ cut, told: told(decoded.events), dropped: decoded.dropped }).toEqual({
        cut,
        told: expected,
        dropped,
      });
    }
  });
});

describe('the end of a message', () => {
  test('is known at FS, without waiting for a CR that may come late', () => {
    const decoder = new FrameDecoder({ maxFrameBytes: 1000 });
    expect(told(decoder.push(bytes(`${VT}${one}\x1c`)))).toEqual([one]);
    expect(told(decoder.push(bytes(`\r${VT}${two}\x1c`)))).toEqual([two]);
    expect(decoder.dropped).toBe(0);
  });
  test.each([
    ['FS CR ends', `${VT}a\x1c\r`, ['a']],
    ['FS alone does not', `${VT}a\x1cb\x1c\x1c\r`, ['a\x1cb\x1c']],
    ['nor at the end of the stream', `${VT}a\x1c`, ['<unfinished 2>']],
  ])('when the CR is required: %s', (_, stream, expected) => {
    for (const chunks of [[bytes(stream)], bytewise(bytes(stream))]) {
      expect(told(decode(chunks, { requireEndOfData: true }).events)).toEqual(expected);
    }
  });
});

describe('a frame larger than allowed', () => {
  const limited = { maxFrameBytes: 20 };
  test('of exactly the limit is taken', () => {
    expect(told(decode([frame(Buffer.alloc(20, 'x'))], limited).events)).toEqual(['x'.repeat(20)]);
  });
  test.each([
    ['at once', [frame(Buffer.alloc(21, 'x')), frame(bytes(one))]],
    ['byte by byte', bytewise(frame(Buffer.alloc(21, 'x')))],
    ['without an end in sight', [bytes(`${VT}${'x'.repeat(21)}`)]],
  ])('is reported once with its head, and nothing is read after it: %s', (_, chunks) => {
    const { events } = decode(chunks, limited);
    expect(events.map((event) => event.kind)).toEqual(['oversize']);
  });
  test('leaves its neighbour before it', () => {
    const stream = Buffer.concat([frame(bytes(one)), frame(Buffer.alloc(21, 'x'))]);
    expect(told(decode([stream], limited).events)).toEqual([one, '<oversize 21>']);
  });
});

describe('any chunking', () => {
  const letters = fc.string({
    unit: fc.constantFrom('a', '|', '\r', 'M', 'S', 'H', '\n', '\xe9', '\0'),
    maxLength: 60,
  });
  const message = letters.map((text) => `MSH|${text}`);
  const noise = fc.string({
    unit: fc.constantFrom('x', '\r', '\n', '\0', ' ', 'M', 'S', '\x1c'),
    maxLength: 8,
  });
  const piece = fc.tuple(noise, message);
  const stream = fc.tuple(
    fc.array(piece, { maxLength: 8 }),
    noise,
    fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
  );

  test('gives back every message once, as it was, in order', () => {
    fc.assert(
      fc.property(stream, ([pieces, tail, sizes]) => {
        const data = bytes(pieces.map(([before, text]) => before + VT + text + END).join('') + tail);
        const chunks: Buffer[] = [];
        for (let at = 0; at < data.length;) {
          const size = sizes[chunks.length % sizes.length] ?? 1;
          chunks.push(data.subarray(at, at + size));
          at += size;
        }
        expect(told(decode(chunks).events)).toEqual(pieces.map(([, text]) => text));
      }),
      { numRuns: 500 },
    );
  });
});

describe('large messages', () => {
  /** What a message of `size` bytes, pushed in chunks of `chunk`, costs: ms of this process, whatever else the machine does. */
  function cost(size: number, chunk: number): number {
    const data = frame(Buffer.concat([Buffer.from('MSH|'), Buffer.alloc(size, 'x')]));
    const decoder = new FrameDecoder({ maxFrameBytes: 100_000_000 });
    const began = process.cpuUsage();
    let messages = 0;
    for (let at = 0; at < data.length; at += chunk) {
      for (const event of decoder.push(data.subarray(at, at + chunk))) {
        expect(event.kind === 'message' && event.bytes.length).toBe(size + 4);
        messages += 1;
      }
    }
    expect(messages).toBe(1);
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1000;
  }

  test.each([
    ['64 kB', 65_536],
    ['1500 bytes', 1500],
    ['100 bytes', 100],
  ])('50 MB in chunks of %s take about ten times what 5 MB take', (_, chunk) => {
    cost(5_000_000, chunk);
    const small = Math.max(cost(5_000_000, chunk), 20);
    // Quadratic, it would be a hundred times.
    expect(Math.min(cost(50_000_000, chunk), cost(50_000_000, chunk))).toBeLessThan(small * 45);
  });

  test('5 MB come byte by byte', () => {
    expect(cost(5_000_000, 1)).toBeLessThan(25_000);
  });

  test('a message full of VT stays linear', () => {
    const data = Buffer.concat([Buffer.from(`${VT}MSH|`), Buffer.alloc(2_000_000, VT), Buffer.from(END)]);
    const began = performance.now();
    expect(decode([data], { maxFrameBytes: 3_000_000 }).events).toHaveLength(1);
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

describeWithSamples('the shared samples', () => {
  const folder = resolve(process.env['KIUNGO_SHARED'] ?? '../shared', 'samples/lab/hl7');
  const names = (): string[] => readdirSync(folder);
  test('are the same after any cut, with a neighbour on both sides', () => {
    for (const name of names()) {
      const sample = sharedFile(`samples/lab/hl7/${name}`);
      const data = Buffer.concat([frame(bytes(one)), frame(sample), frame(bytes(two))]);
      for (let cut = 0; cut <= data.length; cut += 1) {
        const { events } = decode([data.subarray(0, cut), data.subarray(cut)]);
        const [before, middle, after] = events.map((event) =>
          event.kind === 'message' ? event.bytes : undefined,
        );
        const whole =
          events.length === 3 &&
          before?.equals(bytes(one)) &&
          middle?.equals(sample) &&
          after?.equals(bytes(two));
        if (!whole) throw new Error(`${name} cut at ${cut}`);
      }
    }
  });
});
