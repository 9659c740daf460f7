// A file drop: a delivery is one whole file, and the same delivery handed out twice is still one.
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createFileDrop } from '../../../adapters/file/file-drop.ts';

const folder = (): string => join(mkdtempSync(join(tmpdir(), 'kiungo-drop-')), 'ward');
const note = { id: 'd1', contentType: 'text/plain; charset=utf-8', payload: Buffer.from('Platelets 33') };

test('a delivery becomes one file that only the owner can read, and nothing is left beside it', async () => {
  const ward = folder();

  expect(await createFileDrop(ward).send(note)).toEqual({ state: 'done' });

  expect(readdirSync(ward)).toEqual(['d1.txt']);
  expect(readFileSync(join(ward, 'd1.txt'), 'utf8')).toBe('Platelets 33');
  expect(statSync(join(ward, 'd1.txt')).mode & 0o777).toBe(0o600);
});

test('the same delivery handed out again replaces its file', async () => {
  const ward = folder();
  const sender = createFileDrop(ward);

  await sender.send(note);
  await sender.send(note);

  expect(readdirSync(ward)).toEqual(['d1.txt']);
});

test('a folder that cannot be made is a failure to try again, told without the content', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'kiungo-drop-')), 'a-file');
  writeFileSync(file, '');

  const result = await createFileDrop(join(file, 'ward')).send(note);

  expect(result).toMatchObject({ state: 'failed', retry: 'transient', reason: { code: 'file-not-written' } });
  expect(JSON.stringify(result)).not.toContain('Platelets');
});
