// Results of requests that were answered later, each in a file of its own until it is fetched.
import { createReadStream, mkdirSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { HttpAnswer } from '../../kernel/http-route.ts';
import { Refusal } from '../../kernel/outcomes.ts';
import { isStream } from '../answer.ts';

/** Longer results are refused, bytes. */
const mostKept = 2 ** 30;

export interface Results {
  /** Writes the body of an answer; stops with undefined when `isCancelled`. Throws Refusal `too-large`. Answers its bytes. */
  keep(id: string, body: HttpAnswer['body'], isCancelled: () => boolean): Promise<number>;
  read(id: string): AsyncIterable<Uint8Array>;
  drop(id: string): Promise<void>;
  dropAll(): void;
}

/** What lies in the folder from an earlier run is removed: nobody can ask for it any more. */
export function createResults(folder: string): Results {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const fileOf = (id: string): string => join(folder, `${id}.json`);
  return {
    keep: (id, body, isCancelled) => write(fileOf(id), body, isCancelled),
    read: (id) => createReadStream(fileOf(id)) as AsyncIterable<Uint8Array>,
    drop: (id) => rm(fileOf(id), { force: true }),
    dropAll: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function write(file: string, body: HttpAnswer['body'], isCancelled: () => boolean): Promise<number> {
  const handle = await open(file, 'wx', 0o600);
  let written = 0;
  try {
    for await (const piece of piecesOf(body)) {
      if (isCancelled()) break;
      const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
      written += bytes.length;
      if (written > mostKept) {
        throw new Refusal('too-large', 'the result is too large to be kept; ask in pages');
      }
      await handle.writeFile(bytes);
    }
    return written;
  } finally {
    await handle.close();
  }
}

async function* piecesOf(body: HttpAnswer['body']): AsyncGenerator<string | Uint8Array> {
  if (body === undefined) return;
  if (isStream(body)) yield* body;
  else yield typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
}
