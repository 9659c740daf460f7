// Reads what archive.ts has written: the lines of a file, up to where a power cut ended it.
import { createReadStream } from 'node:fs';
import { constants, createGunzip } from 'node:zlib';
import { badRequest } from '../kernel/outcomes.ts';
import type { ArchivedLine } from './archive.ts';

/**
 * In their order. What follows the last whole line is left out: it is of a piece that a power cut has cut, which the store had not let go of.
 * Throws Refusal `bad-request` for what is no archive.
 */
export async function* readArchive(file: string): AsyncGenerator<ArchivedLine> {
  let rest: Buffer[] = [];
  for await (const chunk of unpacked(file)) {
    let from = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, from)) {
      yield lineOf(Buffer.concat([...rest, chunk.subarray(from, end)]), file);
      rest = [];
      from = end + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
}

const lineFeed = 0x0a;

async function* unpacked(file: string): AsyncGenerator<Buffer> {
  const source = createReadStream(file);
  // An end in the midst of a member is no error so.
  const content = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  source.on('error', (error) => content.destroy(error));
  try {
    for await (const chunk of source.pipe(content)) yield chunk as Buffer;
  } catch (error) {
    throw badRequest(`${file} cannot be read: ${(error as Error).message}`);
  } finally {
    source.destroy();
  }
}

function lineOf(bytes: Buffer, file: string): ArchivedLine {
  try {
    return JSON.parse(bytes.toString('utf8')) as ArchivedLine;
  } catch {
    throw badRequest(`${file} is no archive of messages: a line of it is no JSON`);
  }
}
