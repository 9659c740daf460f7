// An upload in the midst of which the engine is killed leaves nothing behind; what was stored before is whole.
import { rmSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Connection } from '../../engine/storage/sqlite/connection.ts';
import { accessToken, newDataFolder, startEngine, type RunningEngine } from '../support/engine-process.ts';

const mebibyte = 1024 * 1024;
const chunk = Buffer.alloc(mebibyte, 'not so random bytes');

/** What lies in the file, asked beside the engine or after it. */
function piecesIn(data: string): number {
  const options = { cacheKiB: 1_024, mapBytes: 0, busyTimeoutMs: 5_000, readOnly: true };
  const connection = new Connection(join(data, 'store', 'hospital.sqlite'), options);
  const row = connection.row<{ pieces: number }>('SELECT count(*) AS pieces FROM content_piece');
  connection.close();
  return row?.pieces ?? 0;
}

/** Sends half of what it announces, and waits. */
async function sendHalf({ base, data }: RunningEngine, mebibytes: number): Promise<void> {
  const upload = request(`${base}/fhir/R4/Binary`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await accessToken(base, data)}`,
      'content-type': 'application/dicom',
      'content-length': String(2 * mebibytes * mebibyte),
    },
  });
  upload.on('error', () => undefined);
  for (let sent = 0; sent < mebibytes; sent += 1) upload.write(chunk);
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries += 1) {
    if (tries > 200) throw new Error('it has not come about within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('a killed upload is gone soon after the next start', async () => {
  const data = newDataFolder();
  const first = await startEngine(data);
  const headers = { 'content-type': 'application/dicom' };
  const stored = await first.fetch('/fhir/R4/Binary/whole', { method: 'PUT', headers, body: chunk });
  expect(stored.status).toBe(201);
  const before = piecesIn(data);
  await sendHalf(first, 8);
  await until(() => piecesIn(data) > before + 8);
  await first.kill();
  expect(piecesIn(data)).toBeGreaterThan(before + 8);
  const second = await startEngine(data);
  await until(() => piecesIn(data) === before);
  const read = await second.fetch('/fhir/R4/Binary/whole');
  expect(Buffer.from(await read.arrayBuffer()).equals(chunk)).toBe(true);
  expect(await second.stop()).toBe(0);
  rmSync(data, { recursive: true });
}, 120_000);
