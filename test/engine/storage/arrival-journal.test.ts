// What is durable outside of the store: found again after any end of the engine, whole or not at all.
import { readFileSync, statSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openArrivalJournal, type ArrivalJournal } from '../../../engine/storage/arrival-journal.ts';

let folder: string;
let path: string;
let journal: ArrivalJournal;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kiungo-journal-'));
  path = join(folder, 'arrivals');
  journal = await openArrivalJournal(path);
});

afterEach(async () => {
  await journal.close();
  rmSync(folder, { recursive: true });
});

const bytes = (text: string): Uint8Array => Buffer.from(text);
const append = (number: number, text = `message ${number}`): Promise<void> =>
  journal.append({ number, content: bytes(text) });

async function found(mark = 0): Promise<readonly string[]> {
  await journal.close();
  journal = await openArrivalJournal(path);
  const entries = await journal.read(mark);
  return entries.map(({ number, content }) => `${number} ${Buffer.from(content).toString()}`);
}

const lengths = (): readonly number[] => [0, 1].map((place) => statSync(`${path}.${place}`).size);

describe('what was appended', () => {
  test('is there when it is opened again, in the order of its numbers', async () => {
    await Promise.all([append(2), append(1), append(3, '')]);
    await append(4);
    expect(await found()).toEqual(['1 message 1', '2 message 2', '3 ', '4 message 4']);
  });

  test('is left out up to the mark: the store has it', async () => {
    await Promise.all([1, 2, 3].map((number) => append(number)));
    expect(await found(2)).toEqual(['3 message 3']);
  });

  test('is added to after it was opened again', async () => {
    await append(1);
    expect(await found()).toEqual(['1 message 1']);
    await append(2);
    expect(await found()).toEqual(['1 message 1', '2 message 2']);
  });

  test('only its owner may read', async () => {
    expect(statSync(`${path}.0`).mode & 0o777).toBe(0o600);
  });
});

describe('cut by a power cut', () => {
  test('at every byte: what is whole is there, and what comes after it too', async () => {
    await append(1, 'one');
    const whole = statSync(`${path}.0`).size;
    await append(2, 'two');
    const all = readFileSync(`${path}.0`);
    for (let length = whole; length < all.byteLength; length += 1) {
      writeFileSync(`${path}.0`, all.subarray(0, length));
      expect(await found()).toEqual(['1 one']);
      await append(3, 'three');
      expect(await found()).toEqual(['1 one', '3 three']);
    }
  });

  test.each([0, 3, 5, 9, 16, 18])('a byte that is another one (%s) ends what is read', async (place) => {
    await append(1, 'one');
    const start = statSync(`${path}.0`).size;
    await append(2, 'two');
    const all = readFileSync(`${path}.0`);
    all[start + place] = (all[start + place] ?? 0) ^ 1;
    writeFileSync(`${path}.0`, all);
    expect(await found()).toEqual(['1 one']);
  });

  test('what lies whole behind the cut does not come back behind what is written over it', async () => {
    await append(1, 'one');
    const start = statSync(`${path}.0`).size;
    await Promise.all([append(2, 'two'), append(3, 'six')]);
    const all = readFileSync(`${path}.0`);
    all.fill(0, start, start + 16);
    writeFileSync(`${path}.0`, all);
    expect(await found()).toEqual(['1 one']);
    await append(2, 'ten');
    expect(await found()).toEqual(['1 one', '2 ten']);
  });

  test('pages that were never written are zeros: nothing is read of them', async () => {
    await append(1, 'one');
    writeFileSync(`${path}.0`, Buffer.concat([readFileSync(`${path}.0`), Buffer.alloc(8_192)]));
    expect(await found()).toEqual(['1 one']);
  });
});

describe('what is forgotten', () => {
  const large = 'x'.repeat(600_000);

  test('gives its space to what comes later', async () => {
    for (let number = 1; number <= 40; number += 1) {
      await append(number, large);
      journal.forget(number);
    }
    expect(Math.max(...lengths())).toBeLessThan(2_000_000);
    await append(41, 'last');
    expect(await found(40)).toEqual(['41 last']);
  });

  test('stays as long as one after it in the same file is needed, and the other file goes on', async () => {
    for (let number = 1; number <= 20; number += 1) await append(number, large);
    journal.forget(15);
    for (let number = 21; number <= 23; number += 1) await append(number, `later ${number}`);
    expect(lengths().every((length) => length > 0)).toBe(true);
    const numbers = (await found(15)).map((line) => Number(line.split(' ')[0]));
    expect(numbers).toEqual([16, 17, 18, 19, 20, 21, 22, 23]);
  });
});

test('a disk that takes nothing is told to who appends, and what comes later is tried anew', async () => {
  const full = await openArrivalJournal(path);
  await full.close();
  await expect(full.append({ number: 1, content: bytes('lost') })).rejects.toThrow();
  await append(2);
  expect(await found()).toEqual(['2 message 2']);
});
