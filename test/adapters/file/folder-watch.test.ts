// The folder watch: a file is taken once it is complete, kept before it is moved, and known when it is seen again.
import { mkdtempSync, readdirSync, rmSync, writeFileSync, appendFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createFolderWatch, type FolderWatch } from '../../../adapters/file/folder-watch.ts';
import { silentLogger } from '../../../engine/kernel/logger.ts';
import { until } from '../../engine/messages/house.ts';
import { oru } from '../hl7/support/raw-client.ts';
import { recordingInbox, type RecordingInbox } from '../hl7/support/recording-inbox.ts';

let folder: string;
let watch: FolderWatch;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kiungo-watch-'));
});
afterEach(async () => {
  await watch.stop();
  rmSync(folder, { recursive: true });
});

async function watching(inbox: RecordingInbox, maxBytes = 100_000): Promise<void> {
  watch = createFolderWatch({
    ...{ inbox, folder, maxBytes, logger: silentLogger, channel: 'night' },
    mediaType: 'application/hl7-v2',
    endings: ['.hl7'],
    everyMs: 20,
  });
  await watch.start();
}
const inside = (place: string): readonly string[] => readdirSync(join(folder, place));

test('a complete file is kept, answered and moved aside; others are left alone', async () => {
  const inbox = recordingInbox();
  await watching(inbox);
  for (const name of ['b.hl7', 'a.HL7', 'notes.doc', '.hidden.hl7']) {
    writeFileSync(join(folder, name), oru(name));
  }
  await until(() => inside('taken').length === 2);
  expect(inbox.arrivals.map(({ raw }) => Buffer.from(raw).toString().split('|')[9])).toEqual([
    'a.HL7',
    'b.hl7',
  ]);
  expect(inbox.arrivals[0]).toMatchObject({ isFile: true, peer: expect.stringMatching(/^file:a\.HL7 20/) });
  expect(inside('answers')).toHaveLength(2);
  expect(inbox.sent).toHaveLength(2);
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(['notes.doc', '.hidden.hl7']));
});

test('a file that still grows is not taken', async () => {
  const inbox = recordingInbox();
  const file = join(folder, 'slow.hl7');
  writeFileSync(file, oru('1'));
  await watching(inbox);
  for (let piece = 0; piece < 10; piece += 1) {
    appendFileSync(file, `NTE|${piece}\r`);
    await new Promise((wait) => setTimeout(wait, 10));
  }
  await until(() => inside('taken').length === 1);
  expect(inbox.arrivals).toHaveLength(1);
  expect(Buffer.from(inbox.arrivals[0]!.raw).toString()).toContain('NTE|9');
});

test('what could not be kept stays, and is taken later', async () => {
  let isBroken = true;
  const inbox = recordingInbox(async () => {
    if (isBroken) throw new Error('disk full');
  });
  await watching(inbox);
  writeFileSync(join(folder, 'a.hl7'), oru('1'));
  await until(() => inbox.arrivals.length > 1);
  expect(inside('taken')).toEqual([]);
  isBroken = false;
  await until(() => inside('taken').length === 1);
});

test('a file that is seen again, as after a power cut, has the same peer', async () => {
  const inbox = recordingInbox();
  await watching(inbox);
  writeFileSync(join(folder, 'a.hl7'), oru('1'));
  await until(() => inside('taken').length === 1);
  renameSync(join(folder, 'taken', inside('taken')[0]!), join(folder, 'a.hl7'));
  await until(() => inbox.arrivals.length === 2);
  expect(inbox.arrivals[1]?.peer).toBe(inbox.arrivals[0]?.peer);
});

test('one that is too large is put aside', async () => {
  const inbox = recordingInbox();
  await watching(inbox, 100);
  writeFileSync(join(folder, 'a.hl7'), 'x'.repeat(101));
  await until(() => inside('refused').length === 1);
  expect(inbox.arrivals).toEqual([]);
});
